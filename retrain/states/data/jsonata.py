"""JSONata: expressions in `{% %}`, with what AWS adds to the language and takes from it.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html

The language itself is the library jsonata-python's, which is loaded when the first expression needs it; paths
of plain names, the most common expressions by far, do without.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from retrain.states.data.jsonatavalues import UNDEFINED, UNSUPPORTED, exact
from retrain.states.data.scope import Scope
from retrain.states.data.values import kind, text_of
from retrain.states.errors import QUERY_EVALUATION_ERROR, StatesError
from retrain.states.model.values import ABSENT, Json

if TYPE_CHECKING:
    from retrain.states.data.jsonataengine import Expression


def is_expression(value: object) -> bool:
    """Return whether a value is a text that AWS evaluates: it begins with `{%` and ends with `%}`."""
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}") and len(value) >= 4


def fill(value: Json, scope: Scope, field: str = "") -> Json:
    """Return a value with all expressions in it evaluated.

    Parameters
    ----------
    value : Json
        A field of the definition, such as Output. Not changed; parts without expressions are shared.
    scope : Scope
        What expressions may see.
    field : str
        The field's name, such as `Output` or `Choices[1]/Condition`, for causes: they say `Output/a/b[0]`.

    Returns
    -------
    Json
        What the value stands for. A text that only contains an expression is no expression.

    Raises
    ------
    StatesError
        States.QueryEvaluationError: an expression fails, or gives nothing (undefined).
    """
    if isinstance(value, str):
        return evaluate(value, scope, field) if is_expression(value) else value
    if isinstance(value, Mapping):
        return {key: fill(each, scope, f"{field}/{key}" if field else key) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [fill(each, scope, f"{field}[{index}]") for index, each in enumerate(value)]
    return value


def evaluate(expression: str, scope: Scope, field: str = "", *, expected: str | None = None) -> Json:
    """Return what one expression gives.

    Parameters
    ----------
    expression : str
        With or without `{%` and `%}`.
    scope : Scope
        What it may see.
    field : str
        Where it stands, for causes.
    expected : str, optional
        The type that the field wants: `boolean`, `number`, `string`, `array` or `object`.

    Raises
    ------
    StatesError
        States.QueryEvaluationError: it fails, gives nothing (undefined), or gives another type than expected.
    """
    text = source(expression)
    try:
        value = _plain(text, scope)
        if value is ABSENT:
            value = _by_engine(text, scope, field)
    except RecursionError:
        raise _failure(
            text, field, " threw an error during evaluation: The value is nested too deeply"
        ) from None
    if value is UNDEFINED:
        raise _failure(text, field, " returned nothing (undefined).")
    if value is UNSUPPORTED:
        raise _failure(text, field, " returned an unsupported result type.")
    if expected is not None and kind(value) != expected:
        raise _failure(
            text,
            field,
            f" returned an unexpected result type. Expected '{expected}', but was '{kind(value)}' for value: "
            f"{text_of(value)}",
        )
    return value  # type: ignore[no-any-return]


def source(expression: str) -> str:
    """Return the text of an expression without `{%`, `%}` and the blanks within."""
    return expression[2:-2].strip() if is_expression(expression) else expression.strip()


def check(expression: str) -> str | None:
    """Return what is wrong with the syntax of an expression, as AWS says it; None if nothing is."""
    from retrain.states.data import jsonataengine

    try:
        _compiled(source(expression))
    except jsonataengine.ExpressionError as error:
        return error.message
    return None


def unsupported(expression: str) -> tuple[str, ...]:
    """Return what an expression refers to that AWS refuses when a state machine is created.

    There is no context value in Step Functions: a name, `$` or `$$` that no step, predicate or function gives
    a meaning reads something that does not exist. Nothing is said of an expression that is not well-formed.
    """
    from retrain.states.data import jsonataengine

    try:
        return _compiled(source(expression)).unsupported()
    except jsonataengine.ExpressionError:
        return ()


def _failure(text: str, field: str, what: str) -> StatesError:
    where = f" specified for the field '{field}'" if field else ""
    return StatesError(QUERY_EVALUATION_ERROR, f"The JSONata expression '{text}'{where}{what}")


@lru_cache(maxsize=2048)
def _compiled(text: str) -> Expression:
    from retrain.states.data import jsonataengine

    return jsonataengine.Expression(text)


def _by_engine(text: str, scope: Scope, field: str) -> Any:
    from retrain.states.data import jsonataengine

    try:
        return _compiled(text).evaluate(scope)
    except jsonataengine.ExpressionError as error:
        raise _failure(text, field, f" threw an error during evaluation{error}") from None


_PLAIN: Final = re.compile(
    r"\$(?:states\.(input|result|errorOutput|context)|([A-Za-z_]\w*))((?:\.[A-Za-z_]\w*)*)", re.ASCII
)
_WORDS: Final = frozenset({"and", "or", "in", "true", "false", "null", "function"})


@lru_cache(maxsize=4096)
def _plain_path(text: str) -> tuple[str, str, tuple[str, ...]] | None:
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None
    field, variable, rest = match.groups()
    names = tuple(rest.split(".")[1:])
    if variable == "states" or not _WORDS.isdisjoint(names):
        return None
    return field or "", variable or "", names


def _plain(text: str, scope: Scope) -> Any:
    """Return what a path of plain names gives, ABSENT if it needs the whole language."""
    path = _plain_path(text)
    if path is None:
        return ABSENT
    field, variable, names = path
    value: Any
    if variable:
        if variable not in scope.variables:
            return ABSENT  # a function's name, or undefined
        value = scope.variables[variable]
    elif field == "input":
        value = scope.input
    elif field == "context":
        value = scope.context
    else:
        value = scope.result if field == "result" else scope.error_output
        if value is ABSENT:
            return UNDEFINED
    for name in names:
        if type(value) is not dict:
            return ABSENT if isinstance(value, (list, Mapping)) else UNDEFINED
        if name not in value:
            return UNDEFINED
        value = value[name]
    return exact(value)
