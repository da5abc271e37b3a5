"""A stack in memory that things arrive at: a bucket, both queues as far as they matter, and the ledger."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from retraining import arrivals, batches, delayed, starting
from retraining.arrived import Check, Upload
from retraining.ports import Ports
from retraining.settings import Settings
from retraining.starting import Answer, Asked
from tests.unit.functions import stack
from tests.unit.functions.fakes import (
    FakeClock,
    FakeDelays,
    FakeLedger,
    FakeMachine,
    FakeRegistry,
    FakeStorage,
    FakeTopic,
)

DATA = stack.NAMES["DataBucket"]


@dataclass
class World:
    """Everything that start_retraining touches."""

    settings: Settings
    storage: FakeStorage = field(default_factory=FakeStorage)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    machine: FakeMachine = field(default_factory=FakeMachine)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    delays: FakeDelays = field(default_factory=FakeDelays)
    topic: FakeTopic = field(default_factory=FakeTopic)
    clock: FakeClock = field(default_factory=FakeClock)
    events: int = 0

    def __post_init__(self) -> None:
        self.storage.put(DATA, "holdout/mnist/labels.csv", b"id,label\n0,1\n")

    @property
    def ports(self) -> Ports:
        return Ports(
            self.storage, self.ledger, self.machine, self.registry, self.delays, self.topic, self.clock
        )

    @property
    def runs(self) -> list[str]:
        return list(self.machine.requests)

    def limit(self, **limits: int) -> None:
        self.settings = replace(self.settings, guards=replace(self.settings.guards, **limits))

    def put(self, name: str, content: bytes = b"x", dataset: str = "mnist") -> Upload:
        """Put a file into the bucket; give its event."""
        self.storage.put(DATA, f"datasets/{dataset}/{name}", content, self.clock())
        return self.event(name, dataset)

    def delete(self, name: str, dataset: str = "mnist") -> Upload:
        """Delete a file; give its event."""
        self.storage.delete(DATA, f"datasets/{dataset}/{name}")
        return replace(self.event(name, dataset), is_deletion=True)

    def event(self, name: str, dataset: str = "mnist") -> Upload:
        self.events += 1
        moment = self.clock().replace(microsecond=0)
        return Upload(dataset, name, is_deletion=False, time=moment, event_id=f"e{self.events}")

    def note(self, *uploads: Upload) -> None:
        """Deliver events of files."""
        batches.note(uploads[0].dataset, uploads, self.settings, self.ports)

    def close(self, marker: Upload) -> Answer | None:
        """Deliver the event of a marker."""
        return batches.close_by_marker(marker, self.settings, self.ports)

    def wait(self, seconds: float) -> list[Answer]:
        """Let time pass, and deliver what comes out of the delay queue meanwhile, each at its time."""
        answers, until = [], self.clock.now + timedelta(seconds=seconds)
        while self.delays.messages:
            due = [
                (sent + timedelta(seconds=delay), position)
                for position, (_, delay, sent) in enumerate(self._dated())
            ]
            moment, position = min(due)
            if moment > until:
                break
            self.clock.now = max(self.clock.now, moment)
            message, _ = self.delays.messages.pop(position)
            self._sent.pop(position)
            answer = self.deliver(message)
            if answer is not None:
                answers.append(answer)
        self.clock.now = until
        return answers

    def deliver(self, message: dict[str, Any]) -> Answer | None:
        """Deliver a message of the delay queue."""
        kind = (message["source"], message["detail-type"])
        arrival = arrivals.read_delayed(kind, message)
        if isinstance(arrival, Check):
            return batches.check(arrival.dataset, self.settings, self.ports)
        assert isinstance(arrival, Asked)
        return self.ask(arrival)

    def ask(self, asked: Asked) -> Answer:
        return starting.ask(asked, self.settings, self.ports)

    def wish(self, identity: str = "w1", kind: str = "event", **payload: Any) -> Asked:
        """A wish for a run of mnist."""
        request = {"dataset": {"name": "mnist"}, **payload}
        return Asked(request, kind, identity, self.clock().isoformat())

    _sent: list[Any] = field(default_factory=list)

    def _dated(self) -> list[tuple[dict[str, Any], int, Any]]:
        """The delayed messages with the times at which they were sent; those that are new were sent now."""
        while len(self._sent) < len(self.delays.messages):
            self._sent.append(self.clock.now)
        return [
            (message, delay, sent)
            for (message, delay), sent in zip(self.delays.messages, self._sent, strict=True)
        ]


__all__ = ["DATA", "World", "delayed"]
