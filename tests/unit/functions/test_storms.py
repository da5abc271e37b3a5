"""Orders, duplicates and crashes, explored: no upload is lost, and nothing is run twice.

What happens in between is chosen by hypothesis: files come, change and go; markers and manifests close
batches; events are delivered late, twice and in any order; a delivery dies before or after any of its calls,
or another one runs between two of them; runs are prepared, and end well or badly. Then everything is
delivered that is still under way, and the books are examined.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from retraining import batches, plans, preparation, requests, settings
from retraining.arrived import Upload
from retraining.errors import ContendedError, RunSlotsTakenError
from retraining.executions import Execution
from retraining.ports import Ports
from retraining.starting import Asked
from tests.exploring import examples
from tests.unit.functions import stack
from tests.unit.functions.fakes import FakeEndpoints
from tests.unit.functions.world import DATA, World

FILES = st.sampled_from("abcd")
CALLS = st.none() | st.integers(1, 14)
Message = Upload | Asked | dict[str, Any]


class CrashError(Exception):
    """The function's process has died."""


class Shaky:
    """A port with something between its caller and its calls."""

    def __init__(self, port: Any, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._port, self._before, self._after = port, before, after

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            self._before()
            answer = getattr(self._port, name)(*arguments, **options)
            self._after()
            return answer

        return call


class Storm(RuleBasedStateMachine):
    """A dataset, everything that is under way to it, and the state machine's runs."""

    def __init__(self) -> None:
        super().__init__()
        prepares, starts = "PrepareTrainingFunction", "StartRetrainingFunction"
        configured = settings.from_environment(stack.environment(prepares) | stack.environment(starts))
        self.world = World(configured)
        self.world.limit(max_runs_per_day=1000, max_concurrent_runs=2)
        self.queue: list[Message] = []
        self.delivered: list[Message] = []
        self.delayed: list[tuple[datetime, dict[str, Any]]] = []
        self.forced: set[str] = set()
        self.trained: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.prepared: set[str] = set()

    # ------------------------------------------------------------------------------------- what people do

    @rule(name=FILES, content=st.integers(0, 2))
    def put(self, name: str, content: int) -> None:
        self.queue.append(self.world.put(name, bytes([content])))

    @rule(name=FILES)
    def delete(self, name: str) -> None:
        if (DATA, f"datasets/mnist/{name}") in self.world.storage.objects:
            self.queue.append(self.world.delete(name))

    @rule()
    def close(self) -> None:
        self.queue.append(self.world.put("_SUCCESS", b""))

    @rule(names=st.sets(FILES, max_size=3))
    def list_files(self, names: set[str]) -> None:
        self.queue.append(self.world.put("manifest.json", json.dumps(sorted(names)).encode()))

    @rule(force=st.booleans())
    def wish(self, force: bool) -> None:
        self.world.events += 1
        identity = f"w{self.world.events}"
        self.queue.append(self.world.wish(identity, force=force))
        if force:
            self.forced.add(identity)

    @rule()
    def start_by_hand(self) -> None:
        self.world.events += 1
        name = f"by-hand-{self.world.events}"
        trigger = {"kind": "manual", "id": name, "time": ""}
        self.world.machine.start(name, {"dataset": {"name": "mnist"}, "trigger": trigger})

    @rule(seconds=st.integers(0, 90))
    def pass_time(self, seconds: int) -> None:
        self.world.clock.pass_by(seconds)

    # -------------------------------------------------------------------------------- what the cloud does

    @precondition(lambda self: self.delivered)
    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        self.queue.append(data.draw(st.sampled_from(self.delivered)))

    @precondition(lambda self: self.due())
    @rule(data=st.data(), crash=CALLS, after=st.booleans(), between=CALLS)
    def deliver(self, data: st.DataObject, crash: int | None, after: bool, between: int | None) -> None:
        message = data.draw(st.sampled_from(self.due()))
        self.handle(message, crash, after=after, between=between)

    @precondition(lambda self: self.world.machine.states)
    @rule(data=st.data(), succeeds=st.booleans(), crash=CALLS, after=st.booleans())
    def advance(self, data: st.DataObject, succeeds: bool, crash: int | None, after: bool) -> None:
        run_id = data.draw(st.sampled_from(sorted(self.world.machine.states)))
        self.go_on(run_id, succeeds=succeeds, crash=crash, after=after)

    def due(self) -> list[Message]:
        now = self.world.clock()
        return [*self.queue, *(message for moment, message in self.delayed if moment <= now)]

    def handle(
        self, message: Message, crash: int | None = None, *, after: bool = False, between: int | None = None
    ) -> None:
        """Deliver a message; it comes again if its delivery breaks off."""
        try:
            self.act(message, self.shaky(crash, after=after, between=between))
        except (CrashError, ContendedError):
            self.world.clock.pass_by(15)  # so long a queue keeps a message back that was not answered for
            return
        finally:
            self.collect()
        if isinstance(message, dict):
            self.delayed = [entry for entry in self.delayed if entry[1] is not message]
        else:
            if message in self.queue:
                self.queue.remove(message)
            self.delivered.append(message)

    def act(self, message: Message, ports: Ports) -> None:
        world = self.world
        if isinstance(message, Upload):
            if message.is_marker:
                batches.close_by_marker(message, world.settings, ports)
            else:
                batches.note(message.dataset, [message], world.settings, ports)
        elif isinstance(message, Asked):
            World.ask(replace_ports(world, ports), message)
        else:
            World.deliver(replace_ports(world, ports), message)

    def shaky(self, crash: int | None, *, after: bool = False, between: int | None = None) -> Ports:
        calls = 0

        def before_call() -> None:
            nonlocal calls
            calls += 1
            if between == calls and self.queue:
                self.handle(self.queue[-1])
            if crash == calls and not after:
                raise CrashError

        def after_call() -> None:
            if crash == calls and after:
                raise CrashError

        ports = self.world.ports
        names = ("storage", "ledger", "machine", "registry", "delays", "topic")
        return replace(
            ports, **{name: Shaky(getattr(ports, name), before_call, after_call) for name in names}
        )

    def collect(self) -> None:
        now = self.world.clock()
        for message, seconds in self.world.delays.messages:
            self.delayed.append((now + timedelta(seconds=seconds), message))
        self.world.delays.messages.clear()

    def go_on(self, run_id: str, *, succeeds: bool, crash: int | None = None, after: bool = False) -> None:
        """Prepare a run, or end it."""
        world, record = self.world, self.world.ledger.runs.get(run_id)
        if world.machine.states[run_id].status != "RUNNING":
            return
        if run_id not in self.prepared:
            execution = Execution(f"arn:{run_id}", run_id, world.clock().isoformat())
            request, ports = world.machine.requests[run_id], self.shaky(crash, after=after)
            try:
                state = preparation.prepare(request, execution, world.settings, ports, FakeEndpoints())
            except (CrashError, ContendedError, RunSlotsTakenError):
                return  # the state machine tries again
            except Exception as error:  # noqa: BLE001 - whatever it is, Catch leads to Record
                outcome = {"outcome": "FAILED", "reason": str(error), "retrain_key": None}
                self.end(run_id, {"run_id": run_id, **outcome}, "FAILED")
                return
            self.prepared.add(run_id)
            if state["skip"]["skipped"]:
                self.end(run_id, {**world.ledger.runs[run_id], "outcome": "SKIPPED"}, "SUCCEEDED")
            else:
                self.trained[state["run"]["retrain_key"]] += 1
            return
        assert record is not None
        if not succeeds:
            self.failed[record["retrain_key"]] += 1
        outcome, status = ("REJECTED", "SUCCEEDED") if succeeds else ("FAILED", "FAILED")
        self.end(run_id, {**record, "outcome": outcome}, status)

    def end(self, run_id: str, record: dict[str, Any], status: str) -> None:
        now = self.world.clock()
        self.world.ledger.put_run({**record, "finished_at": now.isoformat()})
        self.world.machine.end(run_id, status, now)

    # ------------------------------------------------------------------------------------------- in the end

    def teardown(self) -> None:
        for _ in range(1_000):
            for run_id in sorted(self.world.machine.states):
                self.go_on(run_id, succeeds=True)
                self.go_on(run_id, succeeds=True)
            if due := self.due():
                self.handle(due[0])
            elif self.delayed:
                self.world.clock.now = min(moment for moment, _ in self.delayed)
            else:
                break
        else:
            raise AssertionError("Messages go round and round.")
        self.nothing_was_run_twice()
        self.nothing_was_lost()

    def nothing_was_run_twice(self) -> None:
        triggers = Counter(request["trigger"]["id"] for request in self.world.machine.requests.values())
        assert all(count == 1 for count in triggers.values()), triggers
        for key, count in self.trained.items():
            assert count <= 1 + self.failed[key] + len(self.forced), (count, self.failed[key])

    def nothing_was_lost(self) -> None:
        world = self.world
        batch = world.ledger.get_batch("mnist")
        waits_for_files = batch is not None and batch.manifest is not None
        for record in world.ledger.triggers.values():
            assert record["result"] != "starting"
            # Of two manifests that are looked at side by side, one may go on saying that it waits.
            assert record["result"] != "waiting" or record["trigger"]["kind"] == "s3"
        asked = {request["trigger"]["id"] for request in world.machine.requests.values()}
        for run_id, request in world.machine.requests.items():
            kind, identity = request["trigger"]["kind"], request["trigger"]["id"]
            if kind == "manual":
                continue
            record = world.ledger.triggers[f"{kind}#{identity}"]
            assert (record["result"], record["run_id"]) == ("started", run_id)
        files = [key for _, key in world.storage.objects if key.startswith("datasets/")]
        data = [key for key in files if not key.endswith(("_SUCCESS", "manifest.json"))]
        if data and batch is not None and not waits_for_files:
            assert not batch.is_open
            assert self.final_key() in self.trained, "the last upload was never trained on"
        decided = {record["trigger"]["id"]: record["result"] for record in world.ledger.triggers.values()}
        assert {wish for wish in self.forced if decided.get(wish) != "empty"} <= asked

    def final_key(self) -> str:
        world = self.world
        request = requests.parse({"dataset": {"name": "mnist"}}, plans.request_policy(world.settings))
        ports = world.ports
        return preparation.examine(
            request, world.settings, ports.storage, ports.registry, ports.ledger, ports.clock
        ).key


class _Replaced(World):
    """The same world behind other ports."""

    def __init__(self, world: World, ports: Ports) -> None:
        self.__dict__.update(world.__dict__)
        self._ports = ports

    @property
    def ports(self) -> Ports:
        return self._ports


def replace_ports(world: World, ports: Ports) -> World:
    return _Replaced(world, ports)


TestStorms = Storm.TestCase
TestStorms.settings = profile(
    max_examples=examples(200),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
