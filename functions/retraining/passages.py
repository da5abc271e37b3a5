"""Passages of a run's message that tell how its model went live, what it cost, and what to look at."""

from collections.abc import Mapping
from typing import Any

from retraining import cleaned, records

_STRATEGIES = {
    "canary": "A small share of the traffic went to the new model first, and the rest when that went well",
    "linear": "The traffic went to the new model step by step",
    "all_at_once": "All traffic went to the new model at once",
}


def deployment(record: Mapping[str, Any]) -> str:
    """Tell how the model went live, or was to; empty if the run did not get so far."""
    lines = [approval(record), _traffic(record), _verification(record), _cleaned(record)]
    return "\n".join(line for line in lines if line)


def approval(record: Mapping[str, Any]) -> str:
    """Tell who let the model go live; empty if nobody was asked."""
    found = _part(record, "approval")
    if not found or not found.get("granted"):
        return ""
    by = f" by {found['by']}" if found.get("by") else ""
    at = f" at {found['decided_at']}" if found.get("decided_at") else ""
    reason = f": {found['reason']}" if found.get("reason") else ""
    return _ended(f"Approved{by}{at}{reason}")


def is_refused(record: Mapping[str, Any]) -> bool:
    """Whether the gate promoted the challenger, and a person, or nobody in time, did not approve it."""
    return record.get("outcome") == records.REJECTED and bool(_part(record, "approval"))


def _traffic(record: Mapping[str, Any]) -> str:
    found = _part(record, "deployment")
    if not found:
        return ""
    if found.get("action") != "update":
        return "The endpoint was made for it." if record["outcome"] == records.DEPLOYED else ""
    how = _STRATEGIES.get(str(found.get("strategy")), "The endpoint was updated")
    return f"{how}, {'watched by alarms' if found.get('guarded_by_alarms') else 'not watched by alarms'}."


def _verification(record: Mapping[str, Any]) -> str:
    found = _part(record, "verification")
    return (
        _ended(f"Verified: {found['sentence']}")
        if found.get("verified")
        else str(found.get("sentence") or "")
    )


def _cleaned(record: Mapping[str, Any]) -> str:
    said = cleaned.sentence(_part(record, "cleanup"))
    return f"Cleaned up: {said[0].lower()}{said[1:]}" if said else ""


def cost(record: Mapping[str, Any]) -> str:
    """Tell what the training cost; empty if there was none, or nobody knows."""
    found = _part(record, "cost_estimate")
    usd, seconds = found.get("usd"), found.get("billable_seconds")
    if not isinstance(usd, int | float) or not isinstance(seconds, int | float):
        return ""
    amount = f"About ${usd:,.2f}" if usd >= 0.01 else "Less than 1 cent"
    instances = f"{found.get('instance_count')} x {found.get('instance_type')}"
    return (
        f"{amount} for training ({seconds:,.0f} billed seconds of {instances}, {found.get('prices')}); "
        "storage, requests and the endpoint are not in it."
    )


def warnings(record: Mapping[str, Any]) -> str:
    """List what went well enough, and should be looked at all the same; empty if there is nothing."""
    found = [*_texts(record.get("warnings")), *_texts(_part(record, "cleanup").get("warnings"))]
    if record.get("cleanup_error"):
        found.append("Earlier models could not be cleaned up; the next deployment tries again.")
    return "\n".join(f"  {warning}" for warning in found)


def _texts(value: object) -> list[str]:
    return [str(item) for item in value if item] if isinstance(value, list) else []


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = record.get(name)
    return part if isinstance(part, Mapping) else {}
