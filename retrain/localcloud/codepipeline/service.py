"""The front door: requests in AWS's protocol, checked and handed to the part that they are for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from retrain.localcloud.codepipeline.executions import Executions
from retrain.localcloud.codepipeline.jobs import Jobs
from retrain.localcloud.codepipeline.pipelines import Pipelines
from retrain.localcloud.codepipeline.platform import Platform
from retrain.localcloud.sagemaker import protocol
from retrain.localcloud.sagemaker.errors import ApiError, MalformedRequestError, UnsupportedError
from retrain.localcloud.sagemaker.protocol import Answer
from retrain.localcloud.sagemaker.store import Collection
from retrain.localcloud.sagemaker.validation import validate

log = logging.getLogger("retrain.localcloud.codepipeline")

TARGET_PREFIX = "CodePipeline_20150709"


class CodePipeline:
    """CodePipeline, as far as a small pipeline needs it.

    Parameters
    ----------
    platform
        The surroundings.
    folder
        Where pipelines and executions are kept.
    """

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        lock = threading.RLock()
        self.jobs = Jobs()
        self.executions = Executions(platform, Collection(folder / "executions", lock), self.jobs)
        self.pipelines = Pipelines(platform, Collection(folder / "pipelines", lock), self.executions)
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreatePipeline": self.pipelines.create,
            "UpdatePipeline": self.pipelines.update,
            "GetPipeline": self.pipelines.get,
            "DeletePipeline": self.pipelines.delete,
            "ListPipelines": self.pipelines.list_all,
            "StartPipelineExecution": self.pipelines.start,
            "GetPipelineExecution": self.pipelines.execution,
            "ListPipelineExecutions": self.pipelines.list_executions,
            "GetPipelineState": self.pipelines.state,
            "ListActionExecutions": self.pipelines.list_actions,
            "GetJobDetails": self.jobs.details,
            "PutJobSuccessResult": self.jobs.put_success,
            "PutJobFailureResult": self.jobs.put_failure,
        }

    def call(self, operation: str, parameters: Any) -> dict[str, Any]:
        """Carry out one operation.

        Raises
        ------
        ApiError
            What the caller gets instead of an answer.
        """
        validate(operation, parameters, "codepipeline")
        function = self._operations.get(operation)
        if function is None:
            raise UnsupportedError(operation)
        return function({key: value for key, value in parameters.items() if value is not None})

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        """Answer an HTTP request."""
        del query  # the protocol has none
        target = headers.get("x-amz-target", "")
        prefix, _, operation = target.partition(".")
        try:
            if prefix != TARGET_PREFIX or not operation:
                raise MalformedRequestError(
                    f"{method} {path} with X-Amz-Target {target!r} is no request to CodePipeline."
                )
            return protocol.answer(200, self.call(operation, protocol.parsed(body)))
        except ApiError as error:
            return protocol.refusal(error.status, error.code, error.message)
        except Exception as error:  # the caller must get an answer in AWS's form
            log.exception("%s %s failed in the local cloud itself.", path, target)
            return protocol.refusal(500, "InternalFailure", f"{type(error).__name__}: {error}")

    def shutdown(self) -> None:
        """End what runs. The records stay."""
        self.platform.stopping.set()
        self.jobs.close_all()
