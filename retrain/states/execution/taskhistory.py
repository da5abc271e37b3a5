"""What a task's attempt leaves in its execution's history."""

from __future__ import annotations

import re
from typing import Any, Final

from retrain.states.errors import StatesError
from retrain.states.execution.frames import Frame
from retrain.states.execution.record import Execution
from retrain.states.model import Json

_INTEGRATION: Final = re.compile(r"arn:[^:]*:states:[^:]*:[^:]*:(.+)", re.DOTALL)
_AWS_SDK: Final = "aws-sdk:"


class TaskHistory:
    """Records one attempt's events, in AWS's order and shape.

    The interpreter records the first event (`TaskScheduled`, `LambdaFunctionScheduled`, `ActivityScheduled`,
    by the kind of the resource) and the last one (`…Succeeded`, `…Failed`, `…TimedOut`). A runner says what
    happens in between, and where the last event is another than `…Failed`:

    - `started()`, when the service has begun; recorded at the end if a runner never says it;
    - `submitted(output)`, when a `.sync` or `.waitForTaskToken` request has been answered;
    - `start_failed`, `submit_failed`, `schedule_failed`, before it raises the StatesError of the same error
    and cause.

    Attributes
    ----------
    kind : str
        `LambdaFunction`, `Activity` or `Task`.
    resource_type, resource : str
        As the events of an integration have them: `sagemaker` and `createTrainingJob.sync`, or `aws-sdk:s3`
        and `listBuckets`. For Lambda functions and activities `resource` is the ARN.
    """

    def __init__(self, execution: Execution, frame: Frame, resource: str) -> None:
        self._execution = execution
        self._frame = frame
        self._started = False
        self._ended = False
        self.kind, self.resource_type, self.resource = split_resource(resource)

    def started(self, worker_name: str | None = None) -> None:
        """Record that the service has begun; a worker's name is for activities."""
        if self._started:
            return
        self._started = True
        if self.kind == "Activity":
            self._append("Started", {} if worker_name is None else {"workerName": worker_name})
        else:
            self._append("Started", None if self.kind == "LambdaFunction" else {})

    def submitted(self, output: Json) -> None:
        """Record the answer to the request that began a job, or that carries a token."""
        self.started()
        if self.kind == "Task":
            self._append("Submitted", {"output": output})

    def start_failed(self, error: str, cause: str = "") -> None:
        """Record that the service could not begin; the last event of the attempt."""
        self._end("StartFailed", {"error": error, "cause": cause})

    def submit_failed(self, error: str, cause: str = "") -> None:
        """Record that the request was refused; the last event of the attempt."""
        self.started()
        self._end("SubmitFailed" if self.kind == "Task" else "Failed", {"error": error, "cause": cause})

    def schedule_failed(self, error: str, cause: str = "") -> None:
        """Record that the service could not be asked; the last event of the attempt."""
        self._end(
            "StartFailed" if self.kind == "Task" else "ScheduleFailed", {"error": error, "cause": cause}
        )

    def _scheduled(
        self, arguments: Json, timeout: float | None, heartbeat: float | None, credentials: str | None
    ) -> None:
        details: dict[str, Any] = {"resource": self.resource}
        if self.kind == "Task":
            details |= {"region": self._execution.identity.region, "parameters": arguments}
        else:
            details["input"] = arguments
        if timeout is not None:
            details["timeoutInSeconds"] = int(timeout)
        if heartbeat is not None and self.kind != "LambdaFunction":
            details["heartbeatInSeconds"] = int(heartbeat)
        if credentials is not None and self.kind != "Activity":
            details["taskCredentials"] = {"roleArn": credentials}
        self._append("Scheduled", details)

    def _resumed(self, *, started: bool) -> None:
        self._started = started

    def _succeeded(self, output: Json) -> None:
        self.started()
        self._end("Succeeded", {"output": output})

    def _failed(self, error: StatesError) -> None:
        if not self._ended:
            self.started()
            self._end("Failed", _reason(error))

    def _timed_out(self, error: StatesError) -> None:
        if not self._ended:
            if self.kind != "Activity":
                self.started()
            self._end("TimedOut", _reason(error))

    def _end(self, what: str, details: dict[str, Any]) -> None:
        if not self._ended:
            self._ended = True
            self._append(what, details)

    def _append(self, what: str, details: dict[str, Any] | None) -> None:
        if self.kind == "Task" and details is not None:
            details = {"resourceType": self.resource_type, "resource": self.resource, **details}
        if self._execution.status == "RUNNING":  # a runner may still say something while it is cancelled
            self._execution.record(self._frame, self.kind + what, details)


def _reason(error: StatesError) -> dict[str, Any]:
    return {"error": error.error, "cause": error.cause} if error.cause else {"error": error.error}


def split_resource(resource: str) -> tuple[str, str, str]:
    """Return the kind of a Task's resource, and its type and name as the events of an integration have them.

    Examples
    --------
    >>> split_resource("arn:aws:states:::sagemaker:createTrainingJob.sync")
    ('Task', 'sagemaker', 'createTrainingJob.sync')
    >>> split_resource("arn:aws:states:::aws-sdk:s3:listBuckets")
    ('Task', 'aws-sdk:s3', 'listBuckets')
    """
    if not (found := _INTEGRATION.fullmatch(resource)):
        return "LambdaFunction", "lambda", resource
    rest = found[1]
    if rest.startswith("activity:"):
        return "Activity", "activity", resource
    sdk = _AWS_SDK if rest.startswith(_AWS_SDK) else ""
    service, _, action = rest.removeprefix(sdk).partition(":")
    return "Task", sdk + service, action
