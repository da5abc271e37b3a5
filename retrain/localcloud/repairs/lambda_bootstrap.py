"""The runtime inside a function's process: standard library only, run as a file with ``python -I -S``.

One JSON object a line. In: how to start (first line), then ``{"event", "request_id", "arn", "deadline",
"trace"}`` for each invocation. Out: ``{"ready": true}`` or an error, then ``{"result"}`` or ``{"error"}`` for
each. What the function prints goes to standard error, ended by a mark after each invocation, so that no line
is lost or late.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

Payload = dict[str, Any]
Handler = Callable[[Any, Any], Any]


class Context:
    """The context object of a Python function."""

    def __init__(self, request_id: str, arn: str, deadline: float) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function times out."""
        return max(0, int((self._deadline - time.time()) * 1000))


def to_json(value: object) -> str:
    """A value as Lambda's runtime marshals it: NaN is kept, a Decimal becomes a number."""

    def default(item: object) -> float:
        if isinstance(item, Decimal):
            return float(item)
        raise TypeError(f"Object of type {type(item).__name__} is not JSON serializable")

    return json.dumps(value, ensure_ascii=False, default=default)


def failure(kind: str, message: str, frames: Iterable[str] = ()) -> Payload:
    """An error payload as Lambda's runtime makes it."""
    return {"errorMessage": message, "errorType": kind, "stackTrace": list(frames)}


def raised(error: Exception, request_id: str) -> Payload:
    """The payload of an exception that the function raised, with the frames of the function alone."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    payload = failure(type(error).__name__, str(error), traceback.format_list(own))
    sys.stderr.write(f"[ERROR] {type(error).__name__}: {error}\nTraceback (most recent call last):\n")
    sys.stderr.write("".join(payload["stackTrace"]))
    return {**payload, "requestId": request_id}


def load(module_name: str, handler_name: str) -> tuple[Handler | None, Payload | None]:
    """Import the handler; gives it, or an error payload."""
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        traceback.print_exc()
        return None, failure("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}")
    except SyntaxError as error:
        traceback.print_exc()
        return None, failure(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}"
        )
    except Exception as error:  # noqa: BLE001  (whatever the function's module raises is its own error)
        return None, raised(error, "")
    if not hasattr(module, handler_name):
        message = f"Handler '{handler_name}' missing on module '{module_name}'"
        return None, failure("Runtime.HandlerNotFound", message)
    return getattr(module, handler_name), None


def invoke(handler: Handler, message: Payload) -> Payload:
    """Run the handler once; gives what goes back."""
    context = Context(message["request_id"], message["arn"], message["deadline"])
    os.environ.pop("_X_AMZN_TRACE_ID", None)
    if message.get("trace"):
        os.environ["_X_AMZN_TRACE_ID"] = message["trace"]
    try:
        result = handler(message["event"], context)
    except Exception as error:  # noqa: BLE001  (whatever the handler raises is its own error)
        return {"error": raised(error, message["request_id"])}
    try:
        return {"result": json.loads(to_json(result))}
    except (TypeError, ValueError) as error:
        return {"error": failure("Runtime.MarshalError", f"Unable to marshal response: {error}")}


def main() -> None:
    """Serve invocations until standard input ends."""
    # The function may use its standard streams as it likes, and start programs that do.
    inward = os.fdopen(os.dup(0), "r", encoding="utf-8")
    outward = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123
    sys.stdout = sys.stderr = os.fdopen(
        2, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False
    )

    start = json.loads(inward.readline())
    sys.path[:0] = start["path"]
    mark = start["mark"] + "\n"

    def answer(content: Payload) -> None:
        sys.stderr.flush()
        os.write(2, mark.encode())
        outward.write(json.dumps(content) + "\n")
        outward.flush()

    handler, error = load(start["module"], start["handler"])
    answer({"ready": True} if handler is not None else {"error": error})
    if handler is None:
        return
    for line in inward:
        answer(invoke(handler, json.loads(line)))


if __name__ == "__main__":
    main()
