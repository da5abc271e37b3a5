"""The one module that touches MiniStack's internals: every seam that the local cloud is sewn on by.

MiniStack is pinned exactly (constraints.txt). `check` compares its version and the names and parameters
listed in ``_EXPECTED`` and fails loudly where one is missing, so that an upgrade that breaks a seam says so
at start. Each seam has a contract test in ``tests/unit/localcloud/test_seams.py``.

MiniStack reads its environment when it is imported; therefore nothing here imports it before a function is
called.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from types import ModuleType
from typing import Any

import botocore.session

from retrain.localcloud.errors import SeamBrokenError

log = logging.getLogger("retrain.localcloud")

MINISTACK_VERSION = "1.5.33"

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Response]]
"""``async (method, path, headers, body, query) -> (status, headers, body)``; headers' names in lower case."""

CfnCreate = Callable[[str, dict[str, Any], str], tuple[str, dict[str, Any]]]
CfnUpdate = Callable[[str, dict[str, Any], dict[str, Any], str], tuple[str, dict[str, Any]]]
CfnDelete = Callable[[str, dict[str, Any]], None]

STATES = "ministack.services.stepfunctions"
LAMBDA = "ministack.services.lambda_svc"
RUNTIME = "ministack.core.lambda_runtime"
ROUTER = "ministack.core.router"
PROVISIONERS = "ministack.services.cloudformation.provisioners"
DRIFT = "ministack.services.cloudformation.drift"

# Module -> attribute -> the names of its parameters, or None where it is no function.
_EXPECTED: dict[str, dict[str, str | None]] = {
    "ministack.app": {
        "app": "scope receive send",
        "SERVICE_HANDLERS": None,
        "SERVICE_REGISTRY": None,
        "_get_module": "name",
        "_MAIN_LOOP": None,
    },
    "ministack.core.responses": {"get_account_id": "", "get_region": ""},
    ROUTER: {
        "SERVICE_PATTERNS": None,
        "_KNOWN_AWS_SERVICE_NAMES": None,
        "detect_service": "method path headers query_params",
    },
    PROVISIONERS: {
        "_RESOURCE_HANDLERS": None,
        "_sfn_definition": "props",
        "_physical_name": "stack_name logical_id lowercase max_len seeded",
    },
    DRIFT: {"_DRIFT_READERS": None},
    "ministack.services.eventbridge": {"_put_events": "data allow_aws_source"},
    STATES: {
        "_start_execution": "data",
        "_resolve_state_machine_arn": "arn",
    },
}


def module(name: str) -> ModuleType:
    """One of MiniStack's modules; for the mends in ``retrain.localcloud.repairs``, and for them alone."""
    return importlib.import_module(name)


def check() -> None:
    """Verify that the installed MiniStack is the one that this package was written for.

    Raises
    ------
    SeamBrokenError
        Naming the version found and every attribute that is missing or takes other parameters.
    """
    found = version("ministack")
    problems = [] if found == MINISTACK_VERSION else [f"version {found} is installed"]
    for module_name, attributes in _EXPECTED.items():
        found_module = module(module_name)
        for attribute, parameters in attributes.items():
            if not hasattr(found_module, attribute):
                problems.append(f"{module_name}.{attribute} is missing")
            elif parameters is not None:
                actual = " ".join(inspect.signature(getattr(found_module, attribute)).parameters)
                if actual != parameters:
                    problems.append(f"{module_name}.{attribute} takes ({actual}), not ({parameters})")
    if problems:
        raise SeamBrokenError(
            f"The local cloud was written for MiniStack {MINISTACK_VERSION}, and the one installed differs: "
            + "; ".join(problems)
            + f". Install it with: pip install 'ministack=={MINISTACK_VERSION}'"
        )


def expect(module_name: str, attribute: str, parameters: str | None) -> None:
    """Add a name to those that `check` verifies (called when a repair is imported)."""
    _EXPECTED.setdefault(module_name, {})[attribute] = parameters


# ---------------------------------------------------------------------------------------------------------
# Services
# ---------------------------------------------------------------------------------------------------------


def register_service(name: str, handler: Handler, *, target_prefixes: Sequence[str] = ()) -> None:
    """Serve an AWS service that MiniStack lacks.

    Parameters
    ----------
    name
        The service's SigV4 credential scope (``sagemaker`` is that of sagemaker and of sagemaker-runtime
        alike: tell them apart by the path).
    handler
        Runs on the event loop and must not block it.
    target_prefixes
        Beginnings of ``X-Amz-Target``, for services that speak JSON with targets.
    """
    module("ministack.app").SERVICE_HANDLERS[name] = handler
    module(ROUTER).SERVICE_PATTERNS[name] = {"target_prefixes": list(target_prefixes)}


