"""cicd/push.py, with a docker that writes down what it is asked for, and an ECR in this process."""

from __future__ import annotations

import importlib.util
import json
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

SOURCE = Path(__file__).resolve().parents[2] / "cicd" / "push.py"
MANIFEST: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
}
OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER = """#!{python}
import json, os, sys
calls = open({calls!r}, "a")
given = sys.stdin.read() if sys.argv[1] == "login" else ""
json.dump({{"arguments": sys.argv[1:], "given": given, "config": os.environ.get("DOCKER_CONFIG")}}, calls)
calls.write("\\n")
calls.close()
if sys.argv[1] == "context":
    print("unix:///somewhere/docker.sock")
if sys.argv[1:3] == ["image", "inspect"]:
    print(json.dumps([{described}]))
if sys.argv[1] == "push" and os.environ["DOCKER_HOST"] != "unix:///somewhere/docker.sock":
    sys.exit("Docker is elsewhere")
if sys.argv[1] == {failing!r}:
    sys.exit("no such image")
"""


@pytest.fixture
def push() -> Any:
    spec = importlib.util.spec_from_file_location("push", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("ecr")


class Docker:
    """Stands in for the docker command."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._calls = folder, folder / "calls"
        self.answers()

    def answers(self, failing: str = "", form: str = "") -> None:
        program = self._folder / "docker"
        described = {"Descriptor": {"mediaType": form}} if form else {}
        program.write_text(
            DOCKER.format(python=sys.executable, calls=str(self._calls), failing=failing, described=described)
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    @property
    def calls(self) -> list[dict[str, Any]]:
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        return [json.loads(line) for line in lines]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return Docker(tmp_path)


def put(ecr: Any, tag: str, form: str = MANIFEST["mediaType"]) -> str:
    """Have an image in ECR; gives its digest."""
    manifest = json.dumps(MANIFEST | {"mediaType": form})
    image = ecr.put_image(
        repositoryName="models", imageManifest=manifest, imageManifestMediaType=form, imageTag=tag
    )["image"]
    return str(image["imageId"]["imageDigest"])


@pytest.fixture
def pushed(push: Any, ecr: Any, docker: Docker, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have what the stand-in for Docker pushes appear in ECR; gives the digests."""
    digests: list[str] = []
    run = push._run

    def running(command: list[str], *arguments: Any, **named: Any) -> str:
        answer: str = run(command, *arguments, **named)
        if command[1] == "push":
            digests.append(put(ecr, command[2].rpartition(":")[2]))
        return answer

    monkeypatch.setattr(push, "_run", running)
    return digests


def test_it_pushes_under_the_tag_and_prints_the_digest(
    push: Any, ecr: Any, docker: Docker, pushed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    uri = ecr.create_repository(repositoryName="models")["repository"]["repositoryUri"]
    assert push.main(["--image", "mine:local", "--repository", "models", "--tag", "7"]) == 0
    assert capsys.readouterr().out == f"TrainingImageUri={uri}@{pushed[0]}\n"
    _, tag, _, login, sent = docker.calls
    assert tag["arguments"] == ["tag", "mine:local", f"{uri}:7"]
    assert login["arguments"] == ["login", "--username", "AWS", "--password-stdin", uri.split("/")[0]]
    assert sent["arguments"] == ["push", f"{uri}:7"]


def test_an_image_that_is_there_is_not_pushed_again(push: Any, ecr: Any, docker: Docker) -> None:
    uri = ecr.create_repository(repositoryName="models")["repository"]["repositoryUri"]
    digest = put(ecr, "7")
    assert push.push(ecr, "mine:local", "models", "7") == f"{uri}@{digest}"
    assert docker.calls == []


def test_the_password_is_in_no_argument_and_does_not_stay(
    push: Any, ecr: Any, docker: Docker, pushed: list[str]
) -> None:
    push.push(ecr, "mine:local", "models", "7")
    login = docker.calls[3]
    assert login["given"]
    assert login["given"] not in json.dumps([call["arguments"] for call in docker.calls])
    assert not Path(login["config"]).exists()


def test_a_missing_repository_is_made_with_immutable_tags(push: Any, ecr: Any, docker: Docker) -> None:
    docker.answers(failing="push")
    with pytest.raises(push.PushError, match="docker push"):
        push.push(ecr, "mine:local", "models", "7")
    (made,) = ecr.describe_repositories(repositoryNames=["models"])["repositories"]
    assert made["imageTagMutability"] == "IMMUTABLE"
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}


def test_what_docker_says_is_passed_on(
    push: Any, ecr: Any, docker: Docker, capsys: pytest.CaptureFixture[str]
) -> None:
    docker.answers(failing="tag")
    assert push.main(["--image", "nothing", "--repository", "models", "--tag", "7"]) == 1
    assert "'docker tag' failed: no such image" in capsys.readouterr().err


@pytest.mark.parametrize("form", [OCI_IMAGE, OCI_INDEX])
def test_a_form_that_sagemaker_refuses_is_not_pushed(push: Any, ecr: Any, docker: Docker, form: str) -> None:
    docker.answers(form=form)
    with pytest.raises(push.PushError, match=r"oci-mediatypes=false") as refused:
        push.push(ecr, "mine:local", "models", "7")
    assert form in str(refused.value)
    assert "push" not in [call["arguments"][0] for call in docker.calls]


def test_the_form_that_sagemaker_takes_is_pushed(
    push: Any, ecr: Any, docker: Docker, pushed: list[str]
) -> None:
    docker.answers(form=push.TAKEN)
    assert push.push(ecr, "mine:local", "models", "7").endswith(pushed[0])


def test_a_form_that_sagemaker_refuses_is_told_when_it_is_there_already(
    push: Any, ecr: Any, docker: Docker
) -> None:
    ecr.create_repository(repositoryName="models")
    put(ecr, "7", OCI_INDEX)
    with pytest.raises(push.PushError, match=r"aws ecr batch-delete-image --repository-name models"):
        push.push(ecr, "mine:local", "models", "7")


def test_without_docker_it_says_so(
    push: Any, ecr: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert push.main(["--image", "mine", "--repository", "models", "--tag", "7"]) == 1
    assert "docker is not installed here" in capsys.readouterr().err


def test_changes_in_no_commit_need_a_tag(push: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        push, "_run", lambda command: " M training/train.py" if "status" in command else "abc"
    )
    with pytest.raises(push.PushError, match="changes that are in no commit"):
        push.commit()
