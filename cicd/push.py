"""Push an image to ECR, and print what to put into samconfig.toml for it.

    .venv/bin/python cicd/push.py --image retrain-training:local --repository retrain-training [--tag TAG]

Credentials and region are those of the AWS CLI. The repository is made if it is missing: with immutable tags,
and scanned at every push. The tag is the commit unless told otherwise; an image that is there
under it is the one, and is not pushed again. What is printed names the image by its digest,
which no later push can change. Docker's own configuration is left alone: the password lives as long as the
push.

SageMaker refuses images in the form of OCI ("Unsupported manifest media type"), which newer Dockers may make;
so does this program, before it pushes one.
"""

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[1]
TAKEN = "application/vnd.docker.distribution.manifest.v2+json"
"""The form of an image that SageMaker takes: Docker's own, for one platform."""


class PushError(Exception):
    """The image could not be pushed; the text says why and what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Push the image and print its URI; gives the exit code."""
    parser = argparse.ArgumentParser(description="Push an image to ECR.")
    parser.add_argument("--image", required=True, help="the local image, name:tag")
    parser.add_argument("--repository", required=True, help="the repository's name in ECR; made if missing")
    parser.add_argument("--tag", help="the tag to push as; the commit, unless given")
    given = parser.parse_args(arguments)
    try:
        uri = push(boto3.client("ecr"), given.image, given.repository, given.tag or commit())
    except PushError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"AWS refuses: {error}\n")
        return 1
    sys.stderr.write("For parameter_overrides in samconfig.toml:\n")
    sys.stdout.write(f"TrainingImageUri={uri}\n")
    return 0


def commit() -> str:
    """Give the commit that the folder is at.

    Raises
    ------
    PushError
        It has changes that are in no commit: then no commit says what the image holds.
    """
    changed = _run(["git", "-C", str(ROOT), "status", "--porcelain", "--", "training"])
    if changed:
        raise PushError(
            "training/ has changes that are in no commit: commit them, or name the image (make push TAG=...)."
        )
    return _run(["git", "-C", str(ROOT), "rev-parse", "HEAD"])


def push(ecr: Any, image: str, repository: str, tag: str) -> str:
    """Push a local image under a tag, and give its URI by digest.

    Parameters
    ----------
    ecr
        boto3's client.
    image, repository, tag
        The local image, and where it goes.

    Raises
    ------
    PushError
        Docker could not, for the reason that it gives; or the image is in a form that SageMaker refuses.
    """
    uri = _repository(ecr, repository)
    there = _details(ecr, repository, tag)
    if there is None:
        login = ecr.get_authorization_token()["authorizationData"][0]
        user, _, password = base64.b64decode(login["authorizationToken"]).decode().partition(":")
        with tempfile.TemporaryDirectory(prefix="retrain-push-") as folder:
            environment = {"DOCKER_HOST": _docker_host(), **os.environ, "DOCKER_CONFIG": folder}
            _run(["docker", "tag", image, f"{uri}:{tag}"], environment)
            _refuse_other_forms(image, _form(image, environment))
            # By standard input: arguments can be read by every process of the computer.
            command = ["docker", "login", "--username", user, "--password-stdin", uri.split("/")[0]]
            _run(command, environment, given=password)
            _run(["docker", "push", f"{uri}:{tag}"], environment)
        there = _details(ecr, repository, tag)
    if there is None:
        raise PushError(f"Docker has pushed {uri}:{tag}, and ECR does not have it: try again in a moment.")
    delete = f"aws ecr batch-delete-image --repository-name {repository} --image-ids imageTag={tag}"
    _refuse_other_forms(f"{uri}:{tag}", there.get("imageManifestMediaType"), f"delete it ({delete}), and ")
    return f"{uri}@{there['imageDigest']}"


def _details(ecr: Any, repository: str, tag: str) -> dict[str, Any] | None:
    try:
        found = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
    except ecr.exceptions.ImageNotFoundException:
        return None
    return dict(found[0])


def _form(image: str, environment: Mapping[str, str]) -> str | None:
    """In what form Docker keeps a local image; None if it does not say, and pushes its own form."""
    inspected = json.loads(_run(["docker", "image", "inspect", image], environment))
    form: str | None = (inspected[0].get("Descriptor") or {}).get("mediaType")
    return form


def _refuse_other_forms(image: str, form: str | None, before: str = "") -> None:
    if form not in {None, TAKEN}:
        raise PushError(
            f"{image} is in the form {form}, and SageMaker takes {TAKEN} alone: {before}build it again with "
            'make image BUILD_ARGS="--provenance=false --output type=image,oci-mediatypes=false".'
        )


def _docker_host() -> str:
    """Where Docker listens, which its configuration says, of which the push sees none."""
    return _run(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])


def _repository(ecr: Any, name: str) -> str:
    try:
        return str(ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"])
    except ecr.exceptions.RepositoryNotFoundException:
        made = ecr.create_repository(
            repositoryName=name,
            imageTagMutability="IMMUTABLE",
            imageScanningConfiguration={"scanOnPush": True},
        )
        return str(made["repository"]["repositoryUri"])


def _run(command: list[str], environment: Mapping[str, str] | None = None, *, given: str = "") -> str:
    try:
        done = subprocess.run(
            command, input=given, env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise PushError(f"{command[0]} is not installed here, and pushing an image needs it.") from None
    if done.returncode:
        raise PushError(f"'{' '.join(command[:2])}' failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
