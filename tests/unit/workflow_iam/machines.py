"""What the tests of rights share: machines of one task, and what their role needs."""

from __future__ import annotations

from typing import Any

from retrain.states.model import StateMachine, build
from retrain.workflow.iam import Needs, Scope, needs

SCOPE = Scope("aws", "eu-west-1", "123456789012", "machine")


def task(resource: str, parameters: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    resource = resource if resource.startswith("arn:") else f"arn:aws:states:::{resource}"
    request = {} if "Arguments" in fields else {"Parameters": parameters or {}}
    return {"Type": "Task", "Resource": resource, **request, "End": True, **fields}


def machine(state: dict[str, Any], **fields: Any) -> StateMachine:
    return build({"StartAt": "Do", "States": {"Do": state}, **fields})


def of(resource: str, parameters: dict[str, Any] | None = None, **fields: Any) -> Needs:
    """What a machine of one task needs."""
    return needs(machine(task(resource, parameters, **fields)), SCOPE)


def allowed(found: Needs) -> dict[str, list[str]]:
    """Action to resources."""
    made: dict[str, list[str]] = {}
    for need in found.needs:
        for action in need.actions:
            made.setdefault(action, []).extend(need.resources)
    return made
