"""Runs as the state machine would take them today: its definition, played in virtual time with given answers.

What the tasks answer is made up; the way through the states, its times, and the record of how it ended are
not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from retrain.localcloud import definitions
from retrain.states.errors import StatesError
from retrain.states.execution import Engine, SeededEntropy, TaskCall, VirtualClock
from retrain.states.model import parse
from retraining import executions, records
from retraining.cards.facts import Facts
from retraining.ports import EndpointState
from tests.e2e.run_card import recorded
from tests.unit.functions.states import deployed_state
from tests.workflow import machine

CHAMPION = "retrain-mnist-fedcba987654-1"
START = datetime(2026, 11, 22, 20, 0, tzinfo=UTC).timestamp()

AGREES = {"agrees": True, "verified": True, "rows": 20, "differing": 0}
DIFFERS = {"agrees": False, "verified": True, "rows": 20, "differing": 7}


@dataclass
class Story:
    """How a run goes.

    Attributes
    ----------
    looks
        Status and endpoint config that each look at the endpoint finds; ``""`` for the run's own config.
    verification
        What Verify answers, but for its sentence.
    sentence
        That sentence.
    action
        Whether the endpoint is there (``update``), or not (``create``).
    approval
        What AwaitApproval answers; None if nobody is asked.
    failure_reason
        What SageMaker says of an update that did not succeed.
    """

    looks: list[tuple[str, str]]
    verification: Mapping[str, Any] = field(default_factory=lambda: AGREES)
    sentence: str = "20 of 20 rows of the holdout are answered as the gate has seen."
    action: str = "update"
    approval: Mapping[str, Any] | None = None
    failure_reason: str = ""


UPDATING = [("Updating", CHAMPION)] * 20
STORIES = {
    "deployed by canary": Story(
        looks=[*UPDATING, ("InService", "")],
        approval={
            "granted": True,
            "reason": "Compared with last month's figures.",
            "decided_at": "2026-11-22T20:31:00Z",
            "by": "arn:aws:sts::123456789012:assumed-role/ModelApprovers/console",
        },
    ),
    "rolled back by an alarm": Story(
        looks=[*UPDATING, ("RollingBack", CHAMPION), ("InService", CHAMPION)],
        failure_reason="The alarm retrain-mnist-5xx went into ALARM during baking.",
    ),
    "taken back after verification": Story(
        looks=[*UPDATING, ("InService", ""), *UPDATING, ("InService", CHAMPION)],
        verification=DIFFERS,
        sentence="7 of 20 rows of the holdout are answered otherwise than the gate has seen, such as row 17.",
    ),
    "removed after verification": Story(
        looks=[("Creating", ""), ("InService", "")],
        verification=DIFFERS,
        sentence="7 of 20 rows of the holdout are answered otherwise than the gate has seen, such as row 17.",
        action="create",
    ),
    "not approved": Story(
        looks=[],
        approval={
            "granted": False,
            "reason": "Nobody approved the model package within 72 hours.",
            "decided_at": "2026-11-25T20:31:00Z",
            "by": "",
        },
    ),
}


class Tasks:
    """Answers the state machine's tasks; each takes some seconds."""

    def __init__(self, story: Story, clock: VirtualClock) -> None:
        self._story, self._clock = story, clock
        self._state, self._looks = deployed_state(), list(story.looks)
        self._state["rollout"]["approval"]["required"] = story.approval is not None
        self.record: dict[str, Any] = {}

    async def run(self, call: TaskCall) -> Any:
        name = call.state_name
        seconds = {"Train": 312.0, "AwaitApproval": 1100.0, "Evaluate": 4.2, "Verify": 2.5}.get(name, 0.4)
        await self._clock.sleep_until(self._clock.now() + seconds)
        if name == "AwaitApproval":
            return self._story.approval
        if name.startswith("Record"):
            return {"Payload": self._recorded(call.arguments["Payload"])}
        answer = self._answers().get(re.sub("(Deployed|Rejected|Failed|Skipped)$", "", name))
        if answer is None:
            raise StatesError("Story.Unknown", f"The story has no answer for {name}.")
        return answer()

    def _answers(self) -> dict[str, Callable[[], Any]]:
        state, story, job = self._state, self._story, self._state["job"]
        return {
            "Prepare": lambda: {"Payload": {**state, "decision": None, "job": None}},
            "Train": lambda: {
                "TrainingJobName": job["name"],
                "TrainingJobArn": job["arn"],
                "TrainingJobStatus": "Completed",
                "SecondaryStatus": "Completed",
                "BillableTimeInSeconds": 280,
                "ModelArtifacts": {"S3ModelArtifacts": job["model_data_url"]},
            },
            "Evaluate": lambda: {"Payload": {**state["decision"], **recorded_decision()}},
            "RegisterModel": lambda: {"ModelPackageArn": state["package"]["arn"]},
            "CreateModel": lambda: {"ModelArn": state["model"]["arn"]},
            "CreateEndpointConfig": lambda: {"EndpointConfigArn": state["endpoint_config"]["arn"]},
            "ClaimEndpoint": lambda: {"Payload": {**state["claim"], **self._claim()}},
            "PutErrorAlarm": dict,
            "CreateEndpoint": lambda: {"EndpointArn": state["deployment"]["arn"]},
            "UpdateEndpoint": lambda: {"EndpointArn": state["deployment"]["arn"]},
            "RestoreChampion": lambda: {"EndpointArn": state["deployment"]["arn"]},
            "DeleteFailedEndpoint": dict,
            "DescribeEndpoint": self._look,
            "Verify": lambda: {"Payload": {**story.verification, "sentence": story.sentence}},
            "CleanUp": lambda: {
                "Payload": {
                    "removed": {"runs": 1, "models": 1, "endpoint_configs": 1},
                    "kept": ["b"],
                    "warnings": [],
                }
            },
            "Report": lambda: {"Payload": {"s3_uri": "s3://artifacts/report.html"}},
            "Notify": lambda: {"Payload": {"subject": "s", "outcome": "o", "reason": "r"}},
        }

    def _claim(self) -> dict[str, Any]:
        update = self._story.action == "update"
        previous = CHAMPION if update else None
        return {"action": self._story.action, "guarded": update, "previous_endpoint_config_name": previous}

    def _look(self) -> dict[str, Any]:
        status, config = self._looks.pop(0)
        names = self._state["names"]
        return {
            "EndpointName": names["endpoint"],
            "EndpointStatus": status,
            "EndpointConfigName": config or names["endpoint_config"],
            "FailureReason": self._story.failure_reason,
        }

    def _recorded(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        execution = executions.from_payload(payload)
        finished = records.finished(
            payload["input"], execution, payload["outcome"], payload["finished_at"], stack_name="retrain"
        )
        removed = self._story.action == "create" and finished["outcome"] == records.FAILED
        config = finished["endpoint_config_name"] if finished["outcome"] == records.DEPLOYED else CHAMPION
        endpoint = (
            None if removed else EndpointState(str(finished["endpoint_name"]), "InService", str(config))
        )
        self.record = {**finished, "serving": records.serving(endpoint, None)}
        return self.record


def recorded_decision() -> dict[str, Any]:
    """The verdict of a run that was recorded, which has more in it than a made-up one."""
    return dict(recorded.facts("deployed").record["decision"])


@cache
def play(name: str) -> Facts:
    """Play a story, and give the facts for its card."""
    # In a thread of its own: where a browser is driven, an event loop runs already.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_play, name).result()


def _play(name: str) -> Facts:
    text = machine.PATH.read_text()
    values = {
        found: f"arn:aws:lambda:us-east-1:123456789012:function:{found}" for found in placeholders(text)
    }
    definition = json.loads(definitions.substitute(text, {**values, "Partition": "aws"}))
    clock = VirtualClock(START)
    tasks = Tasks(STORIES[name], clock)
    engine = Engine(tasks, clock=clock, entropy=SeededEntropy())
    execution = engine.create(parse(definition), {"dataset": {"name": "mnist"}}, name="mnist-0123456789ab-1")
    clock.run(lambda: engine.run(execution))
    if "cleanup" in (execution.output or {}):
        tasks.record["cleanup"] = execution.output["cleanup"]
    events = [{**event, "timestamp": _time(event["timestamp"])} for event in execution.history]
    evaluation = recorded.facts("deployed").evaluation
    return Facts(tasks.record, "2026-11-22T23:00:00.000Z", evaluation, events, definition)


def placeholders(text: str) -> set[str]:
    """The names of a definition's substitutions."""
    return set(re.findall(r"\$\{(\w+)\}", text))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
