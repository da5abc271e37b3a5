"""Clean-up: what earlier runs have left and nobody needs any more is removed, a few runs at a time.

Of each dataset there stay: the models that were deployed last, as many as the stack's parameter KeepModels
says; as many of the last runs whose model did not go live, for whoever wonders why; the model that serves, as
the endpoint itself says; the one before it; and whatever a run that is under way needs. Of all other runs the
model, the endpoint config, the training output and the training job's log are removed, and their model
packages rejected, because what they register is gone. Their records, evaluations and cards stay.

Before anything of a run is removed, that is written into its record, under the condition that no rollback
goes back to it: a rollback refuses what is marked so. What could not be removed is tried again the next time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from retraining import champions, names, records, rollouts
from retraining.errors import AwsError
from retraining.ports import Endpoints, Ledger, StateMachine
from retraining.settings import Settings

MOST_RUNS = 50
"""Runs that one call removes things of, at most."""

MOST_WARNINGS = 10

_UNSETTLED = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})
_UNDER_WAY = frozenset({"RUNNING", "PENDING_REDRIVE"})

Run = Mapping[str, Any]


class Remains(Protocol):
    """What runs leave; each method returns how much it removed.

    Removing what is gone already does nothing.
    """

    def reject_package(self, arn: str, reason: str) -> int:
        """Reject a model package, so that nobody deploys what is gone."""

    def delete_endpoint_config(self, name: str) -> int:
        """Delete an endpoint config."""

    def delete_model(self, name: str) -> int:
        """Delete a model."""

    def delete_objects(self, bucket: str, prefix: str) -> int:
        """Delete every version of every object under a prefix."""

    def delete_log_streams(self, training_job: str) -> int:
        """Delete the logs of all attempts of a training job, given the stem of their names."""

    def limit_endpoint_log(self, endpoint_name: str, days: int) -> int:
        """Let an endpoint's log be kept for so long, if nobody has said anything about it."""


@dataclass(frozen=True, slots=True)
class World:
    """All that a clean-up rests on.

    Attributes
    ----------
    now : str
        In the ledger's form.
    has_time : callable
        Whether there is time for another run.
    """

    settings: Settings
    ledger: Ledger
    endpoints: Endpoints
    machine: StateMachine
    remains: Remains
    now: str
    has_time: Callable[[], bool]


@dataclass(slots=True)
class Cleaning:
    """What a clean-up of one dataset came to.

    Attributes
    ----------
    kept : dict
        Why each run that has something left keeps it, by run id.
    runs : list of str
        Those of which everything was removed; of a dry run, those of which it would be.
    removed : dict
        How much was removed, by kind.
    remaining : int
        Runs that are left for the next time.
    """

    dataset: str
    kept: dict[str, str] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    removed: dict[str, int] = field(default_factory=dict)
    remaining: int = 0
    warnings: list[str] = field(default_factory=list)

    def warn(self, sentence: str) -> None:
        """Note what could not be done; there may be many such runs, and all for the same reason."""
        if len(self.warnings) < MOST_WARNINGS:
            self.warnings.append(sentence)

    def count(self, kind: str, number: int) -> None:
        """Count what was removed."""
        if number:
            self.removed[kind] = self.removed.get(kind, 0) + number

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "dataset": self.dataset,
            "kept": [{"run_id": run_id, "why": why} for run_id, why in self.kept.items()],
            "runs": self.runs,
            "removed": self.removed,
            "remaining": self.remaining,
            "warnings": self.warnings,
        }


def clean(dataset: str | None, world: World, *, dry_run: bool = False) -> list[Cleaning]:
    """Remove what is not needed any more.

    Parameters
    ----------
    dataset : str or None
        Of which dataset; None for all that have had runs.
    dry_run : bool
        Only say what would be removed.
    """
    found: dict[str, list[Run]] = {} if dataset is None else {dataset: []}
    for run in world.ledger.list_runs(dataset):
        if run.get("dataset"):
            found.setdefault(str(run["dataset"]), []).append(run)
    return [_clean(name, runs, world, dry_run=dry_run) for name, runs in sorted(found.items())]


def _clean(dataset: str, runs: Sequence[Run], world: World, *, dry_run: bool) -> Cleaning:
    cleaning = Cleaning(dataset)
    endpoint_name = names.endpoint_name(world.settings.stack_name, dataset)
    endpoint = world.endpoints.describe(endpoint_name)
    if endpoint is not None and endpoint.status in _UNSETTLED:
        cleaning.warn(
            f"The endpoint {endpoint_name} is {endpoint.status}: nothing is removed before that is over."
        )
        return cleaning
    known = world.ledger.get_champion(endpoint_name)
    serving = endpoint.endpoint_config_name if endpoint else ""
    cleaning.kept = _kept(runs, serving, known, world)
    removable = [run for run in runs if run["run_id"] not in cleaning.kept and _has_left_something(run)]
    for position, run in enumerate(removable):
        if dry_run:
            cleaning.runs.append(str(run["run_id"]))
        elif position >= MOST_RUNS or not world.has_time():
            cleaning.remaining += 1
        elif _remove(run, cleaning, world):
            cleaning.runs.append(str(run["run_id"]))
    if endpoint is not None and not dry_run:
        _limit_endpoint_log(endpoint_name, cleaning, world)
    return cleaning


