"""Evaluate: fetch what a training job predicted, let the gate judge it, and say how to deploy it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from retraining import archives, deployments, fences, gate, predictions, rollouts, s3_uris, verification_rows
from retraining.checks import Costs
from retraining.datasets import HOLDOUT_PREFIX, LABELS_FILE
from retraining.errors import (
    ArchiveUnreadableError,
    HoldoutChangedError,
    ObjectMissingError,
    TrainingStoppedError,
)
from retraining.gate import Champion, Decision
from retraining.metrics import LOG_LOSS
from retraining.policy import GatePolicy
from retraining.ports import Endpoints, EndpointState, Ledger, Storage
from retraining.predictions import Finding, Joined
from retraining.preparation import holdout_version
from retraining.settings import Settings
from retraining.truth import Truth, read_truth

CHALLENGER_FILE = "predictions.csv"
CHAMPION_FILE = "champion_predictions.csv"
MODEL_FILE = "model.tar.gz"
OUTPUT_FILE = "output.tar.gz"

_CUT_AT = {verification_rows.ROWS_FILE: verification_rows.MOST_BYTES + 1}
"""One byte more than is taken tells a file that is too large."""


def evaluate(
    state: Mapping[str, Any], settings: Settings, storage: Storage, endpoints: Endpoints, ledger: Ledger
) -> dict[str, Any]:
    """Judge the challenger of a run.

    Parameters
    ----------
    state : mapping
        The state machine's data after Train.

    Returns
    -------
    dict
        ``verdict``, ``summary``, ``checks``, ``metrics``; ``deployment`` with ``action`` and
        ``previous_endpoint_config_name``; ``evaluation_s3_uri``, where the same lies as JSON, with the
        figures by class and slice, the policy, and all that it takes to judge again. Beside it lie, for a
        challenger that is promoted, the rows to verify its endpoint with.

    Raises
    ------
    TrainingStoppedError, HoldoutChangedError, HoldoutInvalidError, DeploymentError
        There can be no verdict.
    """
    _require_completed(state["job"])
    run_id = state["run"]["id"]
    subject = {
        "dataset": state["run"]["dataset"],
        "holdout_version": state["run"]["holdout_version"],
        "model_data_url": state["job"]["model_data_url"],
        "champion": state["champion"],
    }
    policy = GatePolicy(**state["gate"])
    decision, challenger, files = _weigh(subject, policy, settings, storage)
    endpoint = endpoints.describe(state["names"]["endpoint"])
    promoted = decision.verdict == gate.PROMOTE
    superseded = _is_superseded(state["run"], endpoint, state["names"]["endpoint"], ledger)
    deployment = deployments.decide(endpoint, state["champion"], promoted=promoted, superseded=superseded)
    if promoted and challenger is not None:
        rows = verification_rows.extract(files.get(verification_rows.ROWS_FILE), challenger)
        storage.write(settings.artifacts_bucket, rollouts.verify_key(run_id), rows, "application/x-ndjson")
    document = decision.as_document()
    key = evaluation_key(run_id)
    kept = {
        "run_id": run_id,
        "gate": asdict(policy),
        **document,
        **decision.details(),
        "subject": subject,
    }
    storage.write(settings.artifacts_bucket, key, json.dumps(kept, indent=2).encode(), "application/json")
    return {
        **document,
        "deployment": deployment,
        "evaluation_s3_uri": f"s3://{settings.artifacts_bucket}/{key}",
    }


def _is_superseded(
    run: Mapping[str, Any], endpoint: EndpointState | None, endpoint_name: str, ledger: Ledger
) -> bool:
    """Whether the run will be skipped when it claims the endpoint, because something went ahead of it."""
    if deployments.is_superseded(endpoint, int(run.get("dataset_order") or 0), ledger):
        return True
    return bool(fences.obstacle(run, run["id"], run["started_at"], ledger.get_claim(endpoint_name)))


def evaluation_key(run_id: str) -> str:
    """Return where in the artifacts bucket a run's evaluation lies."""
    return f"runs/{run_id}/evaluation.json"


def has_artifacts(model_data_url: str, storage: Storage) -> bool:
    """Whether anything that a training job wrote is still there."""
    uri = s3_uris.parse(model_data_url.removesuffix(MODEL_FILE))
    return uri is not None and any(True for _ in storage.list_objects(uri.bucket, uri.key))


def judge(subject: Mapping[str, Any], policy: GatePolicy, settings: Settings, storage: Storage) -> Decision:
    """Judge a challenger by its stored predictions.

    Parameters
    ----------
    subject : mapping
        ``dataset``, ``holdout_version``, the challenger's ``model_data_url``, and the ``champion`` that
        Prepare found, or None.
    policy : GatePolicy
        The bounds.

    Raises
    ------
    HoldoutChangedError, HoldoutMissingError, HoldoutInvalidError
        There can be no verdict.
    """
    return _weigh(subject, policy, settings, storage)[0]


