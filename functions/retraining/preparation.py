"""Prepare: a request becomes all that the later states need, or a clear error, before money is spent."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from retraining import (
    datasets,
    deployments,
    guards,
    images,
    names,
    plans,
    records,
    repeats,
    requests,
    rollouts,
    training_job,
)
from retraining.datasets import HOLDOUT_PREFIX, LABELS_FILE, DatasetVersion, StoredObject
from retraining.errors import (
    ContendedError,
    DatasetEmptyError,
    HoldoutMissingError,
    RunLimitError,
    RunSlotsTakenError,
)
from retraining.executions import Execution, from_datetime
from retraining.plans import TrainingPlan
from retraining.ports import Endpoints, Ledger, Ports, Registry, Storage
from retraining.requests import RetrainRequest
from retraining.settings import Settings

VARIANT = "AllTraffic"
"""The one production variant; blue/green updates need the same name in every endpoint config."""

MOST_POLLS = 600
"""Most looks at an endpoint; each costs eleven of the 25,000 events that an execution's history may have."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A checked request with the versions of what it is about.

    ``plan`` has the image by its digest; ``order`` grows with each new version of the dataset.
    """

    request: RetrainRequest
    plan: TrainingPlan
    dataset: DatasetVersion
    holdout: DatasetVersion
    key: str
    order: int


def examine(
    request: RetrainRequest,
    settings: Settings,
    storage: Storage,
    registry: Registry,
    ledger: Ledger,
    clock: Callable[[], datetime],
) -> Subject:
    """Pin the image and the versions of dataset and holdout, and derive the retrain key.

    Raises
    ------
    RequestError
        There is no such image.
    ProgramError
        The dataset's own program cannot be used.
    DatasetEmptyError
        There is nothing to train on.
    HoldoutMissingError
        There is no truth to judge by.
    """
    plan = plans.training_plan(request, settings, ledger.get_program(request.dataset))
    plan = replace(plan, image_uri=str(images.pin(plan.image_uri, registry)))
    seen_at = from_datetime(clock())
    dataset = datasets.version(storage.list_objects(settings.data_bucket, request.prefix), request.prefix)
    location = f"s3://{settings.data_bucket}/{request.prefix}"
    if dataset.file_count == 0:
        raise DatasetEmptyError(f"There are no files under {location}: upload the dataset first.")
    if dataset.total_bytes == 0:
        raise DatasetEmptyError(
            f"All {dataset.file_count} files under {location} are empty: upload them again.",
            dataset.file_count,
        )
    holdout = holdout_version(request.dataset, settings, storage)
    key = datasets.retrain_key(
        request.dataset,
        dataset.digest,
        holdout.digest,
        plan.image_uri,
        plan.source,
        plan.hyperparameters.items(),
    )
    order = ledger.observe_version(request.dataset, dataset.digest, seen_at)
    return Subject(request, plan, dataset, holdout, key, order)


def holdout_version(dataset: str, settings: Settings, storage: Storage) -> DatasetVersion:
    """Return the holdout's version.

    Raises
    ------
    HoldoutMissingError
        ``labels.csv`` is not there, or is empty.
    """
    prefix = f"{HOLDOUT_PREFIX}{dataset}/"
    location = f"s3://{settings.data_bucket}/{prefix}{LABELS_FILE}"
    labels: list[StoredObject] = []

    def listed() -> Iterator[StoredObject]:
        for entry in storage.list_objects(settings.data_bucket, prefix):
            if entry.key == f"{prefix}{LABELS_FILE}":
                labels.append(entry)
            yield entry

    found = datasets.version(listed(), prefix)
    if not labels:
        raise HoldoutMissingError(
            f"There is no {location}: upload the evaluation rows and their labels there first."
        )
    if labels[0].size == 0:
        raise HoldoutMissingError(f"{location} is empty: upload a table with the columns id and label.")
    return found


def prepare(
    payload: object, execution: Execution, settings: Settings, ports: Ports, endpoints: Endpoints
) -> dict[str, Any]:
    """Prepare a run and write its record.

    Parameters
    ----------
    payload : object
        The execution's input, which anyone may have written.

    Returns
    -------
    dict
        The state machine's data from here on; docs/architecture.md lists it. If ``skip.skipped``, the same
        content is another run already, and this one ends here.

    Raises
    ------
    RequestError, DatasetError, PolicyError
        It cannot be carried out.
    RunSlotsTakenError
        Too many runs of the dataset are under way; ask again later.
    RunLimitError
        The dataset has had its runs of this day.
    """
    request = requests.parse(payload, plans.request_policy(settings))
    storage, ledger = ports.storage, ports.ledger
    subject = examine(request, settings, storage, ports.registry, ledger, ports.clock)
    gate = plans.gate_policy(request, settings, ledger.get_policy(request.dataset))
    made = names.run_names(settings.stack_name, request.dataset, execution.name)
    mode = rollouts.of(settings).serving_mode
    champion = deployments.find_champion(made.endpoint, endpoints, ledger, mode)
    tags = tags_of(settings, request.dataset, made)
    training = training_job.build(
        request,
        subject.plan,
        settings,
        execution.name,
        champion["model_data_url"] if champion else None,
        tags,
    )
    rollout = rollouts.plan(settings, made.endpoint, execution.name)
    run = {
        "kind": rollouts.TRAINING,
        "id": execution.name,
        "execution_arn": execution.arn,
        "started_at": execution.started_at,
        "dataset": request.dataset,
        "dataset_s3_uri": f"s3://{settings.data_bucket}/{request.prefix}",
        "dataset_version": subject.dataset.digest,
        "holdout_version": subject.holdout.digest,
        "file_count": subject.dataset.file_count,
        "total_bytes": subject.dataset.total_bytes,
        "trigger": asdict(request.trigger),
        "image_uri": subject.plan.image_uri,
        "source": subject.plan.source,
        "hyperparameters": dict(subject.plan.hyperparameters),
        "dataset_order": subject.order,
        "instance_type": subject.plan.instance_type,
        "instance_count": subject.plan.instance_count,
        "retrain_key": subject.key,
    }
    prepared = {
        "run": run,
        "names": asdict(made),
        "training": training,
        "serving": _serving(subject.plan, settings, made.model, tags),
        "gate": asdict(gate),
        "champion": champion,
        "rollout": rollout,
        # What a rollback has from the run that it goes back to; here Train and Evaluate put theirs.
        "decision": None,
        "job": None,
        "poll": poll(settings.serving.wait_seconds, rollout["settle_seconds"]),
        "skip": _enter(subject, execution.name, settings, ports),
    }
    ledger.put_run(records.running(run, made.endpoint, made.training_job))
    return prepared


def _enter(subject: Subject, run_id: str, settings: Settings, ports: Ports) -> dict[str, Any]:
    """Make this run its key's, unless another one is already; whoever started it may have done so before."""
    dataset, forced = subject.request.dataset, subject.request.force
    found = repeats.find(subject.key, ports.ledger, ports.machine)
    if found.run_id != run_id and found.is_repeated and not forced:
        how = "is under way" if found.fate == repeats.RUNNING else "has run already"
        reason = f"The same data, holdout, image and program are run {found.run_id}, which {how}."
        return {"skipped": True, "repeats": found.run_id, "reason": reason}
    obstacle = guards.enter(dataset, run_id, settings.guards, ports)
    if obstacle is not None:
        raise (RunSlotsTakenError if obstacle.passes else RunLimitError)(obstacle.reason)
    if found.run_id != run_id and not ports.ledger.claim_key(
        subject.key, run_id, found.next_attempt, found.run_id or None
    ):
        raise ContendedError(
            "Another run of the same content begins at this moment; asking again settles it."
        )
    return {"skipped": False, "repeats": "", "reason": ""}


