"""A burst of invocations does not spend its time on starting processes, nor leave the others cold."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from retrain.localcloud import seams
from retrain.localcloud.repairs.lambda_pool import MAX_IDLE, WorkerPool, surplus

PATIENCE = 10


class Worker:
    """A worker without a process."""

    def __init__(self, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        self.func_name = func_name
        self.in_use = False
        self.last_used = 0.0
        self._proc = None


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Any:
    """MiniStack's pools, empty."""
    module = seams.module(seams.RUNTIME)
    monkeypatch.setattr(module, "_workers", {})
    monkeypatch.setattr(module, "_worker_class_for", lambda config: Worker)
    return module


def config(name: str) -> dict[str, Any]:
    return {"FunctionName": name, "FunctionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}"}


def test_whoever_finds_all_busy_gets_the_one_that_becomes_free(runtime: Any) -> None:
    pool = WorkerPool(runtime)
    pool.started(PATIENCE)
    busy, found = pool.take(config("f"), b""), []
    waiting = threading.Thread(target=lambda: found.append(pool.take(config("f"), b"")))
    waiting.start()
    pool.give_back(busy)
    waiting.join(PATIENCE)
    assert found == [busy]


def test_another_one_is_started_when_none_becomes_free_within_the_time_of_two_starts(runtime: Any) -> None:
    moments = iter([0.0, 1.0, 6.9, 7.0])
    pool = WorkerPool(runtime, clock=lambda: next(moments))
    pool.started(3.0)
    pool._freed.wait = lambda timeout: True  # type: ignore[assignment,misc]  # something else became free
    busy = pool.take(config("g"), b"")  # looks once: nobody is busy
    another = pool.take(config("g"), b"")
    assert another is not busy
    assert not list(moments)


def test_one_of_each_function_stays_warm_before_the_spare_ones_of_any() -> None:
    spare = [SimpleNamespace(last_used=100.0 + number) for number in range(MAX_IDLE)]
    others = [[SimpleNamespace(last_used=float(number))] for number in range(MAX_IDLE - 1)]
    ended = surplus([spare, *others])
    assert ended == list(reversed(spare[:-1]))


def test_what_is_busy_is_not_ended(runtime: Any) -> None:
    pool = WorkerPool(runtime)
    workers = [pool.take(config(f"f{number}"), b"") for number in range(MAX_IDLE + 3)]
    for worker in workers[2:]:
        pool.give_back(worker)
    left = [worker.func_name for each in runtime._workers.values() for worker in each]
    assert {"f0", "f1"} < {*left}
    assert len(left) == MAX_IDLE + 2
