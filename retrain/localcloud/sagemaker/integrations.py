"""SageMaker as the tasks of state machines reach it: without HTTP, and waiting without asking.

What Step Functions makes of requests, answers and errors is the engine's (`retrain.states.tasks`).
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from retrain.localcloud.sagemaker.errors import ApiError, UnsupportedError
from retrain.localcloud.sagemaker.service import SageMaker
from retrain.states.tasks.calls import Answer
from retrain.states.tasks.failures import NOT_IMPLEMENTED, client_error

_LOOK_SECONDS = 0.05


class Tasks:
    """Answers the tasks of state machines.

    Parameters
    ----------
    sagemaker
        What they call.
    """

    def __init__(self, sagemaker: SageMaker) -> None:
        self._sagemaker = sagemaker

    async def call(self, operation: str, request: dict[str, Any]) -> Answer:
        """Carry out an operation; times are seconds since the epoch.

        Raises
        ------
        botocore.exceptions.ClientError
            SageMaker refused.
        """
        return await asyncio.to_thread(self._call, operation, request)

    def _call(self, operation: str, request: dict[str, Any]) -> Answer:
        # A copy: defaults are filled in, and the values are the state machine's own.
        own = json.loads(json.dumps(request))
        try:
            answer = self._sagemaker.call(operation, own)
        except ApiError as error:
            code = NOT_IMPLEMENTED if isinstance(error, UnsupportedError) else error.code
            raise client_error(code, error.message, operation, error.status) from error
        metadata = {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RequestId": str(uuid.uuid4())}
        return {**answer, "ResponseMetadata": metadata}

    async def ended(self, operation: str, name: Any) -> None:
        """Return when a job has ended, of the kind that `operation` describes."""
        if operation != "DescribeTrainingJob":
            return
        while not self._sagemaker.training_jobs.has_ended(str(name)):
            await asyncio.sleep(_LOOK_SECONDS)
