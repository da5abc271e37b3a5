"""What a run's training cost, estimated from list prices: billed seconds, times instances, times the price.

Storage, requests and the endpoint are not in it; discounts and other regions' prices neither.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from retraining import failures

PRICE_LIST = Path(__file__).with_name("training_prices.json")


def of_run(run: Mapping[str, Any], job: Mapping[str, Any], error: Mapping[str, Any]) -> dict[str, Any]:
    """Estimate the cost of a run's training job, as far as it got.

    Parameters
    ----------
    run, job, error : mapping
        The parts of these names of the state machine's data, empty where there is none. A failed job tells
        its billed seconds in the error.

    Returns
    -------
    dict
        ``usd``, None where ``reason`` says why it is not known; and what it was made of.
    """
    prices = _prices()
    seconds = job.get("billable_seconds")
    if seconds is None:
        seconds = failures.billable_seconds(error)
    kind, count = run.get("instance_type"), run.get("instance_count")
    facts = {
        "billable_seconds": seconds,
        "instance_type": kind,
        "instance_count": count,
        "prices": f"list prices of {prices['region']} as of {prices['as_of']}",
    }
    price = prices["prices"].get(kind)
    if run.get("rollback"):
        return {"usd": 0.0, "reason": "A rollback trains nothing.", **facts}
    if seconds is None or count is None:
        return {"usd": None, "reason": "No training job has told what it is billed for.", **facts}
    if price is None:
        reason = f"The price list of {prices['as_of']} has no {kind}."
        return {"usd": None, "reason": reason, **facts}
    return {"usd": round(seconds / 3600 * count * price, 6), "reason": "", **facts}


@cache
def _prices() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PRICE_LIST.read_text())
    return found