def _weigh(
    subject: Mapping[str, Any], policy: GatePolicy, settings: Settings, storage: Storage
) -> tuple[Decision, Joined | None, Mapping[str, bytes]]:
    """Judge, and give besides what was judged: the challenger's predictions, and the job's files."""
    truth = _pinned_truth(subject, policy, settings, storage)
    url = subject["model_data_url"]
    wanted = (CHALLENGER_FILE, CHAMPION_FILE, verification_rows.ROWS_FILE)
    files, unreadable = _read_outputs(url, wanted, storage)
    challenger, findings = _challenger(files, unreadable, truth, policy)
    champion = _champion(subject, files, truth, policy, storage) if challenger else None
    costs = Costs(model_bytes=_size(url, storage))
    return gate.decide(policy, challenger, findings, champion, costs), challenger, files


def _require_completed(job: Mapping[str, Any]) -> None:
    """Refuse a job that Step Functions let pass although it was cut off: its model may be half trained."""
    if job["status"] == "Completed":
        return
    if job.get("secondary_status") == "MaxRuntimeExceeded":
        raise TrainingStoppedError(
            f"The training job {job['name']} ran longer than its limit and was stopped."
        )
    raise TrainingStoppedError(f"The training job {job['name']} ended as {job['status']}, not as Completed.")


def _pinned_truth(
    subject: Mapping[str, Any], policy: GatePolicy, settings: Settings, storage: Storage
) -> Truth:
    now = holdout_version(subject["dataset"], settings, storage)
    if now.digest != subject["holdout_version"]:
        raise HoldoutChangedError(
            f"The holdout of {subject['dataset']} changed while the challenger trained, or since (version "
            f"{subject['holdout_version'][:12]} became {now.digest[:12]}): start the run again."
        )
    key = f"{HOLDOUT_PREFIX}{subject['dataset']}/{LABELS_FILE}"
    content = storage.read(settings.data_bucket, key)
    return read_truth(content, key, numeric=policy.judged_by.numeric)


def _read_outputs(
    model_data_url: str, wanted: tuple[str, ...], storage: Storage
) -> tuple[dict[str, bytes], str]:
    """Return the predictions by file name, and why there are none if the archive cannot be read."""
    uri = s3_uris.parse(model_data_url.removesuffix(MODEL_FILE) + OUTPUT_FILE)
    if uri is None:
        raise ValueError(f"not an S3 URI: {model_data_url}")
    try:
        with storage.open(uri.bucket, uri.key) as stream:
            return archives.read_members(stream, wanted, _CUT_AT), ""
    except ObjectMissingError:
        return {}, f"the job left no {OUTPUT_FILE}"
    except ArchiveUnreadableError as error:
        return {}, f"{OUTPUT_FILE} is unusable: {error}"


def _size(model_data_url: str, storage: Storage) -> int | None:
    """Return the size of the model artifact in bytes."""
    uri = s3_uris.parse(model_data_url)
    if uri is None:
        raise ValueError(f"not an S3 URI: {model_data_url}")
    return next(
        (found.size for found in storage.list_objects(uri.bucket, uri.key) if found.key == uri.key), None
    )


def _join(data: bytes, truth: Truth, source: str, policy: GatePolicy) -> tuple[Joined | None, list[Finding]]:
    needed = policy.metric == LOG_LOSS.name
    return predictions.join(data, truth, source, needs_probabilities=needed)


def _challenger(
    files: Mapping[str, bytes], unreadable: str, truth: Truth, policy: GatePolicy
) -> tuple[Joined | None, list[Finding]]:
    if CHALLENGER_FILE in files:
        return _join(files[CHALLENGER_FILE], truth, CHALLENGER_FILE, policy)
    why = f" ({unreadable})" if unreadable else ""
    sentence = (
        f"{CHALLENGER_FILE} is missing{why}; a training program writes it to SM_OUTPUT_DATA_DIR "
        "with the columns id, label, prediction."
    )
    return None, [Finding("missing_file", 1, sentence)]


def _champion(
    subject: Mapping[str, Any],
    files: Mapping[str, bytes],
    truth: Truth,
    policy: GatePolicy,
    storage: Storage,
) -> Champion | None:
    """Find the champion's predictions on the same rows: from this job, or else from its own run."""
    known = subject["champion"]
    if known is None:
        return None
    run_id = known["run_id"]
    if CHAMPION_FILE in files:
        joined, findings = _join(files[CHAMPION_FILE], truth, CHAMPION_FILE, policy)
        if joined is not None:
            return Champion(run_id, joined)
        told = " ".join(finding.sentence for finding in findings)
    else:
        told = f"{CHAMPION_FILE} is missing."
    if known.get("holdout_version") != subject["holdout_version"]:
        return Champion(
            run_id, None, f"{told} And the champion was never judged on this version of the holdout."
        )
    stored, unreadable = _read_outputs(known["model_data_url"], (CHALLENGER_FILE,), storage)
    if CHALLENGER_FILE not in stored:
        gone = unreadable or f"{OUTPUT_FILE} holds no {CHALLENGER_FILE}"
        return Champion(run_id, None, f"{told} And of the champion's own run {run_id}, {gone}.")
    source = f"{CHALLENGER_FILE} of run {run_id}"
    joined, findings = _join(stored[CHALLENGER_FILE], truth, source, policy)
    if joined is None:
        return Champion(run_id, None, f"{told} And " + " ".join(finding.sentence for finding in findings))
    return Champion(run_id, joined, source=source)
