"""AWS Step Functions: executions of the one state machine."""

import json
from typing import Any

from botocore.exceptions import ClientError

from retraining.aws.clients import client, code, translated
from retraining.executions import from_datetime
from retraining.ports import ExecutionState


class StepFunctionsMachine:
    """The state machine; implements `retraining.ports.StateMachine`.

    Parameters
    ----------
    arn : str
        Its ARN.
    """

    def __init__(self, arn: str) -> None:
        self._arn = arn

    @classmethod
    def of_execution(cls, arn: str) -> "StepFunctionsMachine":
        """Return the state machine that an execution is one of.

        Parameters
        ----------
        arn : str
            The execution's.
        """
        return cls(arn.rpartition(":")[0].replace(":execution:", ":stateMachine:", 1))

    def start(self, name: str, request: dict[str, Any]) -> bool:
        """Start an execution; False if one of that name exists already."""
        with translated(f"Starting the execution {name}"):
            try:
                client("stepfunctions").start_execution(
                    stateMachineArn=self._arn, name=name, input=json.dumps(request)
                )
            except ClientError as error:
                if code(error) == "ExecutionAlreadyExists":
                    return False
                raise
        return True

    def describe(self, name: str) -> ExecutionState | None:
        """Return how an execution fares, None if it is not known any more."""
        arn = f"{self._arn.replace(':stateMachine:', ':execution:', 1)}:{name}"
        with translated(f"Describing the execution {name}"):
            try:
                answer = client("stepfunctions").describe_execution(executionArn=arn)
            except ClientError as error:
                if code(error) == "ExecutionDoesNotExist":
                    return None
                raise
        stopped_at = answer.get("stopDate")
        return ExecutionState(
            answer["status"],
            from_datetime(stopped_at) if stopped_at else "",
            _trigger_id(answer.get("input")),
        )


def _trigger_id(text: str | None) -> str:
    """Return the id of the trigger in an execution's input, which anybody may have written."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return ""
    trigger = value.get("trigger") if isinstance(value, dict) else None
    identity = trigger.get("id") if isinstance(trigger, dict) else None
    return identity if isinstance(identity, str) else ""
