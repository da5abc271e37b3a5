"""A path that leads nowhere fails the execution, as in AWS, where MiniStack's yields null and goes on.

Also mended here: the context object has all its members; States.Format writes JSON, not Python; a failing
intrinsic function is States.IntrinsicFailure.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from retrain.localcloud import seams

for _name, _parameters in {
    "_parse_jsonpath_tokens": "path",
    "_resolve_path": "path data",
    "_resolve_ctx_path": "path ctx",
    "_resolve_params_obj": "template data ctx",
    "_apply_result_path_raw": "result_path original result",
    "_execute_wait": "state_def raw_input ctx",
    "_evaluate_intrinsic": "expression data ctx",
    "_eval_intrinsic_arg": "arg data ctx",
    "_exec_intrinsic": "node data ctx",
    "_evaluate_jsonata": "expression raw_input ctx result error_output",
    "_state_query_language": "state_def ctx",
    "_parse_ts": "v",
}.items():
    seams.expect(seams.STATES, _name, _parameters)

_INTERNAL = ("QueryLanguage", "variables")
_SHOWN = 1000


def runtime_error(message: str) -> Exception:
    """A States.Runtime error, which no Retry and no Catch matches."""
    return seams.states_task_error("States.Runtime", message)


def find(path: str, data: Any) -> tuple[bool, Any]:
    """Follow a JSONPath: whether it leads anywhere, and where.

    Raises
    ------
    StatesTaskError
        It is of a form that the engine does not know.
    """
    tokens = seams.module(seams.STATES)._parse_jsonpath_tokens(path)
    if tokens is None:
        raise runtime_error(f"The local cloud does not know how to follow the JSONPath '{path}'.")
    values, definite = [data], True
    for kind, key in tokens:
        found: list[Any] = []
        for value in values:
            has_field = kind == "field" and isinstance(value, dict) and key in value
            if has_field or (kind == "index" and isinstance(value, list) and key < len(value)):
                found.append(value[key])
            elif kind == "wildcard" and isinstance(value, dict | list):
                found.extend(value.values() if isinstance(value, dict) else value)
        definite = definite and kind != "wildcard"
        if definite and not found:
            return False, None
        values = found
    return True, values[0] if definite else values


def context_of(ctx: dict[str, Any] | None) -> dict[str, Any]:
    """The context object as a state sees it under ``$$``."""
    seen = {name: value for name, value in (ctx or {}).items() if name not in _INTERNAL}
    if "Execution" in seen:
        execution = seams.module(seams.STATES)._executions.get(seen["Execution"].get("Id"))
        started = execution["events"][0].get("executionStartedEventDetails", {}) if execution else {}
        seen["Execution"] = {"RedriveCount": 0, "RoleArn": started.get("roleArn", ""), **seen["Execution"]}
    return seen


def locate(path: str, data: Any, ctx: dict[str, Any] | None) -> tuple[bool, Any]:
    """Follow a path into the input, or into the context object where it begins with ``$$``."""
    if path.startswith("$$"):
        return find(path[1:], context_of(ctx))
    return find(path, data)


def shown(data: Any) -> str:
    """JSON for a message, cut where it is long."""
    text = json.dumps(data, separators=(",", ":"))
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _in_brackets(path: str) -> str:
    head, *rest = path.replace("$$", "$").split(".")
    return head + "".join(f"['{part}']" for part in rest)


def _resolve_path(path: str, data: Any) -> Any:
    if not path or not path.startswith("$"):
        return data
    there, value = find(path, data)
    if not there:
        raise runtime_error(f"Invalid path '{path}' : No results for path: {_in_brackets(path)}")
    return value


def _resolve_ctx_path(path: str, ctx: dict[str, Any] | None) -> Any:
    there, value = locate(path, None, ctx)
    if not there:
        raise runtime_error(f"Invalid path '{path}' : No results for path: {_in_brackets(path)}")
    return value


def _resolve_template(template: Any, data: Any, ctx: dict[str, Any] | None = None) -> Any:
    """Fill in a payload template (Parameters, ResultSelector, ItemSelector)."""
    if isinstance(template, list):
        return [_resolve_template(item, data, ctx) for item in template]
    if not isinstance(template, dict):
        return template
    result = {}
    for field, value in template.items():
        if not field.endswith(".$") or not isinstance(value, str):
            result[field] = _resolve_template(value, data, ctx)
        elif value.startswith("States."):
            result[field[:-2]] = seams.module(seams.STATES)._evaluate_intrinsic(value, data, ctx)
        else:
            there, found = locate(value, data, ctx)
            if not there:
                where = context_of(ctx) if value.startswith("$$") else data
                raise runtime_error(
                    f"The JSONPath '{value}' specified for the field '{field}' could not be found "
                    f"in the input '{shown(where)}'"
                )
            result[field[:-2]] = found
    return result


def _intrinsic_argument(
    original: Callable[..., Any], arg: tuple[Any, ...], data: Any, ctx: dict[str, Any] | None
) -> Any:
    if arg[0] != "path":
        return original(arg, data, ctx)
    there, value = locate(arg[1], data, ctx)
    if not there:
        raise runtime_error(
            f"The JsonPath argument for the field '{arg[1]}' could not be found in the input '{shown(data)}'"
        )
    return value


def _intrinsic(original: Callable[..., Any], expression: str, data: Any, ctx: dict[str, Any] | None) -> Any:
    try:
        return original(expression, data, ctx)
    except seams.module(seams.STATES)._ExecutionError:
        raise
    except Exception as error:
        raise seams.states_task_error(
            "States.IntrinsicFailure", f"The function '{expression}' had the following error: {error}"
        ) from error


def _call_intrinsic(
    original: Callable[..., Any], node: tuple[Any, ...], data: Any, ctx: dict[str, Any] | None
) -> Any:
    kind, name, arguments = node
    if name == "States.Format":
        evaluate = seams.module(seams.STATES)._eval_intrinsic_arg
        values = [evaluate(argument, data, ctx) for argument in arguments]
        written = [value if isinstance(value, str) else json.dumps(value) for value in values]
        node = (kind, name, [("str", text) for text in written])
    return original(node, data, ctx)


def _result_path(original: Callable[..., Any], result_path: str | None, target: Any, result: Any) -> Any:
    if result_path not in (None, "$") and not isinstance(target, dict):
        raise seams.states_task_error(
            "States.ResultPathMatchFailure",
            f"Unable to apply ResultPath '{result_path}' to input '{shown(target)}'",
        )
    return original(result_path, target, result)


def _wait(
    original: Callable[..., Any], state_def: dict[str, Any], raw_input: Any, ctx: dict[str, Any] | None = None
) -> Any:
    states = seams.module(seams.STATES)
    if states._state_query_language(state_def, ctx) != "JSONata":
        effective = states._apply_input_path(state_def, raw_input, ctx)
        for field, fits, kind in (
            ("SecondsPath", _is_seconds, "a long value"),
            ("TimestampPath", _is_timestamp, "an ISO-8601 extended offset date-time format string"),
        ):
            if field in state_def:
                there, value = locate(state_def[field], effective, ctx)
                if not there:
                    raise runtime_error(
                        f"The {field} parameter does not reference an input value: {state_def[field]}"
                    )
                if not fits(value):
                    raise runtime_error(
                        f"The {field} parameter cannot be parsed as {kind}: "
                        f"{state_def[field]} == {shown(value)}"
                    )
    return original(state_def, raw_input, ctx)


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_timestamp(value: Any) -> bool:
    return seams.module(seams.STATES)._parse_ts(value) is not None


def _jsonata(
    original: Callable[..., Any],
    expression: str,
    raw_input: Any,
    ctx: dict[str, Any] | None = None,
    *rest: Any,
    **named: Any,
) -> Any:
    whole = {**context_of(ctx), "variables": (ctx or {}).get("variables", {})}
    return original(expression, raw_input, whole, *rest, **named)


def install() -> None:
    """Make paths strict."""
    seams.replace(seams.STATES, "_resolve_path", _resolve_path)
    seams.replace(seams.STATES, "_resolve_ctx_path", _resolve_ctx_path)
    seams.replace(seams.STATES, "_resolve_params_obj", _resolve_template)
    seams.wrap(seams.STATES, "_eval_intrinsic_arg", _intrinsic_argument)
    seams.wrap(seams.STATES, "_evaluate_intrinsic", _intrinsic)
    seams.wrap(seams.STATES, "_exec_intrinsic", _call_intrinsic)
    seams.wrap(seams.STATES, "_apply_result_path_raw", _result_path)
    seams.wrap(seams.STATES, "_execute_wait", _wait)
    seams.wrap(seams.STATES, "_evaluate_jsonata", _jsonata)
