"""What each intrinsic function does, with the limits of AWS's page.

https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from retrain.states.data.randomness import JavaRandom
from retrain.states.data.values import (
    INTEGER_MAXIMUM,
    INTEGER_MINIMUM,
    is_number,
    kind,
    nearest,
    number_text,
    same,
    text_of,
)
from retrain.states.model.values import Json

if TYPE_CHECKING:
    from retrain.states.data.scope import Entropy

MOST_LETTERS: Final = 10_000
"""Of what Base64Encode, Base64Decode and Hash take."""

MOST_ITEMS: Final = 1_000
"""Of what ArrayRange makes."""

HASHES: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class IntrinsicError(ValueError):
    """A function cannot do with its arguments; says why."""


@dataclass(frozen=True, slots=True)
class Function:
    """One intrinsic function, how many arguments it takes, and whether it takes chance before them."""

    apply: Callable[..., Json]
    least: int
    most: int
    chance: bool = False

    @property
    def takes(self) -> str:
        """The number of arguments, in words."""
        if self.least == self.most:
            return f"{self.least} argument{'s' * (self.least != 1)}"
        return (
            f"{self.least} or more arguments"
            if self.most == sys.maxsize
            else f"{self.least} to {self.most} arguments"
        )


def _array(value: Json, function: str) -> list[Json]:
    if not isinstance(value, list):
        raise IntrinsicError(f"States.{function} takes an array first, not a value of type {kind(value)}.")
    return value


def _text(value: Json, function: str, place: str) -> str:
    if not isinstance(value, str):
        raise IntrinsicError(
            f"The {place} argument of States.{function} must be a string, not {kind(value)}."
        )
    return value


def _short(value: Json, function: str) -> str:
    text = _text(value, function, "first")
    if len(text) > MOST_LETTERS:
        raise IntrinsicError(
            f"States.{function} takes {MOST_LETTERS:,} characters at most, not {len(text):,}."
        )
    return text


def _integer(value: Json, function: str, place: str) -> int:
    """Return an argument as an integer; AWS rounds other numbers to the nearest."""
    if not is_number(value):
        raise IntrinsicError(
            f"The {place} argument of States.{function} must be an integer, not {kind(value)}."
        )
    number = nearest(cast("float", value))
    if not INTEGER_MINIMUM <= number <= INTEGER_MAXIMUM:
        raise IntrinsicError(
            f"The {place} argument of States.{function} must be from {INTEGER_MINIMUM} to {INTEGER_MAXIMUM}."
        )
    return number


def format_text(pieces: Sequence[str], values: Sequence[Json]) -> str:
    """Return pieces of text with values between them, as States.Format writes them."""
    if len(pieces) - 1 != len(values):
        raise IntrinsicError(
            f"There must be as many arguments as occurrences of {{}}: {len(values)} for {len(pieces) - 1}."
        )
    return "".join(
        [
            pieces[0],
            *(
                part
                for value, piece in zip(values, pieces[1:], strict=True)
                for part in (_in_text(value), piece)
            ),
        ]
    )


def _in_text(value: Any) -> str:
    """Return a value as AWS puts it into text: objects and arrays as Java writes them, `{a=1, b=[]}`."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_in_text, value))}]"
    return f"{{{', '.join(f'{key}={_in_text(each)}' for key, each in value.items())}}}"


def _format(template: Json, *values: Json) -> Json:
    return format_text(_text(template, "Format", "first").split("{}"), values)


