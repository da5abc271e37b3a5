"""Paths: what they lead to, and what AWS says if they lead nowhere.

https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from retrain.states.data import pathsyntax, pathwalk
from retrain.states.data.scope import Scope
from retrain.states.data.values import text_of
from retrain.states.errors import RUNTIME, StatesError
from retrain.states.model.values import ABSENT, Absent, Json


def evaluate(path: str, scope: Scope, *, field: str = "", error: str = RUNTIME) -> Json:
    """Return what a path leads to.

    Parameters
    ----------
    path : str
        Such as `$.a.b[0]` (the input), `$$.Execution.Id` (the context object) or `$name.b` (a variable).
    scope : Scope
        What it may see.
    field : str
        The field of the definition that the path stands in, such as `ItemsPath` or `name.$`, for the cause.
    error : str
        The name of the error if the path leads nowhere.

    Returns
    -------
    Json
        The one value that a definite path leads to; the list of all values, also an empty one, of an
        indefinite path (with `*`, `..`, a filter, a slice, or several indexes). Not a copy.

    Raises
    ------
    StatesError
        The path leads nowhere.
    """
    root, steps = _plain(path)
    value: Any = scope.input if root == "$" else scope.context if root == "$$" else None
    if steps is not None and value is not None:
        try:
            for step in steps:
                # A text is no array of letters, and an object has no elements.
                if type(value) is not (dict if type(step) is str else list):
                    break
                value = value[step]  # type: ignore[index]  # of the fitting type, see above
            else:
                return value  # type: ignore[no-any-return]
        except (KeyError, IndexError):
            pass
    return _evaluate(path, scope, field, error)


@lru_cache(maxsize=4096)
def _plain(path: str) -> tuple[str, tuple[str | int, ...] | None]:
    """Return root and steps of a path, the steps only of a reference path."""
    try:
        parsed = pathsyntax.parse(path)
    except pathsyntax.PathSyntaxError:
        return "", None
    return parsed.root, parsed.steps


def find(path: str, scope: Scope) -> Json | Absent:
    """Return what a path leads to, or ABSENT if it leads nowhere.

    Raises
    ------
    StatesError
        States.Runtime: the text is no path.
    """
    try:
        return _look(path, scope)
    except pathwalk.PathNotFoundError:
        return ABSENT
    except pathsyntax.PathSyntaxError as syntax:
        raise StatesError(RUNTIME, f"Invalid path '{path}' : {syntax}") from None


def exists(path: str, scope: Scope) -> bool:
    """Return whether a path leads anywhere; null is somewhere, the end of an array is not.

    An indefinite path exists if the definite part of it does.
    """
    return find(path, scope) is not ABSENT


def find_or_null(path: str, scope: Scope) -> Json | Absent:
    """Return what `find` does, but None for an index past an array's end, as payload templates take it."""
    try:
        return _look(path, scope)
    except pathwalk.PastTheEndError:
        return None
    except pathwalk.PathNotFoundError:
        return ABSENT
    except pathsyntax.PathSyntaxError as syntax:
        raise StatesError(RUNTIME, f"Invalid path '{path}' : {syntax}") from None


def is_reference(path: str) -> bool:
    """Return whether a text is a reference path: names and indexes only, so that it means one node."""
    return _plain(path)[1] is not None


def check(path: str) -> str | None:
    """Return what is wrong with the syntax of a path, None if nothing is."""
    try:
        pathsyntax.parse(path)
    except pathsyntax.PathSyntaxError as error:
        return str(error)
    return None


def not_found(path: str, field: str, searched: Json) -> str:
    """Return AWS's words for a path of a field that leads nowhere.

    A path into the context object is quoted without its second dollar sign, as AWS does it.
    """
    quoted = path.removeprefix("$") if path.startswith("$$") else path
    return (
        f"The JSONPath '{quoted}' specified for the field '{field}' could not be found in the input "
        f"'{text_of(searched)}'"
    )


def searched(path: str, scope: Scope) -> Json:
    """Return the value that a path looks into."""
    root = _plain(path)[0]
    if root == "$$":
        return dict(scope.context)
    if root == "$":
        return scope.input
    return scope.variables.get(root[1:])


def _look(path: str, scope: Scope) -> Json:
    parsed = pathsyntax.parse(path)
    if parsed.root == "$":
        root = scope.input
    elif parsed.root == "$$":
        root = scope.context if isinstance(scope.context, dict) else dict(scope.context)
    else:
        name = parsed.root[1:]
        if name not in scope.variables:
            raise pathwalk.PathNotFoundError(f"The variable '{parsed.root}' has not been assigned")
        root = scope.variables[name]
    return pathwalk.values(parsed, root)


def refuse_null_input(path: str, scope: Scope, error: str = RUNTIME) -> None:
    """Raise what AWS answers if a path, be it `$`, is applied to an input that is null.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html names as a cause of
    States.Runtime "attempting to apply InputPath or OutputPath on a null JSON payload".
    """
    if scope.input is None and _plain(path)[0] == "$":
        raise StatesError(error, "Unable to apply Path transformation to null or empty input.")


def _evaluate(path: str, scope: Scope, field: str, error: str) -> Json:
    refuse_null_input(path, scope, error)
    try:
        return _look(path, scope)
    except pathwalk.PathNotFoundError as missing:
        if field:
            raise StatesError(error, not_found(path, field, searched(path, scope))) from None
        raise StatesError(error, f"Invalid path '{path}' : {missing}") from None
    except pathsyntax.PathSyntaxError as syntax:
        raise StatesError(error, f"Invalid path '{path}' : {syntax}") from None