def register_cloudformation_type(
    type_name: str, create: CfnCreate, delete: CfnDelete, update: CfnUpdate | None = None
) -> None:
    """Teach CloudFormation a resource type.

    All three are called on the event loop's thread: they must not block, and must not call the cloud by HTTP.
    Raising anything fails the resource, with the exception's text as the reason.

    Parameters
    ----------
    type_name
        E.g. ``AWS::SageMaker::ModelPackageGroup``.
    create
        ``(logical_id, properties, stack_name) -> (physical_id, attributes)``; the physical id is what ``Ref``
        gives, the attributes what ``Fn::GetAtt`` gives.
    delete
        ``(physical_id, properties)``.
    update
        ``(physical_id, old_properties, new_properties, stack_name) -> (physical_id, attributes)``. A new
        physical id means a replacement. Without it, an update calls `create` again.
    """
    handlers: dict[str, Any] = {"create": create, "delete": delete}
    if update is not None:
        handlers["update"] = update
    module(PROVISIONERS)._RESOURCE_HANDLERS[type_name] = handlers


def put_aws_event(source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
    """Send an event as an AWS service does (``aws.sagemaker``), which PutEvents refuses to everybody else."""
    module("ministack.services.eventbridge")._put_events(
        {
            "Entries": [
                {
                    "Source": source,
                    "DetailType": detail_type,
                    "Detail": json.dumps(detail),
                    "Resources": resources,
                }
            ]
        },
        allow_aws_source=True,
    )


def account_id() -> str:
    """The account of the request or execution being served."""
    return str(module("ministack.core.responses").get_account_id())


def region() -> str:
    """The region of the request or execution being served."""
    return str(module("ministack.core.responses").get_region())


# ---------------------------------------------------------------------------------------------------------
# Step Functions
# ---------------------------------------------------------------------------------------------------------


def redirect_states(
    start: Callable[[dict[str, Any]], Response],
    machine_of: Callable[[str], str | None],
) -> None:
    """Lead the services that start executions in MiniStack's Step Functions to another one.

    These are the targets of EventBridge (by which Scheduler's go too) and of Pipes, and the detection of
    drift in stacks. They ask on any thread.

    Parameters
    ----------
    start
        Takes what StartExecution takes, and answers as a handler does.
    machine_of
        The ARN of the state machine that an ARN is of, or of which it is a version or an alias; else None.
    """
    replace(STATES, "_start_execution", start)
    replace(STATES, "_resolve_state_machine_arn", machine_of)
    readers = module(DRIFT)._DRIFT_READERS
    readers["AWS::StepFunctions::StateMachine"] = (
        lambda arn, _properties: None if machine_of(arn) is None else {},
        frozenset(),
    )


def states_definition(properties: dict[str, Any]) -> str:
    """The definition that a stack's state machine has, from wherever, with its substitutions.

    Raises
    ------
    ValueError
        It cannot be fetched.
    """
    return str(module(PROVISIONERS)._sfn_definition(properties))


def physical_name(stack_name: str, logical_id: str, longest: int) -> str:
    """A name for a resource of a stack whose template gives none."""
    return str(module(PROVISIONERS)._physical_name(stack_name, logical_id, max_len=longest))


async def call_service(
    service: str, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
) -> Response:
    """Call a service of the local cloud without HTTP, from any event loop.

    Its handler runs on the server's loop, where it runs for HTTP too. Cancelling the call does not end it.
    """
    application = module("ministack.app")
    handler: Handler = application.SERVICE_HANDLERS[service]
    serving = application._MAIN_LOOP
    answering = handler(method, path, headers, body, query)
    if serving is None or serving is asyncio.get_running_loop():
        return await answering
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_run(answering), serving))


async def _run(answering: Awaitable[Response]) -> Response:
    return await answering


# ---------------------------------------------------------------------------------------------------------
# Installation
# ---------------------------------------------------------------------------------------------------------


def replace(module_name: str, attribute: str, substitute: Any) -> Any:
    """Put `substitute` in the place of a name of MiniStack's, and give back what stood there.

    The name must be one that `check` verifies (see `expect`).
    """
    if attribute not in _EXPECTED.get(module_name, {}):
        raise SeamBrokenError(f"{module_name}.{attribute} is replaced without being listed among the seams.")
    owner = module(module_name)
    original = getattr(owner, attribute)
    setattr(owner, attribute, substitute)
    return original


def wrap(module_name: str, attribute: str, wrapper: Callable[..., Any]) -> None:
    """Replace a function by ``wrapper(original, *args, **kwargs)``."""
    original = getattr(module(module_name), attribute)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return wrapper(original, *args, **kwargs)

    replace(module_name, attribute, wrapped)


def install() -> None:
    """Check the seams and set those that the functions above rely on. Called once, before serving."""
    check()

    # Otherwise the first request for an unserved service loads every model that botocore has: seconds.
    replace(
        ROUTER, "_KNOWN_AWS_SERVICE_NAMES", frozenset(botocore.session.get_session().get_available_services())
    )
