"""The SAM CLI, Docker, and a local cloud for the functions to work against."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from retrain.localcloud import process
from retrain.localcloud.template import load_template
from tests.sam_local.bridge import bridge
from tests.sam_local.service import Service, serving
from tests.samples.world import World, environment, function_of
from tests.unit.functions import stack

SAM = stack.ROOT / ".venv-sam" / "bin" / "sam"
BUILD = stack.ROOT / ".aws-sam" / "local"
ENDPOINT = "AWS_ENDPOINT_URL"
FUNCTIONS = [name for name, body in stack.RESOURCES.items() if body["Type"] == "AWS::Serverless::Function"]


@dataclass(frozen=True)
class Invoked:
    """What came of an invocation: what the function returned, or what it raised; and its log."""

    answer: Any
    error: tuple[str, str] | None
    log: str


Invoke = Callable[[str], Invoked]


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        cwd=stack.ROOT,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", **variables},
    )


@pytest.fixture(scope="session")
def architecture() -> str:
    """That of this machine: another one's containers would need an emulator."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


@pytest.fixture(scope="session")
def image(architecture: str) -> str:
    """The base image of the functions, pulled unless it is there."""
    if run("docker", "info").returncode:
        pytest.exit("Docker does not answer: start it ('docker info' shows whether it runs).", 1)
    name = f"public.ecr.aws/lambda/python:3.11-{architecture}"
    if run("docker", "image", "inspect", name).returncode:
        pulled = run("docker", "pull", name)
        if pulled.returncode:
            pytest.exit(
                f"The image {name}, in which the functions run, is not here and cannot be pulled: bring it "
                f"with 'docker load', or build one under that name. Docker says: {pulled.stderr.strip()}",
                1,
            )
    return name


@pytest.fixture(scope="session")
def template(architecture: str) -> Path:
    """What ``make sam-build`` makes, with one variable more in each function: where its AWS is."""
    built = run(
        SAM, "build", "--cached", "--build-dir", BUILD, "--parameter-overrides", *_parameters(architecture)
    )
    assert built.returncode == 0, built.stderr
    finished = run(sys.executable, "cicd/packages.py", BUILD, PYTHONPATH=".")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    content = load_template(BUILD / "template.yaml")
    content["Globals"]["Function"]["Environment"]["Variables"][ENDPOINT] = ""
    path = BUILD / "invoke.json"
    path.write_text(json.dumps(content))
    return path


def _parameters(architecture: str) -> list[str]:
    return [f"FunctionArchitecture={architecture}", f"TrainingImageUri={stack.IMAGE}"]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[process.LocalCloud]:
    """A local cloud; what the events speak of is made in it anew for each."""
    state_dir = tmp_path_factory.mktemp("cloud")
    yield process.up(state_dir, port=None, project_root=stack.ROOT, deploy=False)
    process.down(state_dir)


@pytest.fixture(scope="session")
def endpoint_in_containers(cloud: process.LocalCloud, image: str) -> Iterator[str]:
    """The local cloud's URL as containers know it."""
    with bridge(cloud.port, image) as url:
        yield url


@pytest.fixture
def world(cloud: process.LocalCloud) -> World:
    """What the events speak of, and nothing else."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(f"{cloud.endpoint_url}/_ministack/reset", data=b"").close()

    def clients(access_key: str) -> Callable[[str], Any]:
        session = boto3.Session(access_key, "test", region_name=stack.REGION)
        config = Config(proxies={})
        return lambda service: session.client(service, endpoint_url=cloud.endpoint_url, config=config)

    # The cloud's reset does not reach Step Functions and SageMaker, which have stores of their own.
    states = clients(stack.ACCOUNT)("stepfunctions")
    states.delete_state_machine(stateMachineArn=stack.NAMES["StateMachine"])
    sagemaker = clients(stack.ACCOUNT)("sagemaker")
    for group in sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]:
        name = group["ModelPackageGroupName"]
        for package in sagemaker.list_model_packages(ModelPackageGroupName=name)["ModelPackageSummaryList"]:
            sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
        sagemaker.delete_model_package_group(ModelPackageGroupName=name)

    # The local cloud takes a key of twelve digits for an account, and any other for its own account's.
    made = World(clients(stack.ACCOUNT), clients("test"))
    made.create()
    return made


@pytest.fixture(scope="session")
def service(
    template: Path,
    endpoint_in_containers: str,
    architecture: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """All functions, each in a container of its own."""
    variables = {name: {**environment(name), ENDPOINT: endpoint_in_containers} for name in FUNCTIONS}
    arguments = _arguments(template, architecture)
    with serving(SAM, tmp_path_factory.mktemp("functions"), arguments, variables) as started:
        yield started


@pytest.fixture(scope="session")
def invoke(service: Service) -> Invoke:
    """Invoke the function of an event with it, in the container that the function has."""

    def invoked(event: str) -> Invoked:
        answer, log = service.invoke(function_of(event), _content(event))
        return _understood(answer, log)

    return invoked


@pytest.fixture
def invoke_once(template: Path, endpoint_in_containers: str, architecture: str, tmp_path: Path) -> Invoke:
    """Invoke the function of an event with it by ``sam local invoke FUNCTION -e events/FILE``."""

    def invoked(event: str) -> Invoked:
        function = function_of(event)
        variables = tmp_path / "variables.json"
        variables.write_text(
            json.dumps({function: {**environment(function), ENDPOINT: endpoint_in_containers}})
        )
        ended = run(
            *(SAM, "local", "invoke", function, "-e", f"events/{event}.json", "--env-vars", variables),
            *_arguments(template, architecture),
            AWS_ACCESS_KEY_ID=stack.ACCOUNT,
            AWS_SECRET_ACCESS_KEY="test",
            AWS_DEFAULT_REGION=stack.REGION,
        )
        lines = ended.stdout.strip().splitlines()
        assert lines, ended.stderr
        return _understood(lines[-1], ended.stderr)

    return invoked


def _arguments(template: Path, architecture: str) -> list[str | Path]:
    parameters = ("--parameter-overrides", *_parameters(architecture))
    return ["--template", template, "--skip-pull-image", *parameters]


def _content(event: str) -> bytes:
    return (stack.ROOT / "events" / f"{event}.json").read_bytes()


def _understood(answered: str | bytes, log: str) -> Invoked:
    answer = json.loads(answered)
    if isinstance(answer, dict) and {"errorType", "errorMessage"} <= answer.keys():
        return Invoked(None, (answer["errorType"], answer["errorMessage"]), log)
    return Invoked(answer, None, log)
