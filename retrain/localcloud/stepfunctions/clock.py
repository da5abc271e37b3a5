"""A clock by which waits may be shorter than the definition says, for tests."""

from __future__ import annotations

import asyncio

from retrain.states.execution import RealClock


class ScaledClock(RealClock):
    """The real clock, but Wait states and pauses before retries take only a part of their time.

    Timeouts and heartbeats keep their length: what they are about takes as long as it takes.

    Parameters
    ----------
    scale
        The part; 1 for all of it.
    """

    def __init__(self, scale: float) -> None:
        self._scale = scale

    async def sleep_until(self, when: float) -> None:
        """Return after a part of the time until `when`."""
        if self._scale == 1:
            await super().sleep_until(when)
        else:
            await asyncio.sleep(max(0.0, when - self.now()) * self._scale)
