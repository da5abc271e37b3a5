"""Values that are made of placeholders: texts around them, and other intrinsic functions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from retrain.workflow.errors import PlaceholderError
from retrain.workflow.inputs.dynamic import Dynamic
from retrain.workflow.inputs.placeholders import Placeholder

_JSONATA: Final[dict[str, Callable[..., str]]] = {
    "States.Array": lambda *parts: f"[{', '.join(parts)}]",
    "States.UUID": lambda: "$uuid()",
    "States.StringToJson": lambda text: f"$parse({text})",
    "States.JsonToString": lambda value: f"$string({value})",
    "States.ArrayLength": lambda array: f"$count({array})",
}
"""The functions that have a plain counterpart in JSONata."""
_RESULTS: Final = {
    "States.Array": list,
    "States.ArrayLength": int,
    "States.Format": str,
    "States.JsonToString": str,
    "States.UUID": str,
}


class ContextObject(Placeholder):
    """The context object: `ContextObject()["Execution"]["Name"]`, `ContextObject()["Task"]["Token"]`."""

    jsonpath_root = "$$"
    jsonata_root = "$states.context"

    def to_jsonpath(self) -> str:
        """Return the path, with a dot before plain names: statelint knows it in no other form."""
        return "$$" + "".join(f".{key}" if isinstance(key, str) else f"[{key}]" for key in self.keys)


class Intrinsic(Dynamic):
    """A call of an intrinsic function.

    Parameters
    ----------
    function : str
        Such as `States.MathAdd`.
    *arguments
        Placeholders, texts, numbers, None, lists of such, and other calls.

    Examples
    --------
    >>> from retrain.workflow.inputs import StepInput
    >>> Intrinsic("States.MathAdd", StepInput()["count"], 1).to_jsonpath()
    "States.MathAdd($['count'], 1)"
    """

    def __init__(self, function: str, *arguments: Any) -> None:
        self.function = function
        self.arguments = arguments
        self.type = _RESULTS.get(function)

    @property
    def placeholders(self) -> list[Placeholder]:
        """All placeholders that the call uses."""
        return list(_placeholders(self.arguments))

    def to_jsonpath(self) -> str:
        """Return the call as States Language's JSONPath states write it."""
        return f"{self.function}({', '.join(_jsonpath(each) for each in self.arguments)})"

    def to_jsonata(self) -> str:
        """Return the counterpart of the call in JSONata."""
        write = _JSONATA.get(self.function)
        if write is None:
            raise PlaceholderError(
                f"{self.function} has no plain counterpart in JSONata: write the expression itself, "
                "as in '{% $states.input.count + 1 %}'."
            )
        return write(*(_jsonata(each) for each in self.arguments))

    def __repr__(self) -> str:
        """Return how the call is written."""
        return f"{self.function}({', '.join(map(repr, self.arguments))})"


class Format(Intrinsic):
    """A text around placeholders, each at a `{}`.

    Parameters
    ----------
    template : str
        The text, with `{}` where a placeholder's value comes.
    *arguments
        As many as the text has `{}`.

    Examples
    --------
    >>> from retrain.workflow.inputs import ExecutionInput
    >>> Format("s3://{}/digits", ExecutionInput()["bucket"]).to_jsonpath()
    "States.Format('s3://{}/digits', $$.Execution.Input['bucket'])"
    """

    def __init__(self, template: str, *arguments: Any) -> None:
        super().__init__("States.Format", *arguments)
        self.template = template
        places = template.count("{}")
        if places != len(arguments):
            raise PlaceholderError(
                f"The text {template!r} has {places} places '{{}}' for {len(arguments)} placeholders."
            )

    def to_jsonpath(self) -> str:
        """Return the call of States.Format."""
        text = "{}".join(_escaped(piece) for piece in self.template.split("{}"))
        arguments = "".join(f", {_jsonpath(each)}" for each in self.arguments)
        return f"States.Format('{text}'{arguments})"

    def to_jsonata(self) -> str:
        """Return the pieces joined by `&`."""
        parts: list[str] = []
        for index, piece in enumerate(self.template.split("{}")):
            if piece:
                parts.append(_jsonata(piece))
            if index < len(self.arguments):
                parts.append(_jsonata(self.arguments[index]))
        return " & ".join(parts) or "''"


def array(values: list[Any]) -> Intrinsic:
    """Return a list that holds placeholders as a call of States.Array."""
    return Intrinsic("States.Array", *(array(each) if isinstance(each, list) else each for each in values))


def _escaped(text: str) -> str:
    for character in "\\'{}":
        text = text.replace(character, f"\\{character}")
    return text


def _jsonpath(value: Any) -> str:
    if isinstance(value, Dynamic):
        return value.to_jsonpath()
    if isinstance(value, str):
        return f"'{_escaped(value)}'"
    if isinstance(value, list):
        return array(value).to_jsonpath()
    return _constant(value)


def _jsonata(value: Any) -> str:
    if isinstance(value, Dynamic):
        return value.to_jsonata()
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list):
        return array(value).to_jsonata()
    return _constant(value)


def _constant(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    raise PlaceholderError(
        f"An intrinsic function takes placeholders, texts, numbers, lists and null, not {value!r}: build an "
        "object in the parameters of a Pass state instead."
    )


def _placeholders(values: Any) -> list[Placeholder]:
    found: list[Placeholder] = []
    for value in values:
        if isinstance(value, Placeholder):
            found.append(value)
        elif isinstance(value, Intrinsic):
            found += value.placeholders
        elif isinstance(value, list):
            found += _placeholders(value)
    return found
