"""Actions of services, as Task states call them: how they can be waited for, and what they take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from botocore.loaders import create_loader
from botocore.model import StructureShape

from retrain.states.errors import StatesError
from retrain.states.tasks import naming, resources
from retrain.states.tasks.optimised import INTEGRATIONS
from retrain.states.tasks.shapes import Spelling, optimised_spelling, sdk_spelling
from retrain.states.validation.report import did_you_mean
from retrain.workflow.errors import PatternError, ServiceError
from retrain.workflow.services.elsewhere import ELSEWHERE, request_shape

REQUEST_RESPONSE: Final = ""
PATTERN_NAMES: Final = {
    REQUEST_RESPONSE: "request-response",
    "sync": ".sync",
    "sync:2": ".sync:2",
    "waitForTaskToken": ".waitForTaskToken",
}
"""The integration patterns, as people say them."""
_SDK_PATTERNS: Final = frozenset({REQUEST_RESPONSE, "waitForTaskToken"})


@dataclass(frozen=True)
class ServiceAction:
    """An action of a service.

    Attributes
    ----------
    service, action
        As in the resource: `sagemaker` and `createTrainingJob`.
    sdk
        Whether it is called through the AWS SDK (`aws-sdk:…`) instead of an integration of its own.
    patterns
        How a task can go on after the call; the empty one is request-response.
    request
        What it takes; None if it takes nothing.
    only
        The members of the request that can be given; None for all.
    json_members
        Members that are text to the service and may be given as JSON.
    spelling
        How a state machine writes the members.
    """

    service: str
    action: str
    sdk: bool
    patterns: frozenset[str]
    request: StructureShape | None
    only: frozenset[str] | None
    json_members: frozenset[str]
    spelling: Spelling

    def __str__(self) -> str:
        """Return service and action, as in the resource."""
        return f"{'aws-sdk:' if self.sdk else ''}{self.service}:{self.action}"

    def resource(self, pattern: str = REQUEST_RESPONSE, *, partition: str = "aws") -> str:
        """Return the resource of a Task state.

        Raises
        ------
        PatternError
            The action does not offer the pattern.
        """
        if pattern not in self.patterns:
            raise PatternError(
                f"{self} does not offer {PATTERN_NAMES.get(pattern, pattern)}: it offers {self.offers()}."
            )
        return f"arn:{partition}:states:::{self}" + (f".{pattern}" if pattern else "")

    def offers(self) -> str:
        """Return the patterns that the action offers, in words."""
        return ", ".join(PATTERN_NAMES[each] for each in PATTERN_NAMES if each in self.patterns)

    @property
    def waits(self) -> str:
        """The pattern that waits for a job's end; empty if there is none."""
        return next((each for each in ("sync:2", "sync") if each in self.patterns), "")


def find(service: str, action: str, *, sdk: bool = False) -> ServiceAction:
    """Find an action.

    Parameters
    ----------
    service, action
        As in the resource of a Task state.
    sdk
        Whether a call of the AWS SDK is meant.

    Raises
    ------
    ServiceError
        There is no such service or action; the message has the nearest right name.
    """
    if sdk:
        return _sdk_action(service, action)
    if service in ELSEWHERE:
        return _elsewhere(service, action)
    if service not in INTEGRATIONS:
        raise ServiceError(
            f"Step Functions has no optimised integration of '{service}'"
            f"{did_you_mean(service, optimised_services()) or ': call it through the AWS SDK (AwsSdkStep).'}"
        )
    integration = INTEGRATIONS[service]
    known = integration.actions.get(action)
    if known is None:
        raise _unknown_action(service, action, list(integration.actions))
    operation = naming.operation_of(integration.service, action)
    return ServiceAction(
        *(service, action, False),
        patterns=known.patterns | ({REQUEST_RESPONSE} if known.request_response else frozenset()),
        request=None if operation is None else operation.input_shape,
        only=known.fields,
        json_members=known.json_fields,
        spelling=optimised_spelling,
    )


def parse(resource: str) -> tuple[ServiceAction, str] | None:
    """Return the action and the pattern that a Task state's resource names.

    Returns
    -------
    tuple or None
        None for a function's and an activity's ARN.

    Raises
    ------
    ServiceError
        There is no such service or action.
    """
    try:
        found = resources.parse(resource)
    except StatesError as error:
        raise ServiceError(
            f"{error.cause} A resource is the ARN of a function, of an activity, or such as "
            "'arn:aws:states:::lambda:invoke'."
        ) from None
    if found.kind not in {"optimised", "aws-sdk"}:
        return None
    return find(found.service, found.action, sdk=found.kind == "aws-sdk"), found.pattern


def optimised_services() -> list[str]:
    """Return the names of all services with an optimised integration."""
    return sorted({*INTEGRATIONS, *ELSEWHERE})


def actions_of(service: str) -> list[str]:
    """Return the names of a service's optimised actions."""
    return list(ELSEWHERE[service].actions if service in ELSEWHERE else INTEGRATIONS[service].actions)


def _elsewhere(service: str, action: str) -> ServiceAction:
    integration = ELSEWHERE[service]
    known = integration.actions.get(action)
    if known is None:
        raise _unknown_action(service, action, list(integration.actions))
    only = None
    if known.request is not None:
        request = request_shape(known.request)
    else:
        assert integration.service is not None  # noqa: S101
        operation = naming.operation_of(integration.service, known.operation or action)
        assert operation is not None  # noqa: S101  (a test goes through all of them)
        request = operation.input_shape
        if known.without:
            spelt = {optimised_spelling(name, request.name) for name in request.members}
            only = frozenset(spelt - known.without)
    return ServiceAction(
        *(service, action, False),
        patterns=known.patterns,
        request=request,
        only=only,
        json_members=frozenset(),
        spelling=optimised_spelling,
    )


def _sdk_action(service: str, action: str) -> ServiceAction:
    boto3_name = naming.service_of(service)
    if boto3_name is None:
        raise ServiceError(f"The AWS SDK has no service '{service}'{_sdk_hint(service)}")
    operation = naming.operation_of(boto3_name, action)
    names = [name[:1].lower() + name[1:] for name in naming.service_model(boto3_name).operation_names]
    if operation is None or not action[:1].islower():
        raise ServiceError(
            f"'{service}' has no action '{action}'{did_you_mean(action, names) or '.'} Actions are written "
            "in camel case, as in 'listBuckets'."
        )
    return ServiceAction(
        *(service, action, True),
        patterns=_SDK_PATTERNS,
        request=operation.input_shape,
        only=None,
        json_members=frozenset(),
        spelling=sdk_spelling,
    )


def _sdk_hint(service: str) -> str:
    """Return what the SDK calls a service that was named otherwise."""
    boto3_names = create_loader().list_available_services("service-2")
    if service in boto3_names:
        own_name = naming.service_model(service).service_id.replace(" ", "").lower()
        if naming.service_of(own_name):
            return f"; did you mean '{own_name}'?"
    joined = [name.replace("-", "") for name in boto3_names]
    return did_you_mean(service.replace("-", ""), [name for name in joined if naming.service_of(name)]) or "."


def _unknown_action(service: str, action: str, known: list[str]) -> ServiceError:
    near = did_you_mean(action, known) or f". It has {', '.join(known)}; for any other, call the AWS SDK."
    return ServiceError(f"The optimised integration of '{service}' has no action '{action}'{near}")
