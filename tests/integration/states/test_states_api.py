"""The Step Functions API over HTTP, as SDKs and the AWS CLI use it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.integration.definitions import Aws, History, Run, call, machine


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("codedeploy", "list_applications"),
        ("bedrock", "list_foundation_models"),
        ("redshift", "describe_clusters"),
    ],
)
def test_a_service_that_is_not_there_says_so_at_once(aws: Aws, service: str, operation: str) -> None:
    begun = time.monotonic()
    with pytest.raises(ClientError, match=r"NotImplementedException.*does not have the service"):
        getattr(aws(service), operation)()
    assert time.monotonic() - begun < 3


class TestApi:
    DANGLING = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nowhere"}}}'

    def test_a_dangling_next_is_refused(self, aws: Aws) -> None:
        with pytest.raises(
            ClientError, match=r"InvalidDefinition.*MISSING_TRANSITION_TARGET.*Nowhere.*/States/A/Next"
        ):
            aws("stepfunctions").create_state_machine(
                name="dangling", definition=self.DANGLING, roleArn="arn:aws:iam::000000000000:role/test"
            )

    def test_a_machine_keeps_its_definition_when_the_new_one_is_refused(
        self, aws: Aws, mends: dict[str, str]
    ) -> None:
        states = aws("stepfunctions")
        before = states.describe_state_machine(stateMachineArn=mends["Machine"])["definition"]
        with pytest.raises(ClientError, match="InvalidDefinition"):
            states.update_state_machine(stateMachineArn=mends["Machine"], definition=self.DANGLING)
        assert states.describe_state_machine(stateMachineArn=mends["Machine"])["definition"] == before

    def test_validation_says_the_same(self, aws: Aws) -> None:
        answer = aws("stepfunctions").validate_state_machine_definition(definition=self.DANGLING)
        assert answer["result"] == "FAIL"
        assert "Nowhere" in answer["diagnostics"][0]["message"]

    def test_starting_twice_with_one_name(self, aws: Aws, start: Callable[..., str], outcome: Run) -> None:
        states = aws("stepfunctions")
        definition = machine(("Wait", {"Type": "Wait", "Seconds": 60}))
        arn = start(definition, {"a": 1}, name="once")
        target = states.describe_execution(executionArn=arn)["stateMachineArn"]
        assert start(target, {"a": 1}, name="once") == arn
        with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
            start(target, {"a": 2}, name="once")
        states.stop_execution(executionArn=arn)
        outcome(arn)
        with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
            start(target, {"a": 1}, name="once")

    @pytest.mark.parametrize(
        ("request_fields", "code"),
        [
            ({"name": "a b"}, "InvalidName"),
            ({"name": "x" * 81}, "InvalidName"),
            ({"input": "{"}, "InvalidExecution"),
        ],
    )
    def test_bad_requests_to_start(
        self, aws: Aws, mends: dict[str, str], request_fields: dict[str, str], code: str
    ) -> None:
        with pytest.raises(ClientError, match=code):
            aws("stepfunctions").start_execution(stateMachineArn=mends["Machine"], **request_fields)

    def test_the_history_has_awss_events(self, mends: dict[str, str], run: Run, history: History) -> None:
        events = history(run(mends["Machine"], {})["executionArn"])
        assert [event["type"] for event in events] == [
            "ExecutionStarted",
            "TaskStateEntered",
            "TaskScheduled",
            "TaskStarted",
            "TaskSucceeded",
            "TaskStateExited",
            "ExecutionSucceeded",
        ]
        scheduled = events[2]["taskScheduledEventDetails"]
        assert (scheduled["resourceType"], scheduled["resource"]) == ("lambda", "invoke")

    def test_results_above_the_limit(self, mends: dict[str, str], run: Run) -> None:
        task = call(
            mends["FunctionArn"],
            {"filler": "x" * 140_000},
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": "A"}],
        )
        # The function gives its event back, beside its environment: two of them are above 256 KiB.
        doubled = {**task["Parameters"], "Payload": {"filler": "x" * 262_200}}
        described = run(machine(("Call", {**task, "Parameters": doubled}), ("A", {"Type": "Pass"})))
        assert (described["status"], described["error"]) == ("FAILED", "States.DataLimitExceeded")
