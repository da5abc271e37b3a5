"""The one module that touches MiniStack's internals: every seam that the local cloud is sewn on by.

MiniStack is pinned exactly (constraints.txt). `check` compares its version and the names and parameters
listed in ``_EXPECTED`` and fails loudly where one is missing, so that an upgrade that breaks a seam says so
at start. Each seam has a contract test in ``tests/unit/localcloud/test_seams.py``.

MiniStack reads its environment when it is imported; therefore nothing here imports it before a function is
called.
"""

from __future__ import annotations

import contextvars
import functools
import importlib
import inspect
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
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

# Module -> attribute -> the names of its parameters, or None where it is no function.
_EXPECTED: dict[str, dict[str, str | None]] = {
    "ministack.app": {
        "app": "scope receive send",
        "SERVICE_HANDLERS": None,
        "SERVICE_REGISTRY": None,
        "_get_module": "name",
    },
    "ministack.core.responses": {"get_account_id": "", "get_region": ""},
    ROUTER: {
        "SERVICE_PATTERNS": None,
        "_KNOWN_AWS_SERVICE_NAMES": None,
        "detect_service": "method path headers query_params",
    },
    PROVISIONERS: {"_RESOURCE_HANDLERS": None},
    "ministack.services.eventbridge": {"_put_events": "data allow_aws_source"},
    STATES: {
        "_SERVICE_DISPATCH": None,
        "_AWS_SDK_SERVICE_MAP": None,
        "_AWS_SDK_ERROR_PREFIX": None,
        "_ExecutionError": None,
        "_executions": None,
        "_run_execution": "exec_arn",
        "_emit_execution_status_event": "execution",
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


def __getattr__(name: str) -> Any:
    # MiniStack's own class: the engine catches it by identity, and it cannot be imported before the
    # environment is set.
    if name == "StatesTaskError":
        return module(STATES)._ExecutionError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def states_task_error(error: str, cause: str) -> Exception:
    """The exception that fails a task with an error name and a cause that Retry and Catch see; raise it.

    The class itself is ``seams.StatesTaskError`` (for ``except``), with attributes ``error`` and ``cause``.
    """
    failure: Exception = module(STATES)._ExecutionError(error, cause)
    return failure


def register_states_integration(resource_prefix: str, handler: Callable[[str, Any], Any]) -> None:
    """Serve an optimised integration of Step Functions.

    Parameters
    ----------
    resource_prefix
        E.g. ``arn:aws:states:::sagemaker:``.
    handler
        ``(resource, parameters) -> result``. Runs on a thread of its own, where `current_execution` and
        `task_cancelled` tell whom it works for. `resource` keeps its ``.sync``. Failures are raised as
        `states_task_error`. It should end soon once `task_cancelled` is set; its result is then ignored.
    """
    module(STATES)._SERVICE_DISPATCH[resource_prefix] = handler


def register_sdk_service(sdk_name: str, target_prefix: str, error_prefix: str) -> None:
    """Let state machines call a service that speaks JSON with targets (``aws-sdk:NAME:ACTION``).

    Parameters
    ----------
    sdk_name
        NAME in the resource ARN and in `register_service`.
    target_prefix
        What stands before the dot of ``X-Amz-Target``.
    error_prefix
        What stands before the dot of error names, e.g. ``SageMaker``.
    """
    states = module(STATES)
    states._AWS_SDK_SERVICE_MAP[sdk_name] = {"target_prefix": target_prefix, "protocol": "json"}
    states._AWS_SDK_ERROR_PREFIX[sdk_name] = error_prefix


_execution: contextvars.ContextVar[str | None] = contextvars.ContextVar("retrain_execution", default=None)
_cancelled: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar(
    "retrain_task_cancelled", default=None
)
_end_callbacks: list[Callable[[str, str], None]] = []


def current_execution() -> str | None:
    """ARN of the execution that this thread works for, or None. Survives calls into service handlers."""
    return _execution.get()


def task_cancelled() -> threading.Event | None:
    """The event that is set once nobody waits any longer for the task that this thread runs.

    That is: its TimeoutSeconds or HeartbeatSeconds have passed, or its execution has ended. None outside a
    task.
    """
    return _cancelled.get()


@contextmanager
def executing(execution_arn: str) -> Iterator[None]:
    """Make `execution_arn` the current execution of this thread."""
    token = _execution.set(execution_arn)
    try:
        yield
    finally:
        _execution.reset(token)


@contextmanager
def cancellable(event: threading.Event) -> Iterator[None]:
    """Make `event` what `task_cancelled` answers on this thread and on those that copy its context."""
    token = _cancelled.set(event)
    try:
        yield
    finally:
        _cancelled.reset(token)


def on_execution_end(callback: Callable[[str, str], None]) -> None:
    """Call ``callback(execution_arn, status)`` whenever an execution has ended, on a thread of its own.

    The status is SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
    """
    _end_callbacks.append(callback)


def _execution_status_changed(execution: dict[str, Any]) -> None:
    if execution["status"] == "RUNNING":
        return
    for callback in _end_callbacks:
        threading.Thread(
            target=contextvars.copy_context().run,
            args=(callback, execution["executionArn"], execution["status"]),
            name="execution-end",
            daemon=True,
        ).start()


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

    def run_execution(original: Callable[[str], None], exec_arn: str) -> None:
        with executing(exec_arn):
            original(exec_arn)

    def emit(original: Callable[[dict[str, Any]], None], execution: dict[str, Any]) -> None:
        original(execution)
        _execution_status_changed(execution)

    # Otherwise the first request for an unserved service loads every model that botocore has: seconds.
    replace(
        ROUTER, "_KNOWN_AWS_SERVICE_NAMES", frozenset(botocore.session.get_session().get_available_services())
    )
    wrap(STATES, "_run_execution", run_execution)
    wrap(STATES, "_emit_execution_status_event", emit)
