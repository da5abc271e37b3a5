"""What `.sync` waits for: jobs that one operation starts, another describes, and a third stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Request = dict[str, Any]
Look = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Job:
    """How a kind of job is followed.

    Attributes
    ----------
    identify
        ``(request, answer of the submission) -> the job's name or ARN``, kept over a restart.
    describe
        The operation that says how it is.
    describe_request
        Its request, of what `identify` gave.
    found
        Of the answer: the job. Its shape is found at `at` in the model.
    at
        Names of members (or of a list's element, as `[]`) that lead from the answer to the job.
    status
        Of the job: its status.
    succeeded, ended
        The statuses that mean success, and all that are final.
    stop, stop_request
        The operation that ends it early.
    wrap
        The member that the result is in; None for none.
    """

    identify: Callable[[Request, Mapping[str, Any]], Any]
    describe: str
    describe_request: Callable[[Any], Request]
    status: Look
    succeeded: frozenset[str]
    ended: frozenset[str]
    stop: str
    stop_request: Callable[[Any], Request]
    at: tuple[str, ...] = ()
    wrap: str | None = None
    healthy: Look | None = None

    def found(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the job out of the answer to `describe`."""
        value: Any = answer
        for step in self.at:
            value = value[0] if step == "[]" else value[step]
        return value  # type: ignore[no-any-return]

    def is_success(self, job: Mapping[str, Any]) -> bool:
        """Whether a job that has ended did what it was for."""
        return self.status(job) in self.succeeded and (self.healthy is None or bool(self.healthy(job)))


def _sagemaker(kind: str, name: str, status: str) -> Job:
    return Job(
        identify=lambda request, _: request[name],
        describe=f"Describe{kind}",
        describe_request=lambda job: {name: job},
        status=lambda job: job[status],
        succeeded=frozenset({"Completed"}),
        ended=frozenset({"Completed", "Failed", "Stopped"}),
        stop=f"Stop{kind}",
        stop_request=lambda job: {name: job},
    )


def _exit_codes_are_zero(task: Mapping[str, Any]) -> bool:
    return all(container.get("exitCode") == 0 for container in task.get("containers", ()))


JOBS: Mapping[tuple[str, str], Job] = {
    ("sagemaker", "createTrainingJob"): _sagemaker("TrainingJob", "TrainingJobName", "TrainingJobStatus"),
    ("sagemaker", "createTransformJob"): _sagemaker("TransformJob", "TransformJobName", "TransformJobStatus"),
    ("sagemaker", "createProcessingJob"): _sagemaker(
        "ProcessingJob", "ProcessingJobName", "ProcessingJobStatus"
    ),
    ("sagemaker", "createLabelingJob"): _sagemaker("LabelingJob", "LabelingJobName", "LabelingJobStatus"),
    ("sagemaker", "createHyperParameterTuningJob"): _sagemaker(
        *("HyperParameterTuningJob", "HyperParameterTuningJobName", "HyperParameterTuningJobStatus")
    ),
    ("states", "startExecution"): Job(
        identify=lambda _, answer: answer["executionArn"],
        describe="DescribeExecution",
        describe_request=lambda job: {"executionArn": job},
        status=lambda job: job["status"],
        succeeded=frozenset({"SUCCEEDED"}),
        ended=frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}),
        stop="StopExecution",
        stop_request=lambda job: {"executionArn": job},
    ),
    ("batch", "submitJob"): Job(
        identify=lambda _, answer: answer["jobId"],
        describe="DescribeJobs",
        describe_request=lambda job: {"jobs": [job]},
        at=("jobs", "[]"),
        status=lambda job: job["status"],
        succeeded=frozenset({"SUCCEEDED"}),
        ended=frozenset({"SUCCEEDED", "FAILED"}),
        stop="TerminateJob",
        stop_request=lambda job: {"jobId": job, "reason": "The execution that submitted it has ended."},
    ),
    ("glue", "startJobRun"): Job(
        identify=lambda request, answer: [request["JobName"], answer["JobRunId"]],
        describe="GetJobRun",
        describe_request=lambda job: {"JobName": job[0], "RunId": job[1]},
        at=("JobRun",),
        status=lambda job: job["JobRunState"],
        succeeded=frozenset({"SUCCEEDED"}),
        ended=frozenset({"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"}),
        stop="BatchStopJobRun",
        stop_request=lambda job: {"JobName": job[0], "JobRunIds": [job[1]]},
    ),
    ("codebuild", "startBuild"): Job(
        identify=lambda _, answer: answer["build"]["id"],
        describe="BatchGetBuilds",
        describe_request=lambda job: {"ids": [job]},
        at=("builds", "[]"),
        status=lambda job: job["buildStatus"],
        succeeded=frozenset({"SUCCEEDED"}),
        ended=frozenset({"SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED"}),
        stop="StopBuild",
        stop_request=lambda job: {"id": job},
        wrap="Build",
    ),
    ("ecs", "runTask"): Job(
        identify=lambda request, answer: [request.get("cluster"), answer["tasks"][0]["taskArn"]],
        describe="DescribeTasks",
        describe_request=lambda job: {
            "tasks": [job[1]],
            **({"cluster": job[0]} if job[0] is not None else {}),
        },
        at=("tasks", "[]"),
        status=lambda job: job["lastStatus"],
        succeeded=frozenset({"STOPPED"}),
        ended=frozenset({"STOPPED"}),
        healthy=_exit_codes_are_zero,
        stop="StopTask",
        stop_request=lambda job: {
            "task": job[1],
            **({"cluster": job[0]} if job[0] is not None else {}),
        },
    ),
    ("athena", "startQueryExecution"): Job(
        identify=lambda _, answer: answer["QueryExecutionId"],
        describe="GetQueryExecution",
        describe_request=lambda job: {"QueryExecutionId": job},
        at=("QueryExecution",),
        status=lambda job: job["Status"]["State"],
        succeeded=frozenset({"SUCCEEDED"}),
        ended=frozenset({"SUCCEEDED", "FAILED", "CANCELLED"}),
        stop="StopQueryExecution",
        stop_request=lambda job: {"QueryExecutionId": job},
        wrap="QueryExecution",
    ),
}
"""The jobs that `.sync` can wait for here, by service and action of the resource."""
