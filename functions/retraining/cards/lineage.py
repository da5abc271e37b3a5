"""Where the run came from, what it made, and what it cost."""

from collections.abc import Mapping
from typing import Any

from retraining.cards import figures, way
from retraining.cards.facts import Facts, part
from retraining.cards.markup import Child, Html, code, element, together
from retraining.cards.section import folded, pairs, section

_ASKED = {
    "s3": "an upload",
    "event": "an event",
    "schedule": "a schedule",
    "alarm": "an alarm",
    "codepipeline": "CodePipeline",
    "manual": "a person",
}


def lineage(facts: Facts) -> Html:
    """List trigger, data, program, and what was made of them."""
    record, trigger = facts.record, part(facts.record, "trigger")
    kind = str(trigger.get("kind") or "manual")
    cost = part(record, "cost_estimate")
    subject = part(facts.evaluation, "subject")
    champion = part(subject, "champion")
    instances = _instances(cost or record)
    return section(
        "Lineage",
        pairs(
            (
                ("Asked for by", _ASKED.get(kind, kind)),
                ("Trigger", _code(trigger.get("id"))),
                ("Asked for at", figures.day_and_clock(trigger.get("time")) if trigger.get("time") else None),
                ("Dataset", _code(record.get("dataset_s3_uri") or record.get("dataset"))),
                ("Dataset version", _code(record.get("dataset_version"))),
                ("Files", _files(record)),
                ("Holdout version", _code(record.get("holdout_version"))),
                ("Image", _code(record.get("image_uri"))),
                ("Source", _code(record.get("source"))),
                ("Hyperparameters", _hyperparameters(record.get("hyperparameters"))),
                ("Retrain key", _code(record.get("retrain_key"))),
                ("Repeats", _code(record.get("repeats"))),
                ("Training job", _code(record.get("training_job_name"))),
                ("Instances", instances),
                ("Model artifact", _code(subject.get("model_data_url"))),
                ("Compared with run", _code(champion.get("run_id"))),
                ("Model package", _code(record.get("model_package_arn"))),
                ("Model", _code(record.get("model_name"))),
                ("Endpoint", _code(record.get("endpoint_name"))),
                ("Endpoint config", _code(record.get("endpoint_config_name"))),
                ("Execution", _code(record.get("execution_arn"))),
            )
        ),
    )


def cost(facts: Facts) -> Html | None:
    """Tell what the training cost, and what that is made of."""
    found = part(facts.record, "cost_estimate")
    if not found:
        return None
    if figures.number(found.get("usd")) is None:
        return section("Cost", note=str(found.get("reason") or "It is not known."))
    seconds = figures.number(found.get("billable_seconds")) or 0.0
    return section(
        "Cost",
        element("p", figures.dollars(found.get("usd")), class_="amount"),
        element(
            "p",
            f"{seconds:,.0f} billed seconds of {_instances(found) or 'training'}; "
            f"{found.get('prices') or 'list prices'}. Storage, requests and the endpoint are not in it.",
            class_="note",
        ),
    )


def wrong(facts: Facts) -> Html | None:
    """Tell what went wrong, as precisely as it is known."""
    error = part(facts.record, "error")
    if not error:
        return None
    cause, reason = str(error.get("cause") or ""), str(facts.record.get("reason") or "")
    failing = [visit for visit in way.visits(facts.events) if visit.end in {way.CAUGHT, way.FAILED}]
    where = next((visit.name for visit in failing if visit.kind != "Fail"), None)
    return section(
        "What went wrong",
        pairs((("State", _code(where)), ("Error", _code(error.get("name"))))),
        folded("The cause as it was reported", element("pre", cause, tabindex=0))
        if cause and cause not in reason
        else None,
    )


def _code(value: object) -> Html | None:
    return code(value) if value not in (None, "") else None


def _files(record: Mapping[str, Any]) -> str | None:
    if record.get("file_count") is None:
        return None
    files = figures.count(record.get("file_count"), "file", "files")
    size = figures.number(record.get("total_bytes"))
    return files if size is None else f"{files}, {figures.size(size)}"


def _instances(facts: Mapping[str, Any]) -> str | None:
    kind, count = facts.get("instance_type"), figures.number(facts.get("instance_count"))
    return f"{count:.0f} \u00d7 {kind}" if kind and count is not None else None


def _hyperparameters(found: object) -> Child:
    if not isinstance(found, Mapping) or not found:
        return None
    return element(
        "span",
        together(element("code", f"{name}={value}") for name, value in sorted(found.items())),
        class_="chips",
    )
