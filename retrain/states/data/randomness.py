"""Chance, and chance that can be repeated as AWS repeats it."""

from __future__ import annotations

import random
import uuid
from typing import Final

_MULTIPLIER: Final = 0x5DEECE66D
_INCREMENT: Final = 0xB
_MASK: Final = (1 << 48) - 1


class JavaRandom:
    """The linear congruential generator of `java.util.Random`.

    AWS draws seeded numbers from it: `$random(42)` is 0.7275636800328681 there, and so it is here.

    Notes
    -----
    Specified in https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Random.html.
    """

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ _MULTIPLIER) & _MASK

    def _bits(self, count: int) -> int:
        self._state = (self._state * _MULTIPLIER + _INCREMENT) & _MASK
        return self._state >> (48 - count)

    def double(self) -> float:
        """Return the next number from 0 up to, not including, 1 (`nextDouble`)."""
        return float(((self._bits(26) << 27) + self._bits(27)) * 2.0**-53)

    def below(self, bound: int) -> int:
        """Return the next integer from 0 up to, not including, a bound below 2**31 (`nextInt(bound)`)."""
        drawn = self._bits(31)
        if bound & (bound - 1) == 0:
            return (bound * drawn) >> 31
        value = drawn % bound
        while drawn - value + (bound - 1) >= 1 << 31:
            drawn = self._bits(31)
            value = drawn % bound
        return value


class SystemEntropy:
    """Chance as the operating system gives it; an `Entropy`."""

    def uuid(self) -> str:
        """Return a new UUID (version 4) as text."""
        return str(uuid.uuid4())

    def random(self, seed: int | None = None) -> float:
        """Return a number from 0 up to, not including, 1; the same for the same seed."""
        return random.random() if seed is None else JavaRandom(seed).double()
