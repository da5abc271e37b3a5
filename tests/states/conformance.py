"""Runs a conformance case on the engine, in virtual time, and says where the two differ."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from retrain.states.errors import StatesError
from retrain.states.execution import (
    Engine,
    Execution,
    NotRedrivableError,
    SeededEntropy,
    StoredObject,
    TaskCall,
    TaskTokens,
    VirtualClock,
)
from retrain.states.model import parse
from retrain.states.validation import validate
from tests.states.casefiles import Case


class Answers:
    """A task runner that answers as a case says, and keeps what it was asked."""

    def __init__(self, answers: Mapping[str, Sequence[Mapping[str, Any]]], clock: VirtualClock) -> None:
        self.left = {key: list(each) for key, each in answers.items()}
        self.calls: dict[str, list[Any]] = defaultdict(list)
        self.unanswered: list[str] = []
        self._clock = clock
        self.tokens: TaskTokens | None = None
        self._background: set[asyncio.Task[None]] = set()

    async def run(self, call: TaskCall) -> Any:
        key = call.state_name if call.state_name in self.left else call.resource
        self.calls[call.state_name].append(call.arguments)
        if call.resource != call.state_name:
            self.calls[call.resource].append(call.arguments)
        if not self.left.get(key):
            self.unanswered.append(call.state_name)
            raise StatesError("Case.NoAnswerLeft", f"no answer is left for {call.state_name}")
        answer = self.left[key].pop(0)
        if call.token is None:
            return await self._answer(answer)
        call.history.submitted({})
        task = asyncio.ensure_future(self._answer_token(answer, call.token.value))
        try:
            return await call.token.wait()
        finally:
            task.cancel()

    async def _answer(self, answer: Mapping[str, Any]) -> Any:
        if "forever" in answer:
            await asyncio.get_running_loop().create_future()
        if "after_seconds" in answer:
            await self._clock.sleep_until(self._clock.now() + answer["after_seconds"])
        if "throw" in answer:
            raise StatesError(answer["throw"]["error"], answer["throw"]["cause"])
        if long := answer.get("return_text"):
            return long["repeat"] * long["times"]
        return answer["return"]

    async def _answer_token(self, answer: Mapping[str, Any], token: str) -> None:
        assert self.tokens is not None
        beats = asyncio.ensure_future(self._beat(answer.get("heartbeats_seconds", ()), token))
        try:
            self.tokens.succeed(token, await self._answer(answer))
        except StatesError as error:
            self.tokens.fail(token, error.error, error.cause)
        finally:
            beats.cancel()

    async def _beat(self, seconds: Sequence[float], token: str) -> None:
        assert self.tokens is not None
        began = self._clock.now()
        for each in seconds:
            await self._clock.sleep_until(began + each)
            self.tokens.heartbeat(token)


class Objects:
    """S3 as a case has it."""

    def __init__(self, objects: Mapping[str, str]) -> None:
        self.objects = {key: text.encode() for key, text in objects.items()}

    async def read_object(self, bucket: str, key: str, version: str | None = None) -> bytes:
        try:
            return self.objects[f"{bucket}/{key}"]
        except KeyError:
            raise StatesError("S3.NoSuchKey", "The specified key does not exist.") from None

    async def list_objects(self, bucket: str, prefix: str, limit: int | None = None) -> list[StoredObject]:
        start = f"{bucket}/{prefix}"
        found = [key for key in sorted(self.objects) if key.startswith(start)]
        return [
            StoredObject(
                {
                    "Key": key.removeprefix(f"{bucket}/"),
                    "Size": len(self.objects[key]),
                    "ETag": '"0"',
                    "LastModified": 0.0,
                    "StorageClass": "STANDARD",
                }
            )
            for key in found[:limit]
        ]

    async def write_object(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        self.objects[f"{bucket}/{key}"] = body


def differences(case: Case) -> Iterator[str]:
    """Yield, in words, everything in which the engine differs from what the case expects."""
    content = case.content
    said = [
        each
        for each in validate(content["definition"], kind=content.get("kind", "STANDARD"))
        if each.severity == "ERROR"
    ]
    if case.refused:
        yield from _refusal(case.expect["refused"], [str(each) for each in said])
        return
    if said:
        yield f"the definition is refused: {'; '.join(map(str, said))}"
        return
    yield from _run(case)


def execute(case: Case, **engine: Any) -> tuple[Execution, Answers]:
    """Run a case's machine once, redrives left aside."""
    clock = VirtualClock()
    answers, machinery = _engine(case, clock, **engine)
    execution = _create(case, machinery)
    clock.run(lambda: machinery.run(execution))
    return execution, answers


