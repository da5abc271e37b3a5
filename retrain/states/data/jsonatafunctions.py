"""The functions that AWS adds to JSONata, and those of the library that answer otherwise than AWS.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html ("JSONata functions provided by
Step Functions"). What the page leaves open (missing arguments, fractions, codes of errors) is as measured in
AWS: fractions are cut off, and several arguments that make no sense give nothing (undefined) rather than an
error.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jsonata import JException
from jsonata.functions import Functions
from jsonata.utils import Utils

from retrain.states.data.intrinsicfunctions import HASHES
from retrain.states.data.jsonatatext import string
from retrain.states.data.jsonatavalues import inward
from retrain.states.data.randomness import JavaRandom

if TYPE_CHECKING:
    from retrain.states.data.scope import Entropy

MAXIMUM_RANGE: Final = 360_145
"""How many items `$range` may make; measured in AWS."""


class LimitError(Exception):
    """An expression takes too much time, memory or depth."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function and its signature in JSONata's notation (https://docs.jsonata.org/embedding-extending)."""

    signature: str
    apply: Callable[..., Any]


def _invalid(what: str) -> JException:
    return JException("D3137", -1, what)


def _parse(text: str | None) -> Any:
    if text is None:
        return None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_finite_integer,
        )
    except (ValueError, RecursionError) as error:
        raise _invalid(f"Invalid JSON: {error}") from None
    return inward(value, Utils.NULL_VALUE)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("duplicate field")
    return fields


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is out of range")
    return number


def _finite_integer(text: str) -> int | float:
    return int(text) if len(text) < 20 else _finite(text)


def _partition(array: Any, size: float | None) -> Any:
    if array is None:
        return None
    if array is Utils.NULL_VALUE:
        raise JException("T0412", -1, 1, "partition", "a")
    items = array if isinstance(array, list) else [array]
    count = len(items) if size is None else math.trunc(size)
    if count < 0:
        raise _invalid("Second argument must be zero or greater")
    if count == 0 or not items:
        return None
    return [items[start : start + count] for start in range(0, len(items), count)]


def _range(start: float | None, end: float | None, step: float | None) -> Any:
    if start is None or end is None or step is None:
        return None
    first, last, by = math.trunc(start), math.trunc(end), math.trunc(step)
    if by == 0 or ((by > 0) != (last >= first) and first != last):
        return None
    items = range(first, last + (1 if by > 0 else -1), by)
    if len(items) > MAXIMUM_RANGE:
        raise LimitError("Expression evaluation memory limit exceeded: Check for excessive memory usage")
    return Utils.create_sequence_from_iter(items) if len(items) > 1 else first


def _hash(text: str | None, algorithm: str | None) -> Any:
    if text is None or algorithm is None:
        return None
    if algorithm not in HASHES:
        raise _invalid(f"Second argument must be one of {', '.join(HASHES)}")
    return hashlib.new(
        HASHES[algorithm], text.encode("utf-8", "surrogatepass"), usedforsecurity=False
    ).hexdigest()


def _string(value: Any, pretty: Any) -> Any:
    if isinstance(value, Utils.JList) and value.outer_wrapper:
        value = value[0]
    return None if value is None else string(value, pretty=bool(pretty))


def _parse_integer(text: str | None, picture: str | None) -> Any:
    try:
        return Functions.parse_integer(text, picture)
    except ValueError:
        return math.nan  # AWS answers "NaN"


FUNCTIONS: Final[dict[str, Function]] = {
    "parse": Function("<s?:x>", _parse),
    "partition": Function("<xn?:a>", _partition),
    "range": Function("<nnn?:a>", _range),
    "hash": Function("<ss?:s>", _hash),
    "string": Function("<x-b?:s>", _string),
    "parseInteger": Function("<s-s:n>", _parse_integer),
}
"""By their names without the dollar sign."""


def of_chance(entropy: Entropy) -> dict[str, Function]:
    """Return `$uuid` and `$random`, which draw from a source of chance; a seed gives what it gives in AWS."""

    def draw(seed: float | None) -> float:
        return entropy.random() if seed is None else JavaRandom(math.trunc(seed)).double()

    return {"uuid": Function("<:s>", entropy.uuid), "random": Function("<n?:n>", draw)}