def _string_to_json(text: Json) -> Json:
    try:
        value: Json = json.loads(_text(text, "StringToJson", "first"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise IntrinsicError(f"States.StringToJson was given no JSON: {error}") from None
    return value


def _no_constant(word: str) -> Json:
    raise ValueError(f"{word} is not JSON")


def _json_to_string(value: Json) -> Json:
    return text_of(value)


def _make_array(*items: Json) -> Json:
    return list(items)


def _array_partition(array: Json, chunk: Json) -> Json:
    items = _array(array, "ArrayPartition")
    size = _integer(chunk, "ArrayPartition", "second")
    if size <= 0:
        raise IntrinsicError("The second argument of States.ArrayPartition must be a positive integer.")
    return [items[start : start + size] for start in range(0, len(items), size)]


def _array_contains(array: Json, value: Json) -> Json:
    return any(same(item, value) for item in _array(array, "ArrayContains"))


def _array_range(start: Json, end: Json, increment: Json) -> Json:
    first, last, step = (
        _integer(value, "ArrayRange", place)
        for value, place in zip((start, end, increment), ("first", "second", "third"), strict=True)
    )
    if step == 0:
        raise IntrinsicError("The third argument of States.ArrayRange must not be 0.")
    items = range(first, last + (1 if step > 0 else -1), step)
    if len(items) > MOST_ITEMS:
        raise IntrinsicError(f"States.ArrayRange makes {MOST_ITEMS:,} items at most, not {len(items):,}.")
    return list(items)


def _array_get_item(array: Json, index: Json) -> Json:
    items = _array(array, "ArrayGetItem")
    if not isinstance(index, int) or isinstance(index, bool):
        raise IntrinsicError(
            f"The second argument of States.ArrayGetItem must be an integer, not {kind(index)}."
        )
    if not 0 <= index < len(items):
        raise IntrinsicError(f"States.ArrayGetItem: index {index} is out of bounds for length {len(items)}.")
    return items[index]


def _array_length(array: Json) -> Json:
    return len(_array(array, "ArrayLength"))


def _array_unique(array: Json) -> Json:
    unique: list[Json] = []
    seen: set[object] = set()
    for item in _array(array, "ArrayUnique"):
        if isinstance(item, (list, dict)):
            if not any(same(item, other) for other in unique):
                unique.append(item)
        elif (key := (isinstance(item, bool), item)) not in seen:
            seen.add(key)
            unique.append(item)
    return unique


def _base64_encode(data: Json) -> Json:
    text = _short(data, "Base64Encode")
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def _base64_decode(data: Json) -> Json:
    text = _short(data, "Base64Decode")
    try:
        return base64.b64decode(text.encode("ascii"), validate=True).decode("utf-8", "replace")
    except (binascii.Error, UnicodeEncodeError) as error:
        raise IntrinsicError(f"States.Base64Decode was given no Base64: {error}") from None


def _hash(data: Json, name: Json) -> Json:
    text = _short(data, "Hash")
    algorithm = _text(name, "Hash", "second")
    if algorithm not in HASHES:
        raise IntrinsicError(f"States.Hash knows {', '.join(HASHES)}, not '{algorithm}'.")
    return hashlib.new(
        HASHES[algorithm], text.encode("utf-8", "surrogatepass"), usedforsecurity=False
    ).hexdigest()


def _json_merge(one: Json, other: Json, deep: Json) -> Json:
    if not isinstance(one, dict) or not isinstance(other, dict):
        raise IntrinsicError(f"States.JsonMerge takes two objects, not {kind(one)} and {kind(other)}.")
    if deep is not False:
        raise IntrinsicError("States.JsonMerge merges shallowly only: its third argument must be false.")
    return {**one, **other}


def _math_random(entropy: Entropy, start: Json, end: Json, seed: Json = None) -> Json:
    first = _integer(start, "MathRandom", "first")
    span = _integer(end, "MathRandom", "second") - first
    if not 0 < span <= INTEGER_MAXIMUM:
        raise IntrinsicError(
            "The first argument of States.MathRandom must be less than the second, by no more than "
            f"{INTEGER_MAXIMUM}."
        )
    if seed is None:
        return first + int(entropy.random() * span)
    return first + JavaRandom(_integer(seed, "MathRandom", "third")).below(span)


def _math_add(one: Json, other: Json) -> Json:
    total = _integer(one, "MathAdd", "first") + _integer(other, "MathAdd", "second")
    if not INTEGER_MINIMUM <= total <= INTEGER_MAXIMUM:
        raise IntrinsicError(f"States.MathAdd: {total} is not from {INTEGER_MINIMUM} to {INTEGER_MAXIMUM}.")
    return total


def _string_split(text: Json, separator: Json) -> Json:
    separators = frozenset(_text(separator, "StringSplit", "second"))
    pieces = [""]
    for letter in _text(text, "StringSplit", "first"):
        if letter in separators:
            pieces.append("")
        else:
            pieces[-1] += letter
    return [piece for piece in pieces if piece]


def _uuid(entropy: Entropy) -> Json:
    return entropy.uuid()


FUNCTIONS: Final[dict[str, Function]] = {
    "Format": Function(_format, 1, sys.maxsize),
    "StringToJson": Function(_string_to_json, 1, 1),
    "JsonToString": Function(_json_to_string, 1, 1),
    "Array": Function(_make_array, 0, sys.maxsize),
    "ArrayPartition": Function(_array_partition, 2, 2),
    "ArrayContains": Function(_array_contains, 2, 2),
    "ArrayRange": Function(_array_range, 3, 3),
    "ArrayGetItem": Function(_array_get_item, 2, 2),
    "ArrayLength": Function(_array_length, 1, 1),
    "ArrayUnique": Function(_array_unique, 1, 1),
    "Base64Encode": Function(_base64_encode, 1, 1),
    "Base64Decode": Function(_base64_decode, 1, 1),
    "Hash": Function(_hash, 2, 2),
    "JsonMerge": Function(_json_merge, 3, 3),
    "MathRandom": Function(_math_random, 2, 3, chance=True),
    "MathAdd": Function(_math_add, 2, 2),
    "StringSplit": Function(_string_split, 2, 2),
    "UUID": Function(_uuid, 0, 0, chance=True),
}
"""By their names without `States.`."""
