"""Record and tell how a run ended: in the ledger, in the artifacts bucket, and to people."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from retraining import messages, records
from retraining.executions import Execution
from retraining.ports import Endpoints, Ledger, Storage, Topic
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
        known = records.champion(finished, state, known)
        ledger.put_champion(known)
    complete = {**finished, "serving": records.serving(endpoint, known)}
    key = f"runs/{finished['run_id']}/run.json"
    content = json.dumps(complete, indent=2, sort_keys=True)
    storage.write(settings.artifacts_bucket, key, content.encode(), "application/json")
    ledger.put_run(complete)
    return complete


def tell(
    state: Mapping[str, Any],
    execution: Execution,
    outcome: str,
    now: str,
    stack_name: str,
    topic: Topic,
    card: Sequence[str] = (),
) -> dict[str, Any]:
    """Send the notification of a run, even if its record could not be written.

    Parameters
    ----------
    state : mapping
        The state machine's data.
    card : sequence of str
        Lines that say where the run card is.

    Returns
    -------
    dict
        ``subject``, ``outcome`` and ``reason`` as people were told.
    """
    recorded = state.get("record")
    if isinstance(recorded, Mapping):
        told: Mapping[str, Any] = recorded["run"]
        message = messages.render(told, card=card)
    else:
        told = records.finished(state, execution, outcome, now, stack_name=stack_name)
        message = messages.render({**told, "serving": messages.UNKNOWN}, ledger_written=False, card=card)
    topic.publish(message.subject, message.body, message.attributes)
    return {"subject": message.subject, "outcome": told["outcome"], "reason": told["reason"]}
