"""Which processes of functions are kept warm, and when another one is started.

MiniStack starts another process whenever all of a function's are busy, and keeps them all. To start one takes
the processor longer than most invocations do, so that a burst would spend its time on starts.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from retrain.localcloud import seams

MAX_IDLE = 16
"""How many processes are kept warm without work; each takes about 50 MB. A run of the stack uses ten."""

FIRST_START_SECONDS = 0.5
"""What a start is thought to take before there has been one."""

_WORTH = 2
"""An invocation waits for a busy process so many times as long as a start takes before it has its own."""

seams.expect(seams.RUNTIME, "acquire_worker", "func_name config code_zip qualifier max_concurrency")
seams.expect(seams.RUNTIME, "release_worker", "worker")
seams.expect(seams.RUNTIME, "kill_workers", "workers")
seams.expect(seams.RUNTIME, "_worker_key", "func_name config qualifier")
seams.expect(seams.RUNTIME, "_workers", None)
seams.expect(seams.RUNTIME, "_lock", None)


class WorkerPool:
    """MiniStack's workers, lent out sparingly.

    Parameters
    ----------
    runtime
        MiniStack's module that keeps them.
    clock
        Seconds of any origin.
    """

    def __init__(self, runtime: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime = runtime
        self._clock = clock
        self._freed = threading.Condition()
        self._start_seconds = FIRST_START_SECONDS

    def take(self, config: dict[str, Any], code_zip: bytes) -> Any:
        """Return a worker of a function: one that is free or soon will be, else a new one.

        A function may invoke itself and wait for the answer; therefore nobody waits for ever.
        """
        name, qualifier = config["FunctionName"], config.get("Version", "$LATEST")
        key = self._runtime._worker_key(name, config, qualifier)
        with self._freed:
            deadline = self._clock() + _WORTH * self._start_seconds
            while self._all_busy(key) and (left := deadline - self._clock()) > 0:
                self._freed.wait(left)
            worker, _ = self._runtime.acquire_worker(name, config, code_zip, qualifier=qualifier)
        return worker

    def give_back(self, worker: Any) -> None:
        """Take a worker back, and end those that are too many."""
        with self._freed:
            self._runtime.release_worker(worker)
            self._freed.notify_all()
        with self._runtime._lock:
            pools = self._runtime._workers
            ended = surplus([worker for worker in pool if not worker.in_use] for pool in pools.values())
            for pool in pools.values():
                pool[:] = [worker for worker in pool if worker not in ended]
        self._runtime.kill_workers(ended)

    def started(self, seconds: float) -> None:
        """Note how long the start of a process has taken: on a busy computer it is worth waiting longer."""
        self._start_seconds = seconds

    def _all_busy(self, key: str) -> bool:
        with self._runtime._lock:
            pool = self._runtime._workers.get(key, [])
            return bool(pool) and all(worker.in_use for worker in pool)


def surplus(idle: Iterable[list[Any]]) -> list[Any]:
    """Return the idle workers that are too many, given by function.

    The spare ones of a function that has others go first, those without work for longest before the rest: a
    run needs each function once or twice, and would otherwise find all of them cold after a burst of one.
    """
    ranked = [sorted(pool, key=lambda worker: worker.last_used, reverse=True) for pool in idle]
    # The last used of each function, then the second last of each, and so on; the newer before the older.
    layers = [
        sorted((worker for worker in layer if worker), key=lambda worker: worker.last_used, reverse=True)
        for layer in itertools.zip_longest(*ranked)
    ]
    return [worker for layer in layers for worker in layer][MAX_IDLE:]
