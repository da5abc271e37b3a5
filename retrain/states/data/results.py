"""ResultPath: where in its input a state puts its result."""

from __future__ import annotations

from typing import Final

from retrain.states.data import pathsyntax
from retrain.states.data.values import text_of
from retrain.states.errors import RESULT_PATH_MATCH_FAILURE, RUNTIME, StatesError
from retrain.states.model.values import ABSENT, Json, PathField

CONFLICT: Final = RESULT_PATH_MATCH_FAILURE
"""What the specification and AWS's documentation call the error of a ResultPath that does not fit the input.

Causes quoted by users show that AWS itself has also answered with `States.ReferencePathConflict`, a name that
no page of AWS's documentation mentions; a definition that follows the documentation can only catch this one.
"""


def put(result_path: PathField, raw_input: Json, result: Json) -> Json:
    """Return a state's input with its result put where ResultPath says.

    Parameters
    ----------
    result_path : str, None or ABSENT
        A reference path; None (JSON null) keeps the input and drops the result; `$`, and none given, replace
        the input.
    raw_input : Json
        What the state received, before InputPath. Not changed: what lies on the way is copied, the rest is
        shared.
    result : Json
        What to put.

    Returns
    -------
    Json
        The input to OutputPath.

    Raises
    ------
    StatesError
        States.ResultPathMatchFailure if the path runs through something that is no object, or through or to
        an array's element that does not exist. Fields that do not exist are created, as objects if the path
        goes on.

    Notes
    -----
    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultpath.html and
    https://states-language.net/spec.html#using-paths ("ResultPath").
    """
    if result_path is None:
        return raw_input
    if result_path is ABSENT or result_path == "$":
        return result
    try:
        path = pathsyntax.parse(result_path)
    except pathsyntax.PathSyntaxError as error:
        raise StatesError(RUNTIME, f"Invalid path '{result_path}' : {error}") from None
    if path.root != "$" or path.steps is None:
        raise StatesError(
            RUNTIME, f"Invalid path '{result_path}' : ResultPath must be a reference path into the input."
        )
    return _put(path.steps, 0, raw_input, result, result_path, raw_input)


def _put(steps: tuple[str | int, ...], at: int, into: Json, result: Json, path: str, raw_input: Json) -> Json:
    if at == len(steps):
        return result
    step = steps[at]
    if isinstance(step, str):
        if isinstance(into, dict):
            below = into.get(step, {})
            return {**into, step: _put(steps, at + 1, below, result, path, raw_input)}
    elif isinstance(into, list) and 0 <= step < len(into):
        changed = list(into)
        changed[step] = _put(steps, at + 1, into[step], result, path, raw_input)
        return changed
    if at == 0 and not isinstance(into, (dict, list)):
        raise StatesError(CONFLICT, f"Unable to apply ReferencePath {path} to input {text_of(raw_input)}")
    raise StatesError(CONFLICT, f'Unable to apply step "{step}" to input {text_of(into)}')
