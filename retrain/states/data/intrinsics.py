"""Intrinsic functions: evaluated, and checked before anything runs.

https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from __future__ import annotations

from retrain.states.data import intrinsicsyntax, paths, pathsyntax, pathwalk
from retrain.states.data.intrinsicfunctions import FUNCTIONS, IntrinsicError, format_text
from retrain.states.data.intrinsicsyntax import (
    Argument,
    Call,
    IntrinsicSyntaxError,
    Literal,
    Text,
    is_intrinsic,
)
from retrain.states.data.scope import Scope
from retrain.states.data.values import text_of
from retrain.states.errors import INTRINSIC_FAILURE, RUNTIME, StatesError
from retrain.states.model.values import ABSENT, Json

__all__ = ["check", "evaluate", "is_intrinsic", "references"]


def evaluate(expression: str, scope: Scope) -> Json:
    """Return what an intrinsic function makes of its arguments.

    Raises
    ------
    StatesError
        States.Runtime if an argument's path leads nowhere (for this AWS counts an index past the end of an
        array too); States.IntrinsicFailure for everything else: wrong arguments, wrong syntax, limits.
    """
    try:
        call = intrinsicsyntax.parse(expression)
        return _call(call, scope)
    except (IntrinsicError, IntrinsicSyntaxError) as error:
        raise StatesError(INTRINSIC_FAILURE, _cause(expression, str(error))) from None
    except _MissingArgumentError as error:
        raise StatesError(RUNTIME, _cause(expression, str(error))) from None


def check(expression: str) -> str | None:
    """Return what is wrong with an expression that can be seen before it runs, None if nothing is."""
    try:
        call = intrinsicsyntax.parse(expression)
    except IntrinsicSyntaxError as error:
        return str(error)
    for each in intrinsicsyntax.calls(call):
        function = FUNCTIONS.get(each.name)
        if function is None:
            return f"There is no intrinsic function 'States.{each.name}'."
        if not function.least <= len(each.arguments) <= function.most:
            return f"States.{each.name} takes {function.takes}, not {len(each.arguments)}."
    return None


def references(expression: str) -> tuple[str, ...]:
    """Return the paths among the arguments of an expression, in order; none if it is wrong."""
    try:
        call = intrinsicsyntax.parse(expression)
    except IntrinsicSyntaxError:
        return ()
    return tuple(
        argument.path
        for each in intrinsicsyntax.calls(call)
        for argument in each.arguments
        if isinstance(argument, intrinsicsyntax.Reference)
    )


class _MissingArgumentError(LookupError):
    """The path of an argument leads nowhere."""


def _cause(expression: str, what: str) -> str:
    return f"The function '{expression}' had the following error: {what}"


def _call(call: Call, scope: Scope) -> Json:
    function = FUNCTIONS.get(call.name)
    if function is None:
        raise IntrinsicError(f"There is no intrinsic function 'States.{call.name}'.")
    if not function.least <= len(call.arguments) <= function.most:
        raise IntrinsicError(f"States.{call.name} takes {function.takes}, not {len(call.arguments)}.")
    if call.name == "Format" and isinstance(call.arguments[0], Text):
        # Only here it is still known which braces were escaped.
        return format_text(call.arguments[0].pieces, [_argument(each, scope) for each in call.arguments[1:]])
    values = [_argument(each, scope) for each in call.arguments]
    return function.apply(scope.entropy, *values) if function.chance else function.apply(*values)


def _argument(argument: Argument, scope: Scope) -> Json:
    if isinstance(argument, (Literal, Text)):
        return argument.value
    if isinstance(argument, Call):
        return _call(argument, scope)
    value = paths.find(argument.path, scope)
    if value is ABSENT:
        raise _MissingArgumentError(_missing(argument.path, scope))
    return value


def _missing(path: str, scope: Scope) -> str:
    """Return AWS's words for an argument that is not there.

    They quote the state's input even for a path into the context object; where the path met something that is
    no array, they are those of AWS's JSONPath library.
    """
    try:
        pathwalk.values(pathsyntax.parse(path), paths.searched(path, scope))
    except pathwalk.PathNotFoundError as error:
        if str(error).startswith("Filter: "):
            return str(error)
    quoted = path.removeprefix("$") if path.startswith("$$") else path
    found = f"could not be found in the input '{text_of(scope.input)}'"
    return f"The JsonPath argument for the field '{quoted}' {found}"