def _kept(runs: Sequence[Run], serving: str, known: Mapping[str, Any] | None, world: World) -> dict[str, str]:
    """Say of which runs everything is kept, and why."""
    kept: dict[str, str] = {}
    under_way = {str(run["run_id"]) for run in runs if _is_under_way(run, world.machine)}
    by_config = {_names(run, world.settings).endpoint_config: run for run in reversed(runs)}

    def keep(config: object, why: str) -> None:
        run = by_config.get(str(config))
        if run is not None:
            kept.setdefault(str(run["run_id"]), why)

    keep(serving, "serves")
    line = champions.line(known)
    before = champions.before(known, serving) if serving else line
    for entry in before[:1]:
        keep(entry["endpoint_config_name"], "served before")
    for entry in line[:1]:
        # Where the endpoint serves something else, the ledger may be behind.
        keep(entry["endpoint_config_name"], "is the champion by the ledger")
    for run in runs:
        if run["run_id"] in under_way:
            kept.setdefault(str(run["run_id"]), "is under way")
        if run.get("pinned_by") in under_way:
            kept.setdefault(str(run["run_id"]), "is being gone back to")
    ended = [run for run in _newest_first(runs) if run["run_id"] not in under_way]
    # What is half removed is no use to anybody.
    whole = {str(run["run_id"]) for run in ended if _has_left_something(run) and not run.get("removing_at")}
    deployed = [run_id for run_id in _deployed(ended) if run_id in whole]
    others = [
        str(run["run_id"])
        for run in ended
        if run.get("outcome") != records.DEPLOYED and run["run_id"] in whole
    ]
    for run_id in deployed[: world.settings.keep_models]:
        kept.setdefault(run_id, "was deployed lately")
    for run_id in others[: world.settings.keep_models]:
        kept.setdefault(run_id, "ended lately")
    return kept


def _newest_first(runs: Iterable[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: str(run.get("finished_at") or ""), reverse=True)


def _deployed(ended: Iterable[Run]) -> list[str]:
    """Return the runs whose models were deployed, in the order of their last deployments, newest first."""
    found: dict[str, None] = {}
    for run in ended:
        if run.get("outcome") == records.DEPLOYED:
            rollback = run.get("rollback")
            target = rollback.get("to_run_id") if isinstance(rollback, Mapping) else run["run_id"]
            found.setdefault(str(target))
    return list(found)


def _has_left_something(run: Run) -> bool:
    """Whether a run got so far as to train; a rollback, or the repetition of another run, did not."""
    return not run.get("rollback") and not run.get("repeats") and run.get("dataset_version") is not None


def _is_under_way(run: Run, machine: StateMachine) -> bool:
    if run.get("outcome") != records.RUNNING:
        return False
    execution = machine.describe(str(run["run_id"]))
    return execution is not None and execution.status in _UNDER_WAY


def _names(run: Run, settings: Settings) -> names.RunNames:
    return names.run_names(settings.stack_name, str(run["dataset"]), str(run["run_id"]))


def _remove(run: Run, cleaning: Cleaning, world: World) -> bool:
    """Remove all that a run has left; whether nothing went wrong."""
    run_id, made = str(run["run_id"]), _names(run, world.settings)
    bucket, remains = world.settings.artifacts_bucket, world.remains
    try:
        if not world.ledger.begin_removal(run_id, world.now, run.get("pinned_by")):
            cleaning.kept[run_id] = "is being gone back to"
            return False
        if package := run.get("model_package_arn"):
            reason = f"The model's artifact was removed at {world.now}: KeepModels says how many are kept."
            cleaning.count("packages", remains.reject_package(str(package), reason))
        cleaning.count("endpoint_configs", remains.delete_endpoint_config(made.endpoint_config))
        cleaning.count("models", remains.delete_model(made.model))
        for part in ("training/", "checkpoints/"):
            cleaning.count("objects", remains.delete_objects(bucket, f"runs/{run_id}/{part}"))
        cleaning.count("objects", remains.delete_objects(bucket, rollouts.verify_key(run_id)))
        cleaning.count("log_streams", remains.delete_log_streams(made.training_job))
        world.ledger.end_removal(run_id, world.now)
    except AwsError as error:
        cleaning.warn(f"Not all of the run {run_id} could be removed; it is tried again. {error}")
        return False
    return True


def _limit_endpoint_log(endpoint_name: str, cleaning: Cleaning, world: World) -> None:
    try:
        world.remains.limit_endpoint_log(endpoint_name, world.settings.log_retention_days)
    except AwsError as error:
        cleaning.warn(f"How long the log of the endpoint {endpoint_name} is kept was not limited. {error}")