def _serving(
    plan: TrainingPlan, settings: Settings, model: str, tags: list[dict[str, str]]
) -> dict[str, Any]:
    """Return how the model is served: by the image that trained it, with the same program in script mode."""
    environment = {}
    if plan.source_s3_uri:
        environment = {
            "SAGEMAKER_PROGRAM": plan.entry_point,
            "SAGEMAKER_SUBMIT_DIRECTORY": plan.source_s3_uri,
        }
    return {
        "Image": plan.image_uri,
        "Environment": environment,
        "VariantName": VARIANT,
        "ProductionVariants": rollouts.production_variants(settings, VARIANT, model),
        "Tags": tags,
    }


def tags_of(settings: Settings, dataset: str, made: names.RunNames) -> list[dict[str, str]]:
    """Return the tags of what a run makes."""
    values: Mapping[str, str] = {
        "retrain:stack": settings.stack_name,
        "retrain:dataset": dataset,
        "retrain:run": made.model,
    }
    return [{"Key": key, "Value": value} for key, value in values.items()]


def poll(wait_seconds: int, patience_seconds: int) -> dict[str, int]:
    """Return how long to wait before the first look at the endpoint, and how many looks there are.

    Parameters
    ----------
    wait_seconds : int
        How long people want to wait between two looks.
    patience_seconds : int
        How long the endpoint may take; twice as long with the way back.

    Returns
    -------
    dict
        ``seconds``; ``step``, by how much each wait is longer than the one before: 0, unless there would be
        too many looks, so that what is quick is seen at once and what is slow costs few looks; ``left``.
    """
    patience = 2 * patience_seconds
    step = 0 if wait_seconds * MOST_POLLS >= patience else 1
    waited = looks = 0
    while waited < patience:
        waited += wait_seconds + step * looks
        looks += 1
    return {"seconds": wait_seconds, "step": step, "left": looks}
