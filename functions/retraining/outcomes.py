"""Record how a run ended: in the ledger, and in the artifacts bucket."""

import json
from collections.abc import Mapping
from typing import Any

from retraining import champions, records
from retraining.ports import Endpoints, Ledger, Storage
from retraining.settings import Settings


def record(
    finished: dict[str, Any],
    state: Mapping[str, Any],
    settings: Settings,
    storage: Storage,
    endpoints: Endpoints,
    ledger: Ledger,
) -> dict[str, Any]:
    """Complete a finished record with what serves now, and keep it.

    Every step may be repeated without harm; the run's record comes last, because it is what says that all is
    kept.

    Parameters
    ----------
    finished : dict
        As `records.finished` gives it.
    state : mapping
        The state machine's data.

    Returns
    -------
    dict
        The record as it was written.
    """
    endpoint_name = finished["endpoint_name"]
    endpoint = known = None
    if endpoint_name:
        endpoint, known = endpoints.describe(endpoint_name), ledger.get_champion(endpoint_name)
    if finished["outcome"] == records.DEPLOYED:
        crowned = champions.succeed(finished, state, known)
        # What was deployed later stays: this may be a late repetition.
        known = crowned if ledger.put_champion(crowned) else ledger.get_champion(endpoint_name)
    complete = {**finished, "serving": records.serving(endpoint, known)}
    key = record_key(finished["run_id"])
    content = json.dumps(complete, indent=2, sort_keys=True)
    storage.write(settings.artifacts_bucket, key, content.encode(), "application/json")
    ledger.put_run(complete)
    return complete


def record_key(run_id: str) -> str:
    """Return where in the artifacts bucket a run's record lies."""
    return f"runs/{run_id}/run.json"
