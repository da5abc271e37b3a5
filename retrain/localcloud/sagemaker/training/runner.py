"""One training job from its start to its end, on a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
from typing import Any

from retrain.localcloud.errors import AuthorisationError
from retrain.localcloud.sagemaker.errors import JobError
from retrain.localcloud.sagemaker.images import ImageError, LocalImage, resolve
from retrain.localcloud.sagemaker.platform import Platform, free_port, now
from retrain.localcloud.sagemaker.roles import ExecutionRole
from retrain.localcloud.sagemaker.store import Record, Store
from retrain.localcloud.sagemaker.training import artifacts, channels, records
from retrain.localcloud.sagemaker.training.checkpoints import CheckpointSync
from retrain.localcloud.sagemaker.training.instances import Instance
from retrain.localcloud.sagemaker.training.metrics import NAMESPACE, MetricReader
from retrain.localcloud.sagemaker.training.supervisor import Ending, Limits, Supervisor

log = logging.getLogger("retrain.localcloud.sagemaker")


INTERRUPT_FILE = "interrupt"
"""A file of this name in a spot job's folder takes its instances away, once (for tests and trials)."""


class _StoppedEarlyError(Exception):
    """The job was asked to stop before anything trained."""


class JobRunner:
    """Runs one training job.

    Whatever happens, the job ends with a status; an error of ours becomes an InternalServerError.

    Parameters
    ----------
    platform, store
        The surroundings.
    name
        Of a job whose record is in the store.

    Attributes
    ----------
    done
        Set when the job has ended and its record says so.
    """

    def __init__(self, platform: Platform, store: Store, name: str) -> None:
        self.name = name
        self.done = threading.Event()
        self._platform = platform
        self._store = store
        self._stop = threading.Event()
        self._stop_reason: str | None = None
        self._folder = platform.folder / "jobs" / name
        self._thread = threading.Thread(target=self._run, name=f"sagemaker-job-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, failure: str | None = None) -> None:
        """Ask for the end of the job; it becomes Stopped, or Failed with the reason given."""
        self._stop_reason = failure
        self._stop.set()

    def _run(self) -> None:
        try:
            self._train()
        except _StoppedEarlyError:
            self._fail("")
        except JobError as error:
            self._fail(str(error))
        except Exception as error:  # the job must end with a status, whatever went wrong
            log.exception("Training job %s failed in the local cloud itself.", self.name)
            self._fail(f"InternalServerError: {type(error).__name__}: {error}")
        finally:
            with contextlib.suppress(OSError):
                shutil.rmtree(self._folder)
            self.done.set()

    def _fail(self, reason: str) -> None:
        if self._stop.is_set() and self._stop_reason is None:
            # Somebody asked for the end, and the program ended badly on its way out.
            self._end_stopped(Ending.STOPPED)
            return
        reason = (self._stop_reason or reason)[: records.MAX_REASON]
        self._update("Failed", status="Failed", FailureReason=reason)

    def _update(self, secondary: str, **changes: Any) -> None:
        records.update(self._platform, self._store, self.name, secondary, **changes)

    # -----------------------------------------------------------------------------------------------------

    def _train(self) -> None:
        job = self._store.training_jobs.get(self.name)
        assert job is not None  # noqa: S101  (records of jobs are never deleted while they run)
        begun = time.monotonic()
        self._folder.mkdir(parents=True, exist_ok=True)
        role = self._platform.role(job["RoleArn"])
        try:
            role.require_image(job["AlgorithmSpecification"]["TrainingImage"])
            image = resolve(job["AlgorithmSpecification"]["TrainingImage"], self._platform.context.images)
        except (ImageError, AuthorisationError) as error:
            raise JobError(f"ClientError: Cannot pull the training image: {error}") from error
        stopping = job["StoppingCondition"]
        spot = bool(job.get("EnableManagedSpotTraining"))
        limits = Limits(
            runtime_deadline=begun + stopping["MaxRuntimeInSeconds"],
            wait_deadline=begun + stopping["MaxWaitTimeInSeconds"]
            if "MaxWaitTimeInSeconds" in stopping
            else None,
            volume_gigabytes=job["ResourceConfig"]["VolumeSizeInGB"],
            stop=self._stop,
            interrupt=self._folder / INTERRUPT_FILE if spot else None,
        )
        metrics = MetricReader(job["AlgorithmSpecification"].get("MetricDefinitions") or [])
        attempt = 0
        while True:
            attempt += 1
            ending, instances = self._attempt(job, role, image, limits, metrics, attempt)
            if ending is not Ending.INTERRUPTED:
                break
            self._update("Interrupted")
            self._update("Starting")
        self._finish(job, role, ending, instances, metrics)

    def _attempt(
        self,
        job: Record,
        role: ExecutionRole,
        image: LocalImage,
        limits: Limits,
        metrics: MetricReader,
        attempt: int,
    ) -> tuple[Ending, list[Instance]]:
        """Train on fresh instances."""
        folder = self._folder / f"attempt-{attempt}"
        if attempt > 1:
            shutil.rmtree(self._folder / f"attempt-{attempt - 1}")
        count = job["ResourceConfig"]["InstanceCount"]
        instances = [Instance(job, number, folder / f"algo-{number + 1}") for number in range(count)]
        started = {} if "TrainingStartTime" in job else {"TrainingStartTime": now()}
        job |= started
        self._update("Downloading", **started)
        for instance in instances:
            instance.prepare()
        self._download(job, role, instances)
        sync = self._checkpoints(job, role, instances)
        self._leave_if_stopped()

        def send() -> None:
            self._send_metrics(role, metrics)
            if sync is not None:
                sync()

        self._update("Training")
        port = free_port()
        supervisor = Supervisor(instances, limits, self._platform.settings, send)
        try:
            for instance in instances:
                instance.start(self._platform, image, port, metrics.read)
        except OSError as error:
            supervisor.end_all()
            raise JobError(f"ClientError: The image's program cannot be started: {error}") from error
        try:
            ending = supervisor.watch()
        finally:
            self._send_metrics(role, metrics)
            self._platform.logs.flush()
        if sync is not None:
            sync()
        return ending, instances

    def _download(self, job: Record, role: ExecutionRole, instances: list[Instance]) -> None:
        self._platform.cache.trim()
        held = self._platform.objects_of(role)
        for channel in job.get("InputDataConfig") or []:
            self._leave_if_stopped()
            folders = [instance.base / "input" / "data" / channel["ChannelName"] for instance in instances]
            channels.download(
                channel,
                folders,
                objects=held,
                cache=held,
                role_arn=job["RoleArn"],
            )

    def _checkpoints(self, job: Record, role: ExecutionRole, instances: list[Instance]) -> Any:
        config = job.get("CheckpointConfig")
        if not config:
            return None
        folders = [instance.path_of(config["LocalPath"]) for instance in instances]
        sync = CheckpointSync(config["S3Uri"], self._platform.objects_of(role), self._folder)
        sync.restore(folders)
        return lambda: sync.send(folders)

    def _leave_if_stopped(self) -> None:
        if self._stop.is_set():
            raise _StoppedEarlyError

    def _send_metrics(self, role: ExecutionRole, metrics: MetricReader) -> None:
        unsent = metrics.take_unsent(self.name)
        if not unsent:
            return
        try:
            role.require_metrics(NAMESPACE)
            self._platform.put_metrics(NAMESPACE, unsent)
        except Exception as error:  # noqa: BLE001  (whatever CloudWatch says, the training goes on)
            log.warning("Metrics of training job %s were not sent: %s", self.name, error)

    # -----------------------------------------------------------------------------------------------------

    def _finish(
        self,
        job: Record,
        role: ExecutionRole,
        ending: Ending,
        instances: list[Instance],
        metrics: MetricReader,
    ) -> None:
        if ending is Ending.STOPPED and self._stop_reason is not None:
            raise JobError(self._stop_reason)
        objects = self._platform.objects_of(role)
        output = job["OutputDataConfig"]["S3OutputPath"]
        target = artifacts.model_uri(output, self.name)
        completed = ending is Ending.COMPLETED
        self._update("Uploading", ModelArtifacts={"S3ModelArtifacts": str(target)})
        # What a stopped job has saved so far is kept, as in AWS; then it may well be nothing.
        artifacts.upload_folders(
            [instance.base / "model" for instance in instances],
            self._folder / "model.tar.gz",
            target,
            objects,
            even_if_empty=completed,
        )
        artifacts.upload_folders(
            [instance.base / "output" / "data" for instance in instances],
            self._folder / "output.tar.gz",
            artifacts.output_uri(output, self.name),
            objects,
            even_if_empty=False,
        )
        final = metrics.final()
        fields = {"FinalMetricDataList": final} if final else {}
        if completed:
            self._update("Completed", status="Completed", **fields)
        else:
            self._end_stopped(ending, **fields)

    def _end_stopped(self, ending: Ending, **fields: Any) -> None:
        self._update(ending.value, status="Stopped", **fields)
