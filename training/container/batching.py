"""Predicting requests together that come at the same time, without any of them waiting for others.

While nothing is being predicted, a request is predicted at once. What comes in the meantime is the next
batch. So the batches grow with the load, and a request alone is as quick as without batching; there is no
time to wait, and nothing to tune.

A hop to a thread and back costs some 100 µs, more than a small model itself. So what has shown to be quick is
predicted on the event loop, which it then keeps from its other work for a millisecond or so; what is slow,
large or not known yet goes to a thread.

Putting a batch together costs some 20 µs as well. So after a request that nothing else came with, the next
few quick ones are predicted as soon as they are read; then it is seen again whether more come together.
"""

from __future__ import annotations

import asyncio
import collections
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from container.handlers import Answer, Request

# What is predicted together at most: more would hardly be quicker, and would keep the first ones waiting.
MOST_REQUESTS = 64
MOST_BYTES = 1 << 20
# A batch that should take at most so long, and has at most so many bytes, is predicted on the event loop.
QUICK_SECONDS = 0.001
QUICK_BYTES = 1 << 16
# How much the last batch counts in what is expected of the next.
LAST_COUNTS = 0.1
# How many quick requests are predicted as soon as they are read, after one that came alone.
ALONE = 15

AnswerAll: TypeAlias = Callable[[Sequence[Request]], list[Answer | Exception]]
Waiting: TypeAlias = tuple[Request, asyncio.Future[Answer]]


class Batcher:
    """Collects requests and has them answered in threads.

    Parameters
    ----------
    answer_all : AnswerAll
        Gives one answer, or the exception to answer with, for each request.
    workers : int
        How many batches are answered at once; what comes while all are busy waits its turn.
    most : int
        How many requests a batch may have; 1 if they cannot be predicted together.
    """

    def __init__(self, answer_all: AnswerAll, workers: int, most: int = MOST_REQUESTS) -> None:
        self._answer_all = answer_all
        self._most = most
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="predict")
        self._idle = workers
        self._seconds_each = float("inf")  # what one request took lately
        self._alone = 0  # how many more need not be collected
        self._waiting: collections.deque[Waiting] = collections.deque()
        self._running: set[asyncio.Task[None]] = set()  # the event loop itself holds no task

    async def answer(self, request: Request) -> Answer:
        """Return the answer to a request.

        Raises
        ------
        Exception
            Whatever the user's code raises for it.
        """
        if self._alone and not self._waiting and self._is_quick([request]):
            self._alone -= 1
            (outcome,) = self._timed([request])
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._idle:
            # A task begins after what else arrives at this moment: a batch for which nobody has to wait.
            self._idle -= 1
            task = asyncio.create_task(self._work())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await future

    async def _work(self) -> None:
        """Answer what waits, batch by batch, until nothing does."""
        try:
            while batch := self._next_batch():
                for (_, future), outcome in zip(batch, await self._outcomes(batch), strict=True):
                    if future.done():
                        continue  # cancelled: nobody waits for it any more
                    if isinstance(outcome, Exception):
                        future.set_exception(outcome)
                    else:
                        future.set_result(outcome)
        finally:
            self._idle += 1

    async def _outcomes(self, batch: Sequence[Waiting]) -> Sequence[Answer | Exception]:
        requests = [request for request, _ in batch]
        self._alone = ALONE if len(requests) == 1 else 0
        if self._is_quick(requests):
            return self._timed(requests)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._timed, requests)

    def _timed(self, requests: Sequence[Request]) -> list[Answer | Exception]:
        """Answer requests, and note how long that took."""
        started = time.perf_counter()
        outcomes = self._answer_all(requests)
        each = (time.perf_counter() - started) / len(requests)
        before = each if self._seconds_each == float("inf") else self._seconds_each
        self._seconds_each = each * LAST_COUNTS + before * (1 - LAST_COUNTS)
        return outcomes

    def _is_quick(self, requests: Sequence[Request]) -> bool:
        # Programs whose requests are not predicted together keep to threads: they may do anything.
        return (
            self._most > 1
            and self._seconds_each * len(requests) <= QUICK_SECONDS
            and sum([len(body) for body, _, _ in requests]) <= QUICK_BYTES
        )

    def _next_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = 0
        while self._waiting and len(batch) < self._most:
            size += len(self._waiting[0][0][0])
            if batch and size > MOST_BYTES:
                break
            batch.append(self._waiting.popleft())
        return batch
