"""What tasks give out, and what the context object has, as far as AWS's models and documentation say."""

from __future__ import annotations

from typing import Final

from botocore.model import ListShape, StructureShape
from botocore.model import Shape as BotocoreShape

from retrain.states.tasks import naming
from retrain.states.tasks.optimised import INTEGRATIONS
from retrain.workflow.checks.shapes import ANYTHING, MAX_DEPTH, PLAIN, Array, Object, Shape
from retrain.workflow.errors import ServiceError
from retrain.workflow.services import ServiceAction, parse
from retrain.workflow.services.actions import REQUEST_RESPONSE

CONTEXT: Final = Object(
    {
        "Execution": Object(
            {
                "Id": PLAIN,
                "Input": ANYTHING,
                "Name": PLAIN,
                "RoleArn": PLAIN,
                "StartTime": PLAIN,
                "RedriveCount": PLAIN,
                "RedriveTime": PLAIN,
            }
        ),
        "State": Object({"EnteredTime": PLAIN, "Name": PLAIN, "RetryCount": PLAIN}),
        "StateMachine": Object({"Id": PLAIN, "Name": PLAIN}),
        "Task": Object({"Token": PLAIN}),
        "Map": ANYTHING,
    }
)
"""The context object."""
ERROR: Final = Object({"Error": PLAIN, "Cause": PLAIN})
"""What a catcher hands on."""
_METADATA: Final = {"SdkHttpMetadata": ANYTHING, "SdkResponseMetadata": ANYTHING}


def of_task(resource: str) -> Shape:
    """Return what is known of a task's result, by its resource.

    Of functions, activities, jobs and callbacks it is whatever they say; of a service's answer, what
    botocore's model has.
    """
    try:
        found = parse(resource)
    except ServiceError:
        return ANYTHING
    if found is None or found[1] != REQUEST_RESPONSE:
        return ANYTHING
    action = found[0]
    answer = _answer(action)
    if answer is None:
        return ANYTHING
    shape = _of(answer, action, 0)
    if action.sdk or not isinstance(shape, Object):
        return shape
    members = {**shape.members, **_METADATA}
    if (action.service, action.action) == ("lambda", "invoke"):
        members["Payload"] = ANYTHING
    return Object(members)


def _answer(action: ServiceAction) -> BotocoreShape | None:
    if action.sdk:
        service = naming.service_of(action.service)
    else:
        integration = INTEGRATIONS.get(action.service)
        service = integration.service if integration else None
    operation = naming.operation_of(service, action.action) if service else None
    return None if operation is None else operation.output_shape


def _of(shape: BotocoreShape, action: ServiceAction, depth: int) -> Shape:
    if depth > MAX_DEPTH or getattr(shape, "is_document_type", False):
        return ANYTHING
    if isinstance(shape, StructureShape):
        return Object(
            {
                action.spelling(name, shape.name): _of(member, action, depth + 1)
                for name, member in shape.members.items()
            }
        )
    if isinstance(shape, ListShape):
        return Array(_of(shape.member, action, depth + 1))
    return ANYTHING if shape.type_name in {"map", "blob"} else PLAIN
