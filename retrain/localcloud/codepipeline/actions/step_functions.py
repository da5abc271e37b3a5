"""The invoke action of Step Functions: an execution of a state machine, and its end."""

from __future__ import annotations

import time

from retrain.localcloud.codepipeline.actions.results import Result, Work
from retrain.localcloud.codepipeline.errors import ActionError
from retrain.localcloud.codepipeline.platform import Platform, refused


def run(work: Work, platform: Platform) -> Result:
    """Start the state machine and wait until it has ended."""
    states = platform.client("stepfunctions")
    prefix = work.configuration.get("ExecutionNamePrefix")
    name = f"{prefix}-{work.action_execution_id}" if prefix else work.action_execution_id
    machine = work.configuration["StateMachineArn"]
    with refused(f"Starting the execution {name}"):
        arn = states.start_execution(stateMachineArn=machine, name=name, input=_input(work, platform))[
            "executionArn"
        ]
    work.report(f"The execution {name} is under way.", arn)
    deadline = time.monotonic() + platform.settings.step_functions_action
    while True:
        with refused(f"Describing the execution {name}"):
            execution = states.describe_execution(executionArn=arn)
        if execution["status"] == "SUCCEEDED":
            variables = {"StateMachineArn": machine, "ExecutionArn": arn}
            return Result(f"The execution {name} has succeeded.", arn, variables)
        if execution["status"] != "RUNNING":
            why = ": ".join(filter(None, (execution.get("error"), execution.get("cause"))))
            raise ActionError(
                f"The execution {name} is {execution['status']}" + (f": {why}" if why else "."),
                external_id=arn,
            )
        if time.monotonic() > deadline:
            raise ActionError(f"The execution {name} takes longer than the action may.", external_id=arn)
        platform.pause(min(platform.settings.pause, 1.0))


def _input(work: Work, platform: Platform) -> str:
    given = work.configuration.get("Input", "")
    if work.configuration.get("InputType", "Literal") == "Literal":
        return given or "{}"
    return platform.file_of(work.inputs[0], given)
