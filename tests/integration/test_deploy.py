"""Deploying a SAM template to the local cloud."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from retrain.localcloud import deploy
from retrain.localcloud.errors import DefinitionError, DeployError
from retrain.localcloud.process import LocalCloud
from tests.integration.definitions import Aws, Run

MENDS = Path(__file__).with_name("mends")
DANGLING = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nowhere"}}}'
Deploy = Callable[..., dict[str, str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the small stack, to be changed."""
    return Path(shutil.copytree(MENDS, tmp_path / "project"))


@pytest.fixture
def deploy_it(project: Path, local_cloud: LocalCloud, aws: Aws) -> Iterator[Deploy]:
    """Deploy the copy, as a stack of its own."""
    name = f"copy-{uuid.uuid4().hex[:8]}"

    def run(**parameters: str) -> dict[str, str]:
        return deploy.deploy(
            project / "template.yaml",
            endpoint_url=local_cloud.endpoint_url,
            stack_name=name,
            state_dir=local_cloud.state_dir,
            parameters=parameters,
        )

    yield run
    aws("cloudformation").delete_stack(StackName=name)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_an_update_reaches_the_function(deploy_it: Deploy, project: Path, run: Run) -> None:
    first = deploy_it()
    assert json.loads(run(first["Machine"], {})["output"])["greeting"] == "hello"
    second = deploy_it(Greeting="good day")
    assert second == first
    assert json.loads(run(first["Machine"], {})["output"])["greeting"] == "good day"
    change(project / "functions/mischief/app.py", 'os.environ["GREETING"]', '"from new code"')
    deploy_it(Greeting="good day")
    assert json.loads(run(first["Machine"], {})["output"])["greeting"] == "from new code"


def test_parameters_of_samconfig(deploy_it: Deploy, project: Path, run: Run) -> None:
    (project / "samconfig.toml").write_text(
        "version = 0.1\n[local.deploy.parameters]\nparameter_overrides = \"Greeting='hi there' Unknown=1\"\n"
    )
    outputs = deploy_it()
    assert json.loads(run(outputs["Machine"], {})["output"])["greeting"] == "hi there"


def test_a_dangling_next_is_refused_before_anything_is_changed(
    deploy_it: Deploy, project: Path, local_cloud: LocalCloud
) -> None:
    change(project / "machine.asl.json", '"End": true', '"Next": "Nowhere"')
    with pytest.raises(DefinitionError) as raised:
        deploy_it()
    assert (
        "AWS would refuse the state machine Machine (machine.asl.json):\n"
        "  MISSING_TRANSITION_TARGET: Missing 'Next' target: Nowhere at /States/Call/Next"
        in str(raised.value)
    )


def test_a_dangling_next_in_the_template_itself_is_refused_by_cloudformation(
    deploy_it: Deploy, project: Path
) -> None:
    change(project / "template.yaml", "DefinitionUri: machine.asl.json", f"Definition: {DANGLING}")
    with pytest.raises(DeployError, match=r"(?s)could not be deployed.*Machine.*Nowhere"):
        deploy_it()


def test_after_a_failure_the_next_deployment_works(deploy_it: Deploy, project: Path) -> None:
    inline = f"Definition: {DANGLING}"
    change(project / "template.yaml", "DefinitionUri: machine.asl.json", inline)
    with pytest.raises(DeployError):
        deploy_it()
    change(project / "template.yaml", inline, "DefinitionUri: machine.asl.json")
    assert deploy_it()["Machine"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    Default: hello\n", "", "needs values for Greeting: set them in samconfig.toml"),
        (
            "functions/mischief/",
            "functions/nothing/",
            "names the folder .*functions/nothing, which is not there",
        ),
        ("machine.asl.json", "nothing.asl.json", "nothing.asl.json cannot be read: No such file"),
        (
            "AWS::SQS::QueuePolicy",
            "AWS::SQS::QueuePolice",
            r"Unrecognized resource types: \[AWS::SQS::QueuePolice\]",
        ),
        ("Resources:", "Resourses:", "is no template: it has no Resources"),
        ("Resources:", "Resources: [", "is no valid YAML"),
    ],
)
def test_what_is_wrong_is_said(deploy_it: Deploy, project: Path, old: str, new: str, words: str) -> None:
    change(project / "template.yaml", old, new)
    with pytest.raises(DeployError, match=words):
        deploy_it()


def test_an_unknown_parameter(deploy_it: Deploy) -> None:
    with pytest.raises(DeployError, match=r"template.yaml has no parameter Nothing\."):
        deploy_it(Nothing="1")


def test_the_projects_own_template(retrain_stack: dict[str, str], aws: Aws) -> None:
    wanted = {
        *(
            "DataBucketName",
            "ArtifactsBucketName",
            "LedgerTableName",
            "StateMachineArn",
            "NotificationTopicArn",
        ),
        *("ArrivalQueueUrl", "ArrivalDeadLetterQueueUrl", "ModelPackageGroupName", "SageMakerRoleArn"),
    }
    assert wanted <= set(retrain_stack)
    described: dict[str, Any] = aws("stepfunctions").describe_state_machine(
        stateMachineArn=retrain_stack["StateMachineArn"]
    )
    assert "${" not in described["definition"]
