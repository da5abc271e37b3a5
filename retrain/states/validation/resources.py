"""Checks of what a Task state calls: the resource itself, what it is given, whether Express may call it."""

from __future__ import annotations

import re
from typing import Any, Final

from retrain.states.model.values import JSONATA
from retrain.states.validation.expressions import is_jsonata
from retrain.states.validation.report import NO_TASK_TOKEN, Place, did_you_mean

_ARN: Final = re.compile(r"arn:[a-z0-9-]+:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+")
_FUNCTION: Final = re.compile(r"arn:[^:]+:lambda:[^:]+:[^:]+:function:.+")
_ACTIVITY: Final = re.compile(r"arn:[^:]+:states:[^:]+:[^:]+:activity:.+")
_INTEGRATION: Final = re.compile(
    r"arn:[^:]+:states:::(?P<sdk>aws-sdk:)?(?P<service>[^:.]+):(?P<action>[^:.]+)"
    r"(?:\.(?P<pattern>[A-Za-z0-9:]+))?"
)
_PATTERNS: Final = ("sync", "sync:2", "waitForTaskToken")
_TOKEN: Final = re.compile(
    r"\$\$\.Task\.Token|\bcontext\.Task\.Token|\$\$\['Task'\]\['Token'\]|^\$\$(?:\.Task)?$"
)


def resource(value: Any, place: Place, at: str) -> None:
    """Check a Resource field."""
    if not isinstance(value, str):
        place.report.schema("Expected value of type [STRING]", at)
    elif not _ARN.fullmatch(value):
        place.report.schema(f"Value is not a valid resource ARN: '{value}'", at)
    elif _ACTIVITY.fullmatch(value):
        if place.kind == "EXPRESS":
            place.report.schema("Express state machine does not support Activity ARN", at)
    elif not _FUNCTION.fullmatch(value):
        _integration(value, place, at)


def _integration(arn: str, place: Place, at: str) -> None:
    match = _INTEGRATION.fullmatch(arn)
    if match is None:
        _unknown(arn, place, at)
        return
    pattern = match["pattern"] or ""
    if pattern and pattern not in _PATTERNS:
        _unknown(arn, place, at, did_you_mean(pattern, _PATTERNS))
    elif match["sdk"]:
        _sdk_call(arn, match["service"], match["action"], pattern, place, at)
    else:
        _optimised(arn, match["service"], match["action"], pattern, place, at)
    if place.kind == "EXPRESS" and pattern in _PATTERNS:
        name = pattern.removesuffix(":2")
        place.report.schema(f"Express state machine does not support '.{name}' service integration", at)


def _unknown(arn: str, place: Place, at: str, why: str = "") -> None:
    place.report.schema(
        f"The resource provided {arn} is not recognized. The value is not a valid resource ARN, or the"
        f" resource is not available in this region.{why}",
        at,
    )


def _optimised(arn: str, service: str, action: str, pattern: str, place: Place, at: str) -> None:
    from retrain.states.tasks.optimised import INTEGRATIONS, KNOWN_ELSEWHERE

    if service in KNOWN_ELSEWHERE:
        return
    if service not in INTEGRATIONS:
        near = did_you_mean(service, [*INTEGRATIONS, *KNOWN_ELSEWHERE])
        _unknown(arn, place, at, near or f" For any service: aws-sdk:{service}:{action}")
        return
    actions = INTEGRATIONS[service].actions
    if action not in actions:
        near = did_you_mean(action, actions)
        _unknown(
            arn, place, at, near or f" Its actions are {', '.join(actions)}; for others: aws-sdk:{service}"
        )
    elif pattern and pattern not in actions[action].patterns:
        known = ", ".join(f".{each}" for each in sorted(actions[action].patterns)) or "none"
        _unknown(arn, place, at, f" '.{pattern}' is not one of its patterns: {known}")


