"""The head of a card: which run, how it ended, why, and its figures at a glance."""

from collections.abc import Iterator

from retraining import records
from retraining.cards import figures
from retraining.cards.facts import Facts, items, part
from retraining.cards.markup import Child, Html, code, element, together

_HEADLINES = {
    records.DEPLOYED: "A new model serves",
    records.REJECTED: "The challenger was rejected",
    records.SKIPPED: "The run was not needed",
    records.FAILED: "The run failed",
    records.ROLLED_BACK: "The update was rolled back",
    records.RUNNING: "The run is under way",
}

SIGNS = {
    records.DEPLOYED: "✓",
    records.REJECTED: "✗",
    records.SKIPPED: "→",
    records.FAILED: "!",
    records.ROLLED_BACK: "↺",
    records.RUNNING: "…",
}


def title(facts: Facts) -> str:
    """Return what the page is called."""
    record = facts.record
    return f"{_outcome(facts)}: {record.get('dataset') or 'unknown dataset'}, run {record.get('run_id')}"


def outcome_class(facts: Facts) -> str:
    """Return the class that colours the card."""
    found = _outcome(facts)
    return found.lower().replace("_", "-") if found in _HEADLINES else "unknown"


def is_refused(facts: Facts) -> bool:
    """Whether the gate promoted the challenger, and a person, or nobody in time, did not approve it."""
    return _outcome(facts) == records.REJECTED and bool(part(facts.record, "approval"))


def head(facts: Facts) -> Html:
    """Make the head."""
    record, outcome = facts.record, _outcome(facts)
    reason = str(record.get("reason") or "")
    missing = together(element("p", sentence, class_="missing") for sentence in facts.unknown)
    return element(
        "header",
        element(
            "p",
            element("span", SIGNS.get(outcome, "?"), class_="sign", aria_hidden="true"),
            element("span", outcome.replace("_", " ")),
            class_="outcome",
        ),
        element("h1", element("bdi", str(record.get("dataset") or "unknown dataset"))),
        element("p", f"{_headline(facts)}.", class_="headline"),
        element("p", reason, class_="reason") if reason else None,
        element("p", "Run ", code(record.get("run_id")), ", ", _times(facts), class_="run"),
        element("div", together(_tiles(facts)), class_="tiles"),
        missing,
    )


def _headline(facts: Facts) -> str:
    if is_refused(facts):
        return "The challenger was not approved"
    return _HEADLINES.get(_outcome(facts), "The run has ended")


def _outcome(facts: Facts) -> str:
    return str(facts.record.get("outcome") or "UNKNOWN")


def _times(facts: Facts) -> str:
    record = facts.record
    started = f"started {figures.day_and_clock(record.get('started_at'))}"
    if record.get("finished_at") is None:
        return f"{started}."
    return f"{started}, took {figures.between(record.get('started_at'), record.get('finished_at'))}."


def _tiles(facts: Facts) -> Iterator[Html]:
    record = facts.record
    metrics = part(part(record, "decision"), "metrics")
    name = str(metrics.get("metric") or "accuracy")
    metric = figures.metric(name)
    ours, theirs = part(metrics, "challenger"), part(metrics, "champion")
    value, other = figures.number(ours.get(name)), figures.number(theirs.get(name))
    if value is not None:
        span = [figures.figure(end, metric) for end in items(part(ours, "intervals"), name)]
        title = metric.title if metric else name
        yield _tile(title, figures.figure(value, metric), f"{span[0]} to {span[1]}" if len(span) == 2 else "")
    if value is not None and other is not None:
        yield _tile(
            "Against the champion",
            figures.difference(value - other, metric),
            f"its {metric.in_sentence if metric else name} is {figures.figure(other, metric)}",
        )
    checks = items(part(record, "decision"), "checks")
    if checks:
        passed = sum(bool(part({"check": check}, "check").get("passed")) for check in checks)
        yield _tile("Checks passed", f"{passed} of {len(checks)}", "")
    if record.get("file_count") is not None:
        yield _tile(
            "Data",
            figures.count(record.get("file_count"), "file", "files"),
            _bytes(record.get("total_bytes")),
        )
    cost = part(record, "cost_estimate")
    if figures.number(cost.get("usd")) is not None:
        seconds = figures.number(cost.get("billable_seconds")) or 0.0
        yield _tile("Training cost", figures.dollars(cost.get("usd")), f"{figures.duration(seconds)} billed")
    yield _tile("Serves now", *_serving(facts))


def _bytes(value: object) -> str:
    return figures.size(value) if figures.number(value) is not None else ""


def _serving(facts: Facts) -> tuple[str, str]:
    serving = facts.record.get("serving")
    found = part(facts.record, "serving")
    if not found:
        return ("unknown", str(serving)) if serving else ("no endpoint", "")
    if found.get("status") != "InService":
        return str(found.get("status")), str(found.get("endpoint_name") or "")
    run_id = found.get("run_id")
    if run_id == facts.record.get("run_id"):
        return "this run's model", str(found.get("endpoint_name") or "")
    if run_id:
        return "another run's model", str(run_id)
    return "another endpoint config", str(found.get("endpoint_config_name") or "")


def _tile(name: Child, value: Child, small: Child) -> Html:
    return element(
        "div",
        element("span", name, class_="name"),
        element("span", value, class_="value"),
        element("span", small, class_="small") if small else None,
        class_="tile",
    )
