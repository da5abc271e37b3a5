"""Evaluate: fetch what a training job predicted, let the gate judge it, and say how to deploy it."""

import json
from collections.abc import Mapping
from typing import Any

from retraining import archives, deployments, gate, predictions, s3_uris
from retraining.datasets import HOLDOUT_PREFIX, LABELS_FILE
from retraining.errors import (
    ArchiveUnreadableError,
    HoldoutChangedError,
    ObjectMissingError,
    TrainingStoppedError,
)
from retraining.gate import Champion, Score
from retraining.plans import GatePolicy
from retraining.ports import Endpoints, Storage
from retraining.predictions import Finding
from retraining.preparation import holdout_version
from retraining.settings import Settings

CHALLENGER_FILE = "predictions.csv"
CHAMPION_FILE = "champion_predictions.csv"


def evaluate(
    state: Mapping[str, Any], settings: Settings, storage: Storage, endpoints: Endpoints
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
        ``previous_endpoint_config_name``; ``evaluation_s3_uri``, where the same lies as JSON.

    Raises
    ------
    TrainingStoppedError, HoldoutChangedError, HoldoutInvalidError, DeploymentError
        There can be no verdict.
    """
    _require_completed(state["job"])
    truth = _pinned_truth(state["run"], settings, storage)
    files, unreadable = _read_outputs(state["job"]["model_data_url"], storage)
    challenger, findings = _challenger(files, unreadable, truth)
    champion = _champion(state, files, truth) if challenger else None
    decision = gate.decide(GatePolicy(**state["gate"]), challenger, findings, champion)
    endpoint = endpoints.describe(state["names"]["endpoint"])
    promoted = decision.verdict == gate.PROMOTE
    deployment = deployments.decide(endpoint, state["champion"], promoted=promoted)
    document = decision.as_document()
    key = f"runs/{state['run']['id']}/evaluation.json"
    content = json.dumps({"run_id": state["run"]["id"], "gate": dict(state["gate"]), **document}, indent=2)
    storage.write(settings.artifacts_bucket, key, content.encode(), "application/json")
    return {
        **document,
        "deployment": deployment,
        "evaluation_s3_uri": f"s3://{settings.artifacts_bucket}/{key}",
    }


def _require_completed(job: Mapping[str, Any]) -> None:
    """Refuse a job that Step Functions let pass although it was cut off: its model may be half trained."""
    if job["status"] == "Completed":
        return
    if job.get("secondary_status") == "MaxRuntimeExceeded":
        raise TrainingStoppedError(
            f"The training job {job['name']} ran longer than its limit and was stopped."
        )
    raise TrainingStoppedError(f"The training job {job['name']} ended as {job['status']}, not as Completed.")


def _pinned_truth(run: Mapping[str, Any], settings: Settings, storage: Storage) -> dict[str, str]:
    now = holdout_version(run["dataset"], settings, storage)
    if now.digest != run["holdout_version"]:
        raise HoldoutChangedError(
            f"The holdout of {run['dataset']} changed while the challenger trained (version "
            f"{run['holdout_version'][:12]} became {now.digest[:12]}): start the run again."
        )
    key = f"{HOLDOUT_PREFIX}{run['dataset']}/{LABELS_FILE}"
    return predictions.read_truth(storage.read(settings.data_bucket, key), key)


def _read_outputs(model_data_url: str, storage: Storage) -> tuple[dict[str, bytes], str]:
    """Return the predictions by file name, and why there are none if the archive cannot be read."""
    uri = s3_uris.parse(model_data_url.removesuffix("model.tar.gz") + "output.tar.gz")
    if uri is None:
        raise ValueError(f"not an S3 URI: {model_data_url}")
    try:
        with storage.open(uri.bucket, uri.key) as stream:
            return archives.read_members(stream, (CHALLENGER_FILE, CHAMPION_FILE)), ""
    except ObjectMissingError:
        return {}, "the job left no output.tar.gz"
    except ArchiveUnreadableError as error:
        return {}, f"output.tar.gz is unusable: {error}"


def _challenger(
    files: Mapping[str, bytes], unreadable: str, truth: dict[str, str]
) -> tuple[predictions.Joined | None, list[Finding]]:
    if CHALLENGER_FILE in files:
        return predictions.join(files[CHALLENGER_FILE], truth, CHALLENGER_FILE)
    why = f" ({unreadable})" if unreadable else ""
    sentence = (
        f"{CHALLENGER_FILE} is missing{why}; a training program writes it to SM_OUTPUT_DATA_DIR "
        "with the columns id, label, prediction."
    )
    return None, [Finding("missing_file", 1, sentence)]


def _champion(state: Mapping[str, Any], files: Mapping[str, bytes], truth: dict[str, str]) -> Champion | None:
    """Score the champion on the same rows, or else by its own evaluation on the same holdout."""
    known = state["champion"]
    if known is None:
        return None
    if CHAMPION_FILE in files:
        joined, findings = predictions.join(files[CHAMPION_FILE], truth, CHAMPION_FILE)
        if joined is None:
            return Champion(known["run_id"], None, " ".join(finding.sentence for finding in findings))
        return Champion(known["run_id"], gate.score(joined))
    metrics = known.get("metrics")
    if metrics and known.get("holdout_version") == state["run"]["holdout_version"]:
        return Champion(known["run_id"], Score(**metrics))
    reason = f"{CHAMPION_FILE} is missing, and the champion was never judged on this version of the holdout."
    return Champion(known["run_id"], None, reason)
