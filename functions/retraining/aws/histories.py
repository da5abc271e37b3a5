"""AWS Step Functions: what it remembers of executions."""

import json
from typing import Any

from retraining.aws.clients import client, translated


class StepFunctionsHistories:
    """Histories and definitions of executions; implements `retraining.reports.Histories`."""

    def events(self, execution_arn: str) -> list[dict[str, Any]]:
        """Return an execution's events, oldest first, without the data that went through its states.

        An execution has at most 25,000 events, and its data could be megabytes.
        """
        request: dict[str, Any] = {
            "executionArn": execution_arn,
            "maxResults": 1000,
            "includeExecutionData": False,
        }
        found: list[dict[str, Any]] = []
        while True:
            with translated(f"Reading the history of {execution_arn}"):
                page = client("stepfunctions").get_execution_history(**request)
            found += page["events"]
            if not page.get("nextToken"):
                return found
            request["nextToken"] = page["nextToken"]

    def definition(self, execution_arn: str) -> dict[str, Any]:
        """Return the definition of the state machine, as it was when the execution began."""
        with translated(f"Describing the state machine of {execution_arn}"):
            answer = client("stepfunctions").describe_state_machine_for_execution(executionArn=execution_arn)
        definition: dict[str, Any] = json.loads(answer["definition"])
        return definition
