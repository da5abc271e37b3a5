"""Clocks."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrain.states.errors import StatesLanguageError
from retrain.states.execution import RealClock, VirtualClock


@settings(deadline=None)  # asyncio waits a day at most at a time
@given(st.lists(st.floats(0, 1e8), max_size=20), st.floats(0, 2e9))
def test_sleepers_wake_in_order_and_at_their_time(delays: list[float], start: float) -> None:
    clock = VirtualClock(start=start)
    woken: list[float] = []

    async def sleeper(delay: float) -> None:
        await clock.sleep_until(start + delay)
        assert clock.now() == pytest.approx(start + delay, abs=1e-5)
        woken.append(delay)

    async def main() -> None:
        await asyncio.gather(*map(sleeper, delays))

    clock.run(main)
    assert woken == pytest.approx(sorted(delays), abs=1e-5)


def test_timeouts_of_asyncio_are_in_virtual_time() -> None:
    clock = VirtualClock(start=0.0)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.sleep(7200)

    clock.run(main)
    assert clock.now() == 3600.0


def test_time_stands_still_while_a_thread_works() -> None:
    clock = VirtualClock(start=0.0)
    sleeping = threading.Event()

    async def main() -> list[float]:
        times: list[float] = []

        async def sleeper() -> None:
            sleeping.set()
            await asyncio.sleep(10)
            times.append(clock.now())

        async def worker() -> None:
            await asyncio.get_running_loop().run_in_executor(None, sleeping.wait)
            times.append(clock.now())

        await asyncio.gather(sleeper(), worker())
        return times

    assert clock.run(main) == [0.0, 10.0]


def test_a_deadlock_is_told() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StatesLanguageError, match="nothing is due"):
        VirtualClock().run(main)


def test_it_only_moves_in_its_own_loop() -> None:
    clock = VirtualClock()
    with pytest.raises(StatesLanguageError, match=r"clock\.run"):
        asyncio.run(clock.sleep_until(clock.now() + 1))


def test_time_goes_on_from_run_to_run() -> None:
    clock = VirtualClock(start=0.0)
    for _ in range(2):
        clock.run(lambda: clock.sleep_until(clock.now() + 5))
    assert clock.now() == 10.0


def test_the_real_clock_does_not_wait_for_what_is_past() -> None:
    clock = RealClock()
    before = clock.now()
    clock.run(lambda: clock.sleep_until(before - 100))
    assert clock.now() >= before
