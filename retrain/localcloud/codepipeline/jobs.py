"""Jobs of Lambda actions: opened by the pipeline, answered by the function, each exactly once.

Jobs live in memory only. They hold credentials, which have no business in a file.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from retrain.localcloud.codepipeline.errors import (
    InvalidJobStateError,
    JobNotFoundError,
    VariablesTooLargeError,
)
from retrain.localcloud.sagemaker.errors import InvalidRequestError

VARIABLES_LIMIT = 122_880
"""Characters that the output variables of one action may have in all."""

MOST_KEPT = 2_000
"""Jobs that are remembered; a long training job is asked about every second."""


@dataclass
class Job:
    """One call of a function.

    Attributes
    ----------
    data
        What the function is sent, and what GetJobDetails answers.
    context
        The pipeline, stage and action.
    answer
        The request by which it was answered, None while it is open.
    failed
        Whether that was PutJobFailureResult.
    """

    id: str
    account: str
    data: dict[str, Any] = field(repr=False)
    context: dict[str, Any]
    answer: dict[str, Any] | None = None
    failed: bool = False
    closed: bool = False

    def event(self) -> dict[str, Any]:
        """Return what the function is invoked with."""
        return {"CodePipeline.job": {"id": self.id, "accountId": self.account, "data": self.data}}


class Jobs:
    """All jobs since the local cloud was started."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._answered = threading.Condition()

    def open(self, account: str, data: dict[str, Any], context: dict[str, Any]) -> Job:
        """Open a job."""
        job = Job(str(uuid.uuid4()), account, data, context)
        with self._answered:
            self._jobs[job.id] = job
            if len(self._jobs) > MOST_KEPT:
                oldest = next((known for known in self._jobs.values() if known.closed), None)
                if oldest is not None:
                    del self._jobs[oldest.id]
        return job

    def wait(self, job: Job, seconds: float) -> bool:
        """Wait for a job's answer; without one in that time, it can be answered no more."""
        with self._answered:
            self._answered.wait_for(lambda: job.answer is not None or job.closed, seconds)
            job.closed = True
            return job.answer is not None

    def close_all(self) -> None:
        """Let nobody wait any longer."""
        with self._answered:
            for job in self._jobs.values():
                job.closed = True
            self._answered.notify_all()

    def details(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetJobDetails."""
        job = self._get(request["jobId"])
        data = {**job.data, "pipelineContext": job.context}
        return {"jobDetails": {"id": job.id, "data": data, "accountId": job.account}}

    def put_success(self, request: dict[str, Any]) -> dict[str, Any]:
        """PutJobSuccessResult."""
        variables = request.get("outputVariables") or {}
        if variables and request.get("continuationToken"):
            raise InvalidRequestError("Output variables cannot be given together with a continuation token.")
        size = sum(len(name) + len(value) for name, value in variables.items())
        if size > VARIABLES_LIMIT:
            raise VariablesTooLargeError(
                f"The output variables have {size:,} characters; at most {VARIABLES_LIMIT:,} are possible."
            )
        return self._put(request, failed=False)

    def put_failure(self, request: dict[str, Any]) -> dict[str, Any]:
        """PutJobFailureResult."""
        return self._put(request, failed=True)

    def _put(self, request: dict[str, Any], *, failed: bool) -> dict[str, Any]:
        with self._answered:
            job = self._get(request["jobId"])
            if job.closed or job.answer is not None:
                raise InvalidJobStateError(
                    f"The job {job.id} is not in progress; it was answered or has timed out."
                )
            job.answer, job.failed = request, failed
            self._answered.notify_all()
        return {}

    def _get(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise JobNotFoundError(f"There is no job {job_id}.")
        return job
