"""What became of the endpoint, step by step: approval, traffic, verification, the way back, clean-up."""

from collections.abc import Iterator, Mapping
from typing import Any

from retraining import cleaned, records
from retraining.cards import figures
from retraining.cards.facts import Facts, items, part
from retraining.cards.markup import Child, Html, code, element, together
from retraining.cards.section import pairs, section

GOOD, BAD, PLAIN = "passed", "failed", "plain"

_SIGNS = {GOOD: "✓", BAD: "✗", PLAIN: "·"}

_STRATEGIES = {
    "canary": "Canary: a small share of the traffic first, then the rest",
    "linear": "Linear: the traffic step by step",
    "all_at_once": "All at once: the whole traffic in one step",
}


def deployment(facts: Facts) -> Html | None:
    """Tell what became of the endpoint, if the run got so far as to touch it, or somebody was asked."""
    record = facts.record
    steps = list(_steps(record))
    warnings = [
        *items(record, "warnings"),
        *items(part(record, "cleanup"), "warnings"),
    ]
    if not (steps or warnings or record.get("endpoint_config_name")):
        return None
    serving = part(record, "serving")
    return section(
        "Deployment",
        element("ul", together(steps), class_="checks") if steps else None,
        together(element("p", str(warning), class_="missing") for warning in warnings) if warnings else None,
        pairs(
            (
                ("Endpoint", _code(record.get("endpoint_name"))),
                ("Config before", _code(record.get("previous_endpoint_config_name"))),
                ("Config of this run", _code(record.get("endpoint_config_name"))),
                ("Config that serves", _code(serving.get("endpoint_config_name"))),
            )
        ),
        class_="deployment",
    )


def _steps(record: Mapping[str, Any]) -> Iterator[Html]:
    yield from _goal(part(record, "rollback"))
    yield from _approval(part(record, "approval"))
    yield from _traffic(record, part(record, "deployment"))
    yield from _verification(part(record, "verification"))
    yield from _end(record)
    yield from _cleanup(record)


def _goal(found: Mapping[str, Any]) -> Iterator[Html]:
    if not found:
        return
    target, source = found.get("to_run_id"), found.get("from_run_id")
    yield _step(
        PLAIN,
        "Rollback",
        "asked for",
        element(
            "p",
            "Back to the model of the run ",
            code(target) if target else "before",
            together((", from that of the run ", code(source))) if source else None,
            ".",
        ),
    )


def _approval(found: Mapping[str, Any]) -> Iterator[Html]:
    if not found:
        return
    granted = bool(found.get("granted"))
    decided = figures.day_and_clock(found.get("decided_at")) if found.get("decided_at") else ""
    told = [str(found["by"])] if found.get("by") else []
    told += [decided] if decided else []
    said = str(found.get("reason") or "")
    yield _step(
        GOOD if granted else BAD,
        "Approval",
        "granted" if granted else "not granted",
        element("p", said) if said else None,
        element("p", ", ".join(told), class_="small") if told else None,
    )


def _traffic(record: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Html]:
    if not found:
        return
    how = _STRATEGIES.get(str(found.get("strategy") or ""))
    if found.get("action") != "update" or how is None:
        how = "The endpoint was made for this model" if found.get("action") != "update" else "An update"
        yield _step(PLAIN, "Traffic", "", element("p", f"{how}."))
        return
    watched = "watched by alarms" if found.get("guarded_by_alarms") else "not watched by alarms"
    error = part(record, "error").get("name")
    kind = (
        BAD if error == "EndpointRolledBack" else GOOD if record.get("outcome") == records.DEPLOYED else PLAIN
    )
    yield _step(kind, "Traffic", "rolled back" if kind == BAD else "", element("p", f"{how}, {watched}."))


def _verification(found: Mapping[str, Any]) -> Iterator[Html]:
    if not found:
        return
    agrees, verified = bool(found.get("agrees")), bool(found.get("verified"))
    kind = GOOD if agrees and verified else PLAIN if agrees else BAD
    result = {GOOD: "agrees with the gate", PLAIN: "not verified", BAD: "answers otherwise"}[kind]
    rows = figures.number(found.get("rows"))
    asked = None
    if rows:
        differing = figures.number(found.get("differing")) or 0.0
        asked = (
            f"{figures.count(rows, 'row', 'rows')} of the holdout asked, {differing:.0f} answered otherwise."
        )
    said = str(found.get("sentence") or "")
    yield _step(
        kind,
        "Verification",
        result,
        element("p", said) if said else None,
        element("p", asked, class_="small") if asked and kind != GOOD else None,
    )


def _end(record: Mapping[str, Any]) -> Iterator[Html]:
    """Tell the way back, if there was one."""
    outcome, error = record.get("outcome"), part(record, "error").get("name")
    if outcome == records.ROLLED_BACK:
        yield _step(GOOD, "Way back", "the champion serves again")
    elif error == "ChampionNotRestored":
        yield _step(
            BAD, "Way back", "the champion was not restored", element("p", "A person has to look at it.")
        )
    elif error == "EndpointNotVerified":
        yield _step(PLAIN, "Way back", "the endpoint was removed", element("p", "There was no champion."))


def _cleanup(record: Mapping[str, Any]) -> Iterator[Html]:
    found = part(record, "cleanup")
    if record.get("cleanup_error"):
        said = element("p", "Earlier models could not be removed; the next deployment tries again.")
        yield _step(BAD, "Clean-up", "failed", said)
        return
    if not isinstance(found.get("removed"), Mapping):
        return
    kept = figures.count(cleaned.kept(found), "model is", "models are")
    told = f"{cleaned.sentence(found) or 'Nothing was to be removed.'} {kept} kept."
    yield _step(GOOD, "Clean-up", "", element("p", told))


def _step(kind: str, name: str, result: str, *content: Child) -> Html:
    return element(
        "li",
        element("span", _SIGNS[kind], class_="sign", aria_hidden="true"),
        element(
            "div",
            element("b", name),
            element("span", result, class_="result") if result else None,
            together(content),
        ),
        class_=kind,
    )


def _code(value: object) -> Html | None:
    return code(value) if value not in (None, "") else None
