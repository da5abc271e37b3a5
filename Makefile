# Everything a developer runs. Each target sets up what it needs, quietly and once.
# PYTHON names the interpreter that the virtual environments are made with.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
SAM    := .venv-sam
AUDIT  := .venv-audit
BIN    := $(VENV)/bin
IMAGE  ?= retrain-training:local
REPOSITORY ?= retrain-training
TAG ?=
BUILD_ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export SAM_CLI_TELEMETRY := 0
# Tests and the local cloud start hundreds of processes, which would compile this project each time.
unexport PYTHONDONTWRITEBYTECODE

# The torchvision wheel does not import beside a CPU-only torch unless somebody defines two operators first:
# training/vision.py does, and this lets every Python of .venv ask it to.
define TORCHVISION_PTH
import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "retrain_torchvision.pth").write_text(\
"import importlib.util as u; s = u.spec_from_file_location(\"_torchvision_operators\", \"$(CURDIR)/training/vision.py\"); "\
"m = u.module_from_spec(s); s.loader.exec_module(m); m.prepare_import()\n")
endef

.DEFAULT_GOAL := help
.PHONY: help setup demo test explore bench bench-peers check lint types cases audit up down clean sam-build sam-check sam-local sam-deploy-local docs image image-check push pins

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(VENV)/.installed ## Install everything into .venv

$(VENV)/.installed: pyproject.toml constraints.txt layers/dependencies/requirements.txt
	@echo "Setting up $(VENV) (once; about a minute and a half) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Retrain needs Python 3.11 or newer: make PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[local,workflow,console,training,functions,dev]' 2> $(VENV)/pip.log \
	  || { cat $(VENV)/pip.log >&2; exit 1; }
	@$(BIN)/python -c '$(TORCHVISION_PTH)'
	@touch $@

demo: setup ## The whole way: MNIST uploaded, trained, judged, deployed, asked; then spoiled data refused
	@$(BIN)/retrain demo

# One process more than this machine may have cores: many tests wait for other programs. The files keep the order
# that tests/conftest.py gives them, the long ones first.
test: setup ## All tests, with one full run through the local cloud
	@$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

explore: setup ## The tests with made-up examples, with ten times as many and others each time
	@HYPOTHESIS_PROFILE=explore $(BIN)/pytest --numprocesses 3 -m hypothesis

check: setup lint types cases audit sam-check ## Formatting, lint, types, audit, SAM; counts the conformance cases
lint: setup
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/cfn-lint template.yaml cicd/template.yaml
types: setup
	@$(BIN)/mypy --no-error-summary
cases: setup
	@$(BIN)/python tests/states/casefiles.py

audit: setup $(AUDIT)/.installed ## What is deployed and shipped: checkov, secrets, advisories
	@$(BIN)/python tests/audit/transformed.py build/audit
	@LOG_LEVEL=ERROR $(AUDIT)/bin/checkov --framework cloudformation --directory build/audit --skip-download --quiet --compact
	@$(AUDIT)/bin/python tests/audit/secret_scan.py
	@$(AUDIT)/bin/python tests/audit/advisories.py

$(AUDIT)/.installed: tests/audit/requirements.txt
	@echo "Setting up $(AUDIT) (once; about half a minute) ..."
	@test -x $(AUDIT)/bin/python || $(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/pip install --quiet --no-deps --requirement $< 2> $(AUDIT)/pip.log || { cat $(AUDIT)/pip.log >&2; exit 1; }
	@touch $@

sam-build: setup $(SAM)/.installed ## Build the functions for `sam deploy`, each with what it imports, compiled
	@$(SAM)/bin/sam build --cached
	@PYTHONPATH=. $(BIN)/python cicd/packages.py

sam-check: setup $(SAM)/.installed ## Validate both templates and build the functions with the SAM CLI
	@$(SAM)/bin/sam validate --lint
	@$(SAM)/bin/sam validate --lint --template cicd/template.yaml
	@$(MAKE) --no-print-directory sam-build

sam-local: setup $(SAM)/.installed ## Run every function with each of its events in Docker
	@docker info > /dev/null 2>&1 || { echo "make sam-local runs the functions in Docker, and no Docker answers: \
	install and start it ('docker info' tells), and try again." >&2; exit 1; }
	@$(BIN)/pytest tests/sam_local/invocations.py

sam-deploy-local: setup $(SAM)/.installed ## Deploy with the SAM CLI into a local cloud, and have a run there
	@$(BIN)/pytest tests/sam_local/deployment.py

bench: setup ## The figures of docs/performance.md, with few runs each (minutes)
	@for script in benchmarks/*.py; do printf '\n== %s\n' "$$script"; \
	  $(BIN)/python "$$script" $$(grep -q '"--runs"' "$$script" && echo --runs 3) \
	    $$(grep -q '"--points"' "$$script" && echo --points few) || exit 1; done

bench-peers: setup ## The same beside what people would use instead, installed apart (long)
	@for script in $$(grep -l -e '--peers' benchmarks/*.py); do printf '\n== %s\n' "$$script"; \
	  $(BIN)/python "$$script" --peers || exit 1; done

$(SAM)/.installed:
	@echo "Setting up $(SAM) (once) ..."
	@test -x $(SAM)/bin/python || $(PYTHON) -m venv $(SAM)
	@$(SAM)/bin/pip install --quiet 'aws-sam-cli==1.170.0' 2> $(SAM)/pip.log || { cat $(SAM)/pip.log >&2; exit 1; }
	@touch $@

# Without attestations, which would make an index of images of it: SageMaker takes one image alone.
image: export BUILDX_NO_DEFAULT_ATTESTATIONS := 1
image: ## Build the image that trains and serves (IMAGE=name:tag, BUILD_ARGS="--build-arg ...")
	@docker build --tag $(IMAGE) $(BUILD_ARGS) training

image-check: setup ## Train and serve in Docker with the image of training/, built anew (BUILD_ARGS as above)
	@IMAGE_BUILD_ARGS='$(BUILD_ARGS)' $(BIN)/pytest tests/image/container.py

push: setup ## Push IMAGE to ECR (REPOSITORY=name, TAG=commit) and print its URI by digest
	@$(BIN)/python cicd/push.py --image $(IMAGE) --repository $(REPOSITORY) $(if $(TAG),--tag $(TAG))

pins: setup ## Write training/constraints.txt anew from constraints.txt
	@$(BIN)/python cicd/pins.py

docs: setup ## Write docs/cli.md anew from the commands
	@$(BIN)/python -m retrain.cli.document docs/cli.md

up: setup ## Start the local cloud and deploy the stack
	@$(BIN)/retrain local up

down: ## Stop the local cloud
	@test ! -x $(BIN)/retrain || $(BIN)/retrain local down

clean: down ## Remove everything that was made here
	@rm -rf $(VENV) $(SAM) $(AUDIT) .retrain .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info
