"""Dependencies point one way, and secrets and short cuts stay out; see docs/architecture.md."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

RUNTIME = {"boto3", "botocore"}
ALLOWED = {
    "functions": RUNTIME | {"aws_lambda_powertools"},
    "training": RUNTIME
    | {"backports", "numpy", "onnx", "onnxruntime", "PIL", "starlette", "torch", "torchvision", "uvicorn"},
}


def imports(file: Path) -> set[str]:
    """The first parts of all modules that a file imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).split(".")[0])
    return found - set(sys.stdlib_module_names) - {"__future__"}


def own(folder: Path) -> set[str]:
    return {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}


def sources(folder: str) -> list[Path]:
    found = sorted((PROJECT / folder).rglob("*.py"))
    assert found
    return found


@pytest.mark.parametrize("folder", ALLOWED)
def test_what_runs_in_aws_needs_nothing_of_the_developers_tool(folder: str) -> None:
    allowed = ALLOWED[folder] | own(PROJECT / folder)
    strangers = {str(file): extra for file in sources(folder) if (extra := imports(file) - allowed)}
    assert strangers == {}


def test_the_layer_holds_what_the_functions_import() -> None:
    requirements = (PROJECT / "layers" / "dependencies" / "requirements.txt").read_text().splitlines()
    packages = {line.split("==")[0].replace("-", "_") for line in requirements if line and line[0] != "#"}
    imported = set().union(*(imports(file) for file in sources("functions")))
    assert imported - own(PROJECT / "functions") - RUNTIME == packages


def test_the_developers_tool_knows_functions_and_training_only_as_folders() -> None:
    hidden = own(PROJECT / "functions") | own(PROJECT / "training") | set(ALLOWED)
    strangers = {str(file): known for file in sources("retrain") if (known := imports(file) & hidden)}
    assert strangers == {}


STATES_NEEDS = RUNTIME | {"jsonata", "retrain", "yaml"}


def test_the_states_language_needs_nothing_else_of_the_tool() -> None:
    strangers = {}
    for file in sources("retrain/states"):
        others = imports(file) - STATES_NEEDS
        inside = {name for name in modules(file) if name.split(".")[0] == "retrain"}
        others |= {name for name in inside if not f"{name}.".startswith("retrain.states.")}
        if others:
            strangers[str(file)] = others
    assert strangers == {}


def modules(file: Path) -> set[str]:
    """The full names of all modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found


def test_only_the_adapters_of_the_functions_reach_aws() -> None:
    adapters = PROJECT / "functions" / "retraining" / "aws"
    reaching = [
        file for file in sources("functions") if imports(file) & RUNTIME and adapters not in file.parents
    ]
    assert reaching == []


@pytest.mark.parametrize("file", ["layers/dependencies/requirements.txt", "training/requirements.txt"])
def test_what_runs_in_aws_has_the_versions_that_the_tests_ran_with(file: str) -> None:
    pins = set((PROJECT / "constraints.txt").read_text().replace("_", "-").splitlines())
    for line in (PROJECT / file).read_text().splitlines():
        pin = line.partition(";")[0].strip()
        assert not pin or pin.startswith("#") or pin.replace("_", "-") in pins
