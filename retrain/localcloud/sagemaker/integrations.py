"""SageMaker as Step Functions calls it: the optimised integrations, and those of the AWS SDK.

The two differ in their errors. The optimised ones were built with version 1 of AWS's Java SDK
(``SageMaker.AmazonSageMakerException`` for all that has no class of its own), the others with version 2
(``SageMaker.SageMakerException``). The optimised ``.sync`` gives times as milliseconds, the others as ISO
8601.
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.sagemaker.errors import (
    ApiError,
    ConflictError,
    MalformedRequestError,
    ResourceInUseError,
    ResourceNotFoundError,
)
from retrain.localcloud.sagemaker.service import SageMaker
from retrain.localcloud.sagemaker.training import records
from retrain.localcloud.sagemaker.validation import service_model

OPTIMISED = "arn:aws:states:::sagemaker:"
SDK = "arn:aws:states:::aws-sdk:sagemaker:"
SYNC = ".sync"

# What the optimised integrations take of requests; everything where nothing is said.
_OPTIMISED_ACTIONS: dict[str, frozenset[str] | None] = {
    "createTrainingJob": None,
    "createModel": None,
    "createEndpointConfig": None,
    "createEndpoint": frozenset({"EndpointName", "EndpointConfigName", "Tags"}),
    "updateEndpoint": frozenset({"EndpointName", "EndpointConfigName"}),
}
_MODELLED = (ResourceInUseError, ResourceNotFoundError, ConflictError)
_MANAGED_TAG = {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}

Failure = Callable[[str, str], Exception]


class Integrations:
    """Answers the tasks of state machines.

    Parameters
    ----------
    sagemaker
        What they call.
    failure
        Makes the exception that fails a task, of an error name and a cause.
    """

    def __init__(self, sagemaker: SageMaker, failure: Failure = seams.states_task_error) -> None:
        self._sagemaker = sagemaker
        self._failure = failure

    def optimised(self, resource: str, parameters: Any) -> Any:
        """Carry out a task whose resource begins with ``arn:aws:states:::sagemaker:``."""
        action = resource.removeprefix(OPTIMISED)
        synchronous = action.endswith(SYNC)
        action = action.removesuffix(SYNC)
        if action not in _OPTIMISED_ACTIONS or (synchronous and action != "createTrainingJob"):
            raise self._failure("States.Runtime", f"{resource} is not implemented in the local cloud.")
        allowed = _OPTIMISED_ACTIONS[action]
        for name in parameters if isinstance(parameters, dict) else ():
            if allowed is not None and name not in allowed:
                raise self._unusable(
                    f"The field '{name}' is not supported by Step Functions; use {SDK}{action} for it"
                )
        operation = action[0].upper() + action[1:]
        if synchronous:
            return self._train(operation, parameters)
        return self._call(operation, parameters, self._version_1_error)

    def sdk(self, resource: str, parameters: Any) -> Any:
        """Carry out a task whose resource begins with ``arn:aws:states:::aws-sdk:sagemaker:``."""
        action = resource.removeprefix(SDK)
        operation = action[0].upper() + action[1:]
        answer = self._call(operation, parameters, self._version_2_error)
        shape = service_model().operation_model(operation).output_shape
        return _iso_times(answer, shape) if shape is not None else answer

    def _call(
        self,
        operation: str,
        parameters: Any,
        to_error: Callable[[ApiError], Exception],
        execution: str | None = None,
    ) -> dict[str, Any]:
        # A copy: defaults are filled in, and the parameters are the state machine's own.
        request = json.loads(json.dumps(parameters))
        try:
            return self._sagemaker.call(operation, request, execution=execution)
        except MalformedRequestError as error:
            raise self._unusable(error.message) from error
        except ApiError as error:
            raise to_error(error) from error

    def _train(self, operation: str, parameters: Any) -> dict[str, Any]:
        """Start a training job, wait for its end, and give what the event about it says."""
        request = dict(parameters) if isinstance(parameters, dict) else parameters
        if isinstance(request, dict) and isinstance(request.get("Tags", []), list):
            request["Tags"] = [*request.get("Tags", []), _MANAGED_TAG]
        self._call(operation, request, self._version_1_error, seams.current_execution())
        name = request["TrainingJobName"]
        job = self._sagemaker.training_jobs.wait(name, seams.task_cancelled())
        if job is None:
            self._sagemaker.training_jobs.stop_if_running(name)
            raise self._failure("States.Timeout", f"Nobody waits any longer for training job {name}.")
        detail = records.event_detail(job)
        if job["TrainingJobStatus"] != "Completed":
            # Stopped is a failure too: a model that was trained half is not what was asked for.
            raise self._failure("States.TaskFailed", json.dumps(detail))
        return detail

    def _unusable(self, why: str) -> Exception:
        return self._failure("States.Runtime", f"The Parameters could not be used to start the Task: [{why}]")

    def _version_1_error(self, error: ApiError) -> Exception:
        name = f"{error.code}Exception" if isinstance(error, _MODELLED) else "AmazonSageMakerException"
        cause = (
            f"{error.message} (Service: AmazonSageMaker; Status Code: {error.status}; "
            f"Error Code: {error.code}; Request ID: {uuid.uuid4()}; Proxy: null)"
        )
        return self._failure(f"SageMaker.{name.replace('ExceptionException', 'Exception')}", cause)

    def _version_2_error(self, error: ApiError) -> Exception:
        name = f"{error.code}Exception" if isinstance(error, _MODELLED) else "SageMakerException"
        cause = (
            f"{error.message} (Service: SageMaker, Status Code: {error.status}, Request ID: {uuid.uuid4()})"
        )
        return self._failure(f"SageMaker.{name.replace('ExceptionException', 'Exception')}", cause)


def _iso_times(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict):
        return {
            key: _iso_times(item, shape.members[key]) for key, item in value.items() if key in shape.members
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_iso_times(item, shape.member) for item in value]
    if shape.type_name == "timestamp":
        moment = datetime.datetime.fromtimestamp(value, datetime.UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    return value
