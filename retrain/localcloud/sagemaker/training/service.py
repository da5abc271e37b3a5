"""The operations on training jobs."""

from __future__ import annotations

import threading
import time
from typing import Any

from retrain.localcloud.sagemaker.errors import InvalidRequestError, ResourceInUseError
from retrain.localcloud.sagemaker.listing import listed, select
from retrain.localcloud.sagemaker.platform import Platform
from retrain.localcloud.sagemaker.store import Record, Store
from retrain.localcloud.sagemaker.training import records, request
from retrain.localcloud.sagemaker.training.runner import JobRunner

SERVER_STOPPED = "InternalServerError: the local cloud was stopped"


class TrainingJobs:
    """Training jobs, and the threads that run them.

    Parameters
    ----------
    platform, store
        The surroundings. Jobs that the store has as under way were cut off by the end of the last server:
        they are Failed.
    """

    def __init__(self, platform: Platform, store: Store) -> None:
        self._platform = platform
        self._store = store
        self._runners: dict[str, JobRunner] = {}
        for record in store.training_jobs.all():
            if record["TrainingJobStatus"] not in records.ENDED:
                with store.training_jobs.edit(record["TrainingJobName"]) as job:
                    records.move(job, "Failed", status="Failed", FailureReason=SERVER_STOPPED)

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Start a job (CreateTrainingJob), by a valid request."""
        request.check(parameters)
        name = parameters["TrainingJobName"]
        arn = self._platform.arn("training-job", name)
        with self._store.lock:
            if name in self._store.training_jobs:
                raise ResourceInUseError(
                    "Training job names must be unique within an AWS account and region, and a training job "
                    f"with this name already exists ({arn})"
                )
            record = records.new(parameters, arn)
            self._store.training_jobs.put(name, record)
            runner = self._runners[name] = JobRunner(self._platform, self._store, name)
        self._platform.events.send(records.EVENT, records.event_detail(record), arn)
        runner.start()
        return {"TrainingJobArn": arn}

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer DescribeTrainingJob."""
        return records.describe(self.record(parameters["TrainingJobName"]))

    def record(self, name: str) -> Record:
        """Return a job's record.

        Raises
        ------
        InvalidRequestError
            If there is no such job, in AWS's words.
        """
        record = self._store.training_jobs.get(name)
        if record is None:
            raise InvalidRequestError("Requested resource not found.")
        return record

    def stop(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Ask for the end of a job (StopTrainingJob)."""
        name = parameters["TrainingJobName"]
        with self._store.lock:
            record = self.record(name)
            status = record["TrainingJobStatus"]
            if status in records.ENDED:
                raise InvalidRequestError(
                    f"The request was rejected because the training job is in status {status}."
                )
            if status == "InProgress":
                records.update(self._platform, self._store, name, "Stopping", status="Stopping")
            self._runners[name].stop()
        return {}

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Forget a job that has ended (DeleteTrainingJob)."""
        name = parameters["TrainingJobName"]
        with self._store.lock:
            status = self.record(name)["TrainingJobStatus"]
            if status not in records.ENDED:
                raise InvalidRequestError(f"The training job is in status {status} and cannot be deleted.")
            self._store.training_jobs.delete(name)
            self._runners.pop(name, None)
        return {}

    def list_all(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer ListTrainingJobs."""
        return listed(
            select(
                self._store.training_jobs.all(),
                parameters,
                name="TrainingJobName",
                status="TrainingJobStatus",
            ),
            parameters,
            "TrainingJobSummaries",
            (
                *("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime"),
                *("TrainingJobStatus", "SecondaryStatus"),
            ),
        )

    def wait(self, name: str, cancelled: threading.Event | None) -> Record | None:
        """Wait until a job has ended; None if `cancelled` was set first."""
        runner = self._runners.get(name)
        while runner is not None and not runner.done.wait(0.05):
            if cancelled is not None and cancelled.is_set():
                return None
        return self.record(name)

    def has_ended(self, name: str) -> bool:
        """Whether a job of that name does not run, or not any longer."""
        runner = self._runners.get(name)
        return runner is None or runner.done.is_set()

    def shutdown(self, seconds: float) -> None:
        """End all jobs; those that run become Failed."""
        running = [runner for runner in self._runners.values() if not runner.done.is_set()]
        for runner in running:
            runner.stop(SERVER_STOPPED)
        deadline = time.monotonic() + seconds
        for runner in running:
            runner.done.wait(max(0.0, deadline - time.monotonic()))
