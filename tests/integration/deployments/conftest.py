"""Stacks whose models behave as their data says, and people who use their endpoints all the while."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.outcomes.conftest import People, Told, open_stack

__all__ = ["open_stack"]

IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/told-model:local"
HOLDOUT_ROWS = 100


@dataclass(frozen=True)
class Asked:
    """One request, and what became of it: who answered, or why nobody did."""

    began: float
    ended: float
    name: str = ""
    error: str = ""


@dataclass(frozen=True)
class Live:
    """One dataset of a stack, and the endpoint that serves its model."""

    people: People
    stack_name: str
    dataset: str

    @property
    def endpoint(self) -> str:
        return f"{self.stack_name}-{self.dataset}"

    def train(self, name: str, **behaviour: Any) -> Told:
        """Upload the data of a model that behaves so, and wait until people are told what came of it."""
        content = json.dumps({"name": name, **behaviour}).encode()
        return self.people.upload(self.dataset, {"behaviour.json": content})

    def describe(self) -> dict[str, Any] | None:
        """The endpoint, if there is one."""
        sagemaker = self.people.aws("sagemaker")
        names = [found["EndpointName"] for found in sagemaker.list_endpoints()["Endpoints"]]
        if self.endpoint not in names:
            return None
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=self.endpoint)
        return found

    def ask(self, body: str = "7") -> dict[str, Any]:
        """Ask the endpoint about a row."""
        answer = self.people.aws("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.endpoint, ContentType="text/plain", Body=body
        )
        found: dict[str, Any] = json.load(answer["Body"])
        return found

    def champion(self) -> str | None:
        """The run that the ledger has as the endpoint's champion."""
        item = (
            self.people.aws("dynamodb")
            .get_item(
                TableName=self.people.outputs["LedgerTableName"],
                Key={"pk": {"S": f"ENDPOINT#{self.endpoint}"}, "sk": {"S": "CHAMPION"}},
            )
            .get("Item")
        )
        return str(item["run_id"]["S"]) if item else None

    def alarm(self) -> str:
        """The state of the alarm on the endpoint's errors."""
        (alarm,) = self.people.aws("cloudwatch").describe_alarms(AlarmNames=[f"{self.endpoint}-5xx"])[
            "MetricAlarms"
        ]
        return str(alarm["StateValue"])

    @contextmanager
    def under_load(self, clients: int = 3) -> Iterator[list[Asked]]:
        """Ask again and again while the block runs; gives the list in which the requests are kept."""
        asked: list[Asked] = []
        done = threading.Event()

        def ask_on() -> None:
            runtime = self.people.aws("sagemaker-runtime")
            while not done.is_set():
                began = time.monotonic()
                try:
                    answer = runtime.invoke_endpoint(
                        EndpointName=self.endpoint, ContentType="text/plain", Body="7"
                    )
                    name, error = str(json.load(answer["Body"])["name"]), ""
                except runtime.exceptions.ClientError as refused:
                    name, error = "", str(refused)
                asked.append(Asked(began, time.monotonic(), name, error))

        with ThreadPoolExecutor(clients) as pool:
            asking = [pool.submit(ask_on) for _ in range(clients)]
            try:
                yield asked
            finally:
                done.set()
        for future in asking:
            future.result()

    @contextmanager
    def watched(self) -> Iterator[list[tuple[float, str]]]:
        """Look at the endpoint again and again while the block runs; gives when it was in which stage."""
        seen: list[tuple[float, str]] = []
        done = threading.Event()

        def look() -> None:
            sagemaker = self.people.aws("sagemaker")
            while not done.wait(0.05):
                found = sagemaker.describe_endpoint(EndpointName=self.endpoint)
                pending = found.get("PendingDeploymentSummary", {}).get("ProductionVariants", [{}])
                stages = [entry["StatusMessage"] for entry in pending[0].get("VariantStatus", [])]
                seen.append((time.monotonic(), " ".join([found["EndpointStatus"], *stages])))

        with ThreadPoolExecutor(1) as pool:
            looking = pool.submit(look)
            try:
                yield seen
            finally:
                done.set()
        looking.result()


def span(seen: list[tuple[float, str]], words: str) -> tuple[float, float]:
    """From when to when the endpoint was seen in a stage with these words."""
    times = [at for at, stage in seen if words in stage]
    assert times, f"never seen {words!r}, but {dict.fromkeys(stage for _, stage in seen)}"
    return times[0], times[-1]


@pytest.fixture(scope="session")
def open_live(open_stack: Callable[..., People]) -> Callable[..., Callable[[str], Live]]:
    """Deploy a stack with such models; gives what makes a dataset of it, with a holdout."""

    def opened(stack_name: str, **parameters: str) -> Callable[[str], Live]:
        people = open_stack(stack_name, TrainingImageUri=IMAGE, **parameters)

        def live(dataset: str) -> Live:
            rows = "\n".join(f"{row},{row % 10}" for row in range(HOLDOUT_ROWS))
            people.put_holdout(dataset, {"labels.csv": f"id,label\n{rows}\n".encode()})
            return Live(people, stack_name, dataset)

        return live

    return opened


@pytest.fixture(scope="session")
def guarded(open_live: Callable[..., Callable[[str], Live]]) -> Callable[[str], Live]:
    """A stack whose updates go by canary, and bake long enough to be looked at."""
    return open_live(
        "guarded",
        CanaryPercent="20",
        BakingSeconds="3",
        TerminationWaitSeconds="1",
        RollbackOnLatencyMs="60000",
    )


@pytest.fixture(scope="session")
def stepwise(open_live: Callable[..., Callable[[str], Live]]) -> Callable[[str], Live]:
    """A stack whose updates go in two steps, quickly."""
    return open_live(
        "stepwise",
        DeploymentStrategy="linear",
        LinearStepPercent="50",
        BakingSeconds="1",
        TerminationWaitSeconds="0",
    )
