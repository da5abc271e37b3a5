"""Two other readers of what the engine records: one that looks on while it runs, and botocore's own."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import botocore.session
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

from retrain.states.execution import Execution
from retrain.states.timeline import Timeline, Visit

_OPERATION = (
    botocore.session.Session().get_service_model("stepfunctions").operation_model("GetExecutionHistory")
)


class Onlooker:
    """Follows the journals of an execution, change by change, as somebody who never reads a history."""

    def __init__(self) -> None:
        self.seen: dict[int, dict[str, Any]] = {}
        self._at: dict[tuple[Any, ...], int] = {}

    def __call__(self, execution: Execution) -> None:
        """Take in a change; child executions have histories of their own and are left aside."""
        if execution.map_run is not None:
            return
        now = execution.clock()
        for path, frame in _frames(json.loads(json.dumps(execution.journal()["frame"])), ()):
            number = frame.get("entered_id")
            before = self._at.get(path)
            if before is not None and before != number and before in self.seen:
                self._leave(self.seen[before], now, frame["input"])
                del self._at[path]
            if number:
                self._at[path] = number
                seen = self.seen.setdefault(
                    number, {"state": frame["state"], "entered": frame["entered"], "input": frame["input"]}
                )
                seen["retries"] = _retries(frame)
                seen["pause"] = _pause(frame)

    @staticmethod
    def _leave(seen: dict[str, Any], now: float, output: Any) -> None:
        if "left" not in seen:
            seen["left"] = (now, output)
            # Nothing tells of an attempt that fails before it begins: it was made if the pause was over.
            seen["retries"] += seen["pause"] is not None and seen["pause"] <= now

    def faults(self, timeline: Timeline) -> Iterator[str]:
        """Yield where a timeline, which was read from the history alone, tells something else."""
        visits = {visit.entered_id: visit for visit in timeline.visits}
        if missing := self.seen.keys() ^ visits.keys():
            yield f"only one of the two has the entries {sorted(missing)}"
        for number in self.seen.keys() & visits.keys():
            yield from self._visit(self.seen[number], visits[number])

    @staticmethod
    def _visit(seen: Mapping[str, Any], visit: Visit) -> Iterator[str]:
        told = {
            "state": visit.state,
            "entered": visit.entered,
            "input": visit.input,
            "retries": visit.retries,
        }
        if seen.get("left"):
            told["left"] = (visit.exited, visit.output)
        for what, value in seen.items():
            if what != "pause" and told[what] != value:
                yield f"{visit.path}: {what} was {value}, the history says {told[what]}"


def _frames(
    frame: Mapping[str, Any], path: tuple[Any, ...]
) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any]]]:
    yield path, frame
    fork = frame.get("fork")
    for position, inner in (fork["running"] if fork else {}).items():
        yield from _frames(inner, (*path, frame["entered_id"], _retries(frame), position))


def _pause(frame: Mapping[str, Any]) -> float | None:
    """Return when the pause before the next attempt ends, if a frame's state is in one."""
    return (frame.get("note") or {}).get("until") if sum(frame.get("retries") or [0]) else None


def _retries(frame: Mapping[str, Any]) -> int:
    """Return how often a frame's state has been tried again; the attempt after a pause is none yet."""
    return sum(frame.get("retries") or [0]) - (_pause(frame) is not None)


def losses(events: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what is lost when events go over the wire as the API's JSON and boto3 parses them."""
    shape = _OPERATION.output_shape
    body = json.dumps({"events": events}).encode()
    parsed = create_parser("json").parse({"body": body, "headers": {}, "status_code": 200}, shape)
    for given, taken in zip(events, parsed["events"], strict=True):
        expected = {**given, "timestamp": datetime.fromtimestamp(given["timestamp"], UTC)}
        if expected != taken:
            yield f"{given} is parsed as {taken}"
    report = ParamValidator().validate({"events": parsed["events"]}, shape)
    if report.has_errors():
        yield report.generate_report()


def misnumbered(events: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what is wrong with ids, previous ids and times."""
    for number, event in enumerate(events, start=1):
        if event["id"] != number:
            yield f"event {number} has the id {event['id']}"
        if not 0 <= event["previousEventId"] < number:
            yield f"event {number} follows {event['previousEventId']}"
    times = [event["timestamp"] for event in events]
    if times != sorted(times):
        yield "time runs backwards"