def _sdk_call(arn: str, service: str, action: str, pattern: str, place: Place, at: str) -> None:
    from retrain.states.tasks import naming

    found = naming.service_of(service)
    if found is None:
        _unknown(arn, place, at, f" '{service}' is no service of the AWS SDK.")
    elif naming.operation_of(found, action) is None:
        names = [name[:1].lower() + name[1:] for name in naming.service_model(found).operation_names]
        _unknown(arn, place, at, did_you_mean(action, names))
    elif pattern.startswith("sync"):
        _unknown(arn, place, at, f" Calls of the AWS SDK know no '.{pattern}'.")


def task(state: dict[str, Any], place: Place, at: str) -> None:
    """Check what only shows in a Task state as a whole."""
    arn = state.get("Resource")
    _timeouts(state, place, at)
    if not isinstance(arn, str):
        return
    _credentials(state, arn, place, at)
    match = _INTEGRATION.fullmatch(arn)
    if match is None or _ACTIVITY.fullmatch(arn):
        return
    name = "Arguments" if place.language == JSONATA else "Parameters"
    if name not in state:
        place.report.schema(f"{name} field is required for resource ARN: {arn}", at)
        return
    if isinstance(state[name], dict):
        _members(state[name], match, place, f"{at}/{name}")
    if match["pattern"] == "waitForTaskToken" and not _passes_token(state[name]):
        place.report.warning(
            NO_TASK_TOKEN,
            f"Nothing in {name} passes the task token on: no one could send it back",
            f"{at}/{name}",
        )


def _timeouts(state: dict[str, Any], place: Place, at: str) -> None:
    timeout, heartbeat = state.get("TimeoutSeconds"), state.get("HeartbeatSeconds")
    if type(timeout) is int and type(heartbeat) is int and heartbeat >= timeout > 0:
        place.report.schema(
            f"HeartbeatSeconds must be smaller than TimeoutSeconds, which is {timeout}",
            f"{at}/HeartbeatSeconds",
        )


def _credentials(state: dict[str, Any], arn: str, place: Place, at: str) -> None:
    if "Credentials" not in state:
        return
    if _ACTIVITY.fullmatch(arn):
        place.report.schema("The field 'Credentials' is not supported for activities", at)
    value = state["Credentials"]
    if isinstance(value, dict) and not {"RoleArn", "RoleArn.$"} & set(value):
        place.report.schema("The field 'RoleArn' is required but was missing", f"{at}/Credentials")


def _members(given: dict[str, Any], match: re.Match[str], place: Place, at: str) -> None:
    """Check the members of a request against botocore's model of it."""
    from retrain.states.tasks import naming
    from retrain.states.tasks.optimised import INTEGRATIONS

    only: frozenset[str] | None = None
    if match["sdk"]:
        service = naming.service_of(match["service"])
    else:
        integration = INTEGRATIONS.get(match["service"])
        service = integration.service if integration else None
        action = integration.actions.get(match["action"]) if integration else None
        only = action.fields if action else None
    operation = naming.operation_of(service, match["action"]) if service else None
    if operation is None or operation.input_shape is None:
        return
    shape = operation.input_shape
    known = {naming.member_name(member, shape.name): member for member in shape.members}
    names = {key.removesuffix(".$") if place.language != JSONATA else key for key in given}
    for name in sorted(names):
        if name not in (known if only is None else only):
            near = did_you_mean(name, known if only is None else only)
            place.report.schema(f'The field "{name}" is not supported by Step Functions{near}', at)
    for name, member in known.items():
        if member in shape.required_members and name not in names and not _made_up(shape, member):
            place.report.schema(f"The field '{name}' is required but was missing", at)


def _made_up(shape: Any, member: str) -> bool:
    """Return whether the SDK fills a member in by itself, so that nobody has to give it."""
    return bool(shape.members[member].metadata.get("idempotencyToken"))


def _passes_token(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_passes_token, value.values()))
    if isinstance(value, list):
        return any(map(_passes_token, value))
    # A whole context object, or a whole input made elsewhere, may hold the token.
    return isinstance(value, str) and bool(_TOKEN.search(value) or is_jsonata(value))