def _engine(case: Case, clock: VirtualClock, **more: Any) -> tuple[Answers, Engine]:
    answers = Answers(case.content.get("tasks", {}), clock)
    engine = Engine(
        answers, clock=clock, entropy=SeededEntropy(), items=Objects(case.content.get("objects", {})), **more
    )
    answers.tokens = engine.tokens
    return answers, engine


def _create(case: Case, engine: Engine) -> Execution:
    express = case.content.get("kind") == "EXPRESS"
    return engine.create(
        parse(case.content["definition"]), case.content.get("input", {}), name="conformance", express=express
    )


def _run(case: Case) -> Iterator[str]:
    clock = VirtualClock()
    answers, engine = _engine(case, clock)
    execution = _create(case, engine)
    clock.run(lambda: engine.run(execution))
    yield from _outcome(case.expect, execution, execution.started)
    for redrive in case.content.get("redrives", ()):
        try:
            engine.redrive(execution)
        except NotRedrivableError as error:
            if "refused" not in redrive["expect"]:
                yield f"the redrive is refused: {error}"
            continue
        if "refused" in redrive["expect"]:
            yield "the redrive is not refused"
            continue
        began = clock.now()
        clock.run(lambda: engine.run(execution))
        yield from _outcome(redrive["expect"], execution, began)
    for name in answers.unanswered:
        yield f"no answer was left for {name}"
    for name, calls in case.content.get("calls", {}).items():
        if (asked := answers.calls.get(name, [])) != calls:
            yield f"{name} was called with {asked}, not {calls}"


def _outcome(expect: Mapping[str, Any], execution: Execution, began: float) -> Iterator[str]:
    if execution.status != expect["status"]:
        what = (
            execution.output if execution.status == "SUCCEEDED" else f"{execution.error}: {execution.cause}"
        )
        yield f"it is {execution.status} ({what}), not {expect['status']}"
        return
    if "output" in expect and not same(execution.output, expect["output"]):
        yield f"the output is {execution.output!r}, not {expect['output']!r}"
    if "error" in expect and execution.error != expect["error"]:
        yield f"the error is {execution.error} ({execution.cause}), not {expect['error']}"
    if "cause_contains" in expect and expect["cause_contains"] not in (execution.cause or ""):
        yield f"the cause is {execution.cause!r}, without {expect['cause_contains']!r}"
    waited = (execution.stopped or 0.0) - began
    if "waited_seconds" in expect and abs(waited - expect["waited_seconds"]) > 1e-3:
        yield f"it took {waited} seconds, not {expect['waited_seconds']}"
    if "waited_at_most" in expect and waited > expect["waited_at_most"]:
        yield f"it took {waited} seconds, more than {expect['waited_at_most']}"
    types = execution.history.types()
    if "history" in expect and types != expect["history"]:
        yield f"the history is {types}, not {expect['history']}"
    if "history_contains" in expect and not _in_order(expect["history_contains"], types):
        yield f"the history {types} does not contain {expect['history_contains']} in this order"


def same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal: numbers by value, booleans never numbers."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return (type(one) is type(other) and one == other) or (_numbers(one, other) and one == other)


def _numbers(*values: Any) -> bool:
    return all(isinstance(each, int | float) for each in values)


def _in_order(wanted: Sequence[str], types: Sequence[str]) -> bool:
    left = iter(types)
    return all(each in left for each in wanted)


def _refusal(parts: Sequence[str], said: Sequence[str]) -> Iterator[str]:
    if not said:
        yield "the definition is not refused"
    elif not any(all(part in each for part in parts) for each in said):
        yield f"it is refused for other reasons than {parts}: {said}"
