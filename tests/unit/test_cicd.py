"""The pipeline's stack in cicd/: what no linter knows of it, and that what it hands over is understood."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from retraining import requests
from retraining.pipelines import image_files, parameters
from retraining.requests import RequestPolicy
from tests.unit.functions.stack import _Loader

CICD = Path(__file__).resolve().parents[2] / "cicd"
TEMPLATE = yaml.load((CICD / "template.yaml").read_text(), _Loader)
RESOURCES = TEMPLATE["Resources"]
BUILDSPEC = yaml.safe_load((CICD / "buildspec.yaml").read_text())
REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/retrain-training"
DIGEST = f"sha256:{'0af' * 21}0"
POLICY = RequestPolicy("data", "artifacts", f"{REPOSITORY}:1", ())


def parts(value: Any) -> list[dict[str, Any]]:
    """The entries of a list in which some stand under a condition."""
    found = []
    for entry in value:
        found += entry["If"][1:] if set(entry) == {"If"} else [entry]
    return found


def statements() -> list[dict[str, Any]]:
    return [
        statement
        for body in RESOURCES.values()
        for policy in parts(body["Properties"].get("Policies", []))
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def actions() -> dict[str, dict[str, Any]]:
    stages = RESOURCES["Pipeline"]["Properties"]["Stages"]
    found = [action for stage in stages for action in parts(stage["Actions"])]
    return {action["ActionTypeId"]["Provider"]: action for action in found}


def test_images_keep_their_tags_and_are_scanned():
    repository = RESOURCES["Repository"]["Properties"]
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
    (rule,) = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert rule["selection"]["tagStatus"] == "untagged"


def test_artifacts_are_encrypted_private_and_not_kept_for_ever():
    bucket = RESOURCES["ArtifactBucket"]["Properties"]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == {"Ref": "ArtifactDays"}
    (statement,) = RESOURCES["ArtifactBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert RESOURCES["ArtifactKey"]["Properties"]["EnableKeyRotation"] is True
    assert RESOURCES["Pipeline"]["Properties"]["ArtifactStore"]["EncryptionKey"]["Type"] == "KMS"


def test_roles_may_do_what_they_do_and_no_more():
    for statement in statements():
        named = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in named if "*" in action], statement["Sid"]
        assert "iam:PassRole" not in named
        assert statement["Effect"] == "Allow"
    stars = [statement["Sid"] for statement in statements() if statement["Resource"] == "*"]
    assert stars == ["LogInToRegistry", "FindFunction"]
    lines = (CICD / "template.yaml").read_text().splitlines()
    for number, line in enumerate(lines):
        if re.fullmatch(r'\s*Resource: "\*"', line):
            assert lines[number - 1].lstrip().startswith("#")


def test_the_source_may_be_put_with_an_access_control_list():
    # Without, the action of a connection fails: "Upload to S3 failed", "Access Denied".
    (policy, *_) = RESOURCES["PipelineRole"]["Properties"]["Policies"]
    allowed = {entry["Sid"]: entry["Action"] for entry in policy["PolicyDocument"]["Statement"]}
    assert {"s3:PutObject", "s3:PutObjectAcl"} <= set(allowed["ReadAndWriteArtifacts"])


def test_a_folder_without_a_repository_becomes_one_before_the_checks():
    # What CodePipeline hands over is an archive; the scan for secrets asks git which files there are.
    first = BUILDSPEC["phases"]["install"]["commands"][0]
    assert first.endswith("git init --quiet")


def test_only_services_of_this_account_take_the_roles():
    for name in ("BuildRole", "PipelineRole"):
        (trust,) = RESOURCES[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.mark.parametrize("name", TEMPLATE["Parameters"])
def test_parameters_are_described_bounded_used_and_grouped(name):
    parameter = TEMPLATE["Parameters"][name]
    assert parameter["Description"].endswith(".")
    assert {"AllowedPattern", "AllowedValues", "MinValue"} & set(parameter)
    text = (CICD / "template.yaml").read_text()
    assert f"!Ref {name}" in text or f"${{{name}}}" in text
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sum(group["Parameters"].count(name) for group in groups) == 1


def test_artifacts_go_from_action_to_action():
    found = actions()
    assert set(found) == {"CodeStarSourceConnection", "CodeBuild", "Lambda", "StepFunctions"}
    handover = found["CodeBuild"]["OutputArtifacts"]
    assert found["Lambda"]["InputArtifacts"] == found["StepFunctions"]["InputArtifacts"] == handover
    assert found["StepFunctions"]["Configuration"]["Input"] in BUILDSPEC["artifacts"]["files"]


def test_the_function_understands_the_actions_parameters():
    text = actions()["Lambda"]["Configuration"]["UserParameters"]["Sub"]
    given = text.replace("${Dataset}", "mnist").replace("${OnRejected}", "succeed")
    asked = parameters.parse(given, "fail")
    assert asked.on_rejected == "succeed"
    assert requests.parse(asked.request, POLICY).dataset == "mnist"
    for name in ("OnRejected", "RetrainBy"):
        assert TEMPLATE["Parameters"][name]["Default"] in TEMPLATE["Parameters"][name]["AllowedValues"]
    assert TEMPLATE["Parameters"]["OnRejected"]["AllowedValues"] == list(parameters.POLICIES)


def write(folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    given = {"repository": REPOSITORY, "tag": "3f2a", "digest": DIGEST, "dataset": "mnist", **changes}
    options = [text for name, value in given.items() for text in (f"--{name}", value)]
    command = [sys.executable, CICD / "artifact.py", *options, "--to", folder]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_a_build_hands_over_is_understood(tmp_path):
    folder = tmp_path / BUILDSPEC["artifacts"]["base-directory"]
    assert write(folder).returncode == 0
    assert sorted(path.name for path in folder.iterdir()) == sorted(BUILDSPEC["artifacts"]["files"])
    detail = (folder / image_files.DETAIL).read_bytes()
    assert image_files.image(image_files.DETAIL, detail, "") == f"{REPOSITORY}@{DIGEST}"
    request = requests.parse(json.loads((folder / "retrain.json").read_text()), POLICY)
    assert request.training.image_uri == f"{REPOSITORY}@{DIGEST}"
    assert (request.trigger.kind, request.trigger.id) == ("codepipeline", "3f2a")


def test_an_image_that_was_not_pushed_is_not_handed_over(tmp_path):
    ended = write(tmp_path / "handover", digest="None")
    assert (ended.returncode, "has the image been pushed?" in ended.stderr) == (1, True)
    assert not (tmp_path / "handover").exists()


def commands() -> str:
    return "\n".join(line for phase in BUILDSPEC["phases"].values() for line in phase["commands"])


def test_a_failing_phase_ends_the_build():
    # Otherwise CodeBuild goes on to the next one after some.
    assert {phase["on-failure"] for phase in BUILDSPEC["phases"].values()} == {"ABORT"}
    assert "set -euo pipefail" in BUILDSPEC["phases"]["build"]["commands"]


def test_the_build_is_a_script_that_bash_can_read():
    ended = subprocess.run(["bash", "-n"], input=commands(), capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("pushed_before", [True, False])
def test_a_commit_is_built_once(tmp_path, pushed_before):
    """The build's own commands, with docker and aws that write down what they are asked."""
    tools = tmp_path / "tools"
    tools.mkdir()
    docker = '#!/bin/sh\necho "docker $*" >> "$LOG"\ncase "$1" in push) touch "$PUSHED";; login) cat;; esac\n'
    aws = f"""#!/bin/sh
echo "aws $*" >> "$LOG"
case "$2" in
  get-login-password) echo secret;;
  describe-images) test -e "$PUSHED" && echo {DIGEST} || {{ echo ImageNotFoundException >&2; exit 254; }};;
esac
"""
    for name, content in (("docker", docker), ("aws", aws)):
        (tools / name).write_text(content)
        (tools / name).chmod(0o755)
    (tools / "python").symlink_to(sys.executable)
    pushed, log = tmp_path / "pushed", tmp_path / "log"
    if pushed_before:
        pushed.touch()
    (tmp_path / "cicd").symlink_to(CICD)
    environment = {
        "PATH": f"{tools}:/usr/bin:/bin",
        "CODEBUILD_RESOLVED_SOURCE_VERSION": "3f2a",
        "REPOSITORY_URI": REPOSITORY,
        "REPOSITORY_NAME": "retrain-training",
        "DATASET": "mnist",
        "LOG": str(log),
        "PUSHED": str(pushed),
    }
    script = "\n".join(BUILDSPEC["phases"]["build"]["commands"])
    ended = subprocess.run(
        ["bash"], input=script, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    asked = log.read_text()
    assert (f"docker build --tag {REPOSITORY}:3f2a training" in asked) != pushed_before
    assert (f"docker push {REPOSITORY}:3f2a" in asked) != pushed_before
    assert (
        "docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com" in asked
    )
    assert DIGEST in (tmp_path / "handover" / image_files.DETAIL).read_text()
