"""Properties of template.yaml that no linter knows; those of any template are in tests/audit/rules."""

import json
import re
from typing import Any

import pytest

from tests.unit.functions import stack
from tests.unit.functions.stack import RESOURCES, TEMPLATE

FUNCTIONS = [name for name, body in RESOURCES.items() if body["Type"] == "AWS::Serverless::Function"]


def statements() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, body in RESOURCES.items():
        for policy in body["Properties"].get("Policies", []):
            document = policy.get("PolicyDocument", policy)
            found += [(name, statement) for statement in document["Statement"]]
    return found


def test_roles_are_handed_to_sagemaker_only():
    passing = [statement for _, statement in statements() if "iam:PassRole" in str(statement["Action"])]
    assert len(passing) == 1
    assert stack.resolve(passing[0]["Resource"]) == stack.arn("SageMakerRole")
    assert passing[0]["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def test_every_rule_may_use_the_dead_letter_queue_under_its_own_arn():
    # CloudFormation shortens long stack names in rule names, which a pattern of the stack's name would miss.
    rules = {name for name, body in RESOURCES.items() if body["Type"] == "AWS::Events::Rule"}
    for name, body in RESOURCES.items():
        for event, source in body["Properties"].get("Events", {}).items():
            assert source["Type"] == "EventBridgeRule"
            rules.add(f"{name}{event}")
    (policy,) = RESOURCES["ArrivalDeadLetterQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = policy["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert sorted(arn["GetAtt"] for arn in allowed) == sorted(f"{name}.Arn" for name in rules)


def test_what_a_function_reads_and_may_miss_is_missing_and_not_forbidden():
    # S3 answers 404 only if s3:ListBucket is allowed, and a GetObject carries no prefix for a condition.
    found = {name: statement for name, statement in statements() if statement["Sid"] == "ListHoldoutAndRuns"}
    assert set(found) == {"EvaluateChallengerFunction"}
    assert all("Condition" not in statement for statement in found.values())


def test_the_state_machine_may_read_what_it_registers():
    # SageMaker checks artifact and image of a model package with the rights of the caller.
    allowed = {
        action: statement["Resource"]
        for name, statement in statements()
        if name == "StateMachineRole"
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    }
    assert allowed["s3:GetObject"] == {"Sub": "${ArtifactsBucket.Arn}/runs/*"}
    assert allowed["s3:ListBucket"] == {"GetAtt": "ArtifactsBucket.Arn"}
    assert {"ecr:BatchGetImage", "ecr:DescribeImages"} <= set(allowed)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_exist_and_keep_their_logs_for_as_long_as_asked(name):
    properties = stack.properties(name)
    module, _, attribute = properties["Handler"].rpartition(".")
    path = stack.ROOT / "functions" / f"{module.replace('.', '/')}.py"
    assert re.search(rf"^def {attribute}\(", path.read_text(), re.MULTILINE)
    group = name.removesuffix("Function") + "LogGroup"
    assert RESOURCES[name]["Properties"]["LoggingConfig"] == {"LogGroup": {"Ref": group}}
    assert RESOURCES[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", TEMPLATE["Parameters"])
def test_parameters_are_described_bounded_used_and_grouped(name):
    parameter = TEMPLATE["Parameters"][name]
    assert parameter["Description"].endswith(".")
    bounds = {"AllowedPattern", "AllowedValues", "MinValue", "MaxLength"} & set(parameter)
    assert bounds or parameter["Type"] == "CommaDelimitedList"
    text = (stack.ROOT / "template.yaml").read_text()
    used = text.count(f"!Ref {name}") + text.count(f"${{{name}}}")
    assert used
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sum(group["Parameters"].count(name) for group in groups) == 1


def test_a_function_is_started_by_exactly_the_queues_it_may_read():
    sources = [body for body in RESOURCES.values() if body["Type"] == "AWS::Lambda::EventSourceMapping"]
    found = {(source["Properties"]["FunctionName"]["Ref"], _queue(source)) for source in sources}
    assert found == {
        ("StartRetrainingFunction", "ArrivalQueue"),
        ("StartRetrainingFunction", "DelayQueue"),
        ("NotifyFunction", "UntoldQueue"),
    }
    for source in sources:
        assert source["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        read = [
            statement["Resource"]
            for name, statement in statements()
            if name == source["Properties"]["FunctionName"]["Ref"]
            and "sqs:ReceiveMessage" in statement["Action"]
        ]
        assert f"{_queue(source)}.Arn" in str(read)


def _queue(source: dict[str, Any]) -> str:
    return str(source["Properties"]["EventSourceArn"]["GetAtt"].removesuffix(".Arn"))


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Match an event as EventBridge would, for the operators that the template uses."""
    for field, wanted in pattern.items():
        if isinstance(wanted, dict):
            if not matches(wanted, event.get(field, {})):
                return False
        elif not any(_matches_one(alternative, event.get(field)) for alternative in wanted):
            return False
    return True


def _matches_one(alternative: Any, value: Any) -> bool:
    if not isinstance(alternative, dict):
        return bool(alternative == value)
    ((operator, operand),) = alternative.items()
    if operator == "prefix":
        return str(value).startswith(operand)
    if operator == "wildcard":
        return re.fullmatch(re.escape(operand).replace(r"\*", ".*"), str(value), re.DOTALL) is not None
    raise NotImplementedError(operator)


@pytest.mark.parametrize(
    ("event", "passes"),
    [
        ("upload_dataset_marker", True),
        ("upload_dataset_file", True),
        ("upload_dataset_file_deleted", True),
        ("upload_dataset_odd_key", True),
        ("upload_manifest_complete", True),
        ("upload_object_other_bucket", False),
        ("upload_object_outside_datasets", True),
    ],
)
def test_the_rule_lets_through_what_it_should(event, passes):
    delivery = json.loads((stack.ROOT / "events" / f"{event}.json").read_text())
    body = json.loads(delivery["Records"][0]["body"])
    assert matches(stack.properties("UploadRule")["EventPattern"], body) == passes


@pytest.mark.parametrize("status", ["timed_out", "aborted", "failed_uncaught"])
def test_interruptions_reach_their_function(status):
    event = json.loads((stack.ROOT / "events" / f"interrupt_execution_{status}.json").read_text())
    rule = stack.properties("ReportInterruptionFunction")["Events"]["ExecutionInterrupted"]["Properties"]
    assert matches(rule["Pattern"], event)
    event["detail"]["stateMachineArn"] += "-of-somebody-else"
    assert not matches(rule["Pattern"], event)
