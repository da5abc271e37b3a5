"""What the gate found: check by check, challenger beside champion, by class and slice, and confusions."""

from collections.abc import Iterator, Mapping
from typing import Any

from retraining.cards import charts, figures
from retraining.cards.charts import Mark, Scale
from retraining.cards.facts import Facts, items, part
from retraining.cards.markup import Html, element, together
from retraining.cards.section import folded, section
from retraining.metrics import ACCURACY, METRICS, Metric

_SHOWN_GROUPS = 24
"""Classes and slices that are seen at once; the rest can be unfolded."""


def verdict(facts: Facts) -> Html | None:
    """Show every check with its result, and what it found."""
    decision = part(facts.record, "decision")
    checks = [check for check in items(decision, "checks") if isinstance(check, Mapping)]
    if not decision:
        return None
    rows = together(_check(check) for check in checks)
    word = "Promoted" if decision.get("verdict") == "promote" else "Rejected"
    note = f"{word}: every check has to pass, and {_counted(checks)}."
    return section("The verdict", element("ul", rows, class_="checks"), note=note)


def _counted(checks: list[Mapping[str, Any]]) -> str:
    failed = sum(not check.get("passed") for check in checks)
    return "all did" if not failed else "one did not" if failed == 1 else f"{failed} did not"


def _check(check: Mapping[str, Any]) -> Html:
    passed = bool(check.get("passed"))
    return element(
        "li",
        element("span", "✓" if passed else "✗", class_="sign", aria_hidden="true"),
        element(
            "div",
            element("b", str(check.get("name") or "").replace("_", " ")),
            element("span", "passed" if passed else "failed", class_="result"),
            element("p", str(check.get("sentence") or "")),
        ),
        class_="passed" if passed else "failed",
    )


def comparison(facts: Facts) -> Html | None:
    """Show challenger and champion side by side, with confidence intervals."""
    metrics = part(part(facts.record, "decision"), "metrics")
    ours, theirs = part(metrics, "challenger"), part(metrics, "champion")
    judged = str(metrics.get("metric") or "")
    names = [name for name in METRICS if figures.number(ours.get(name)) is not None]
    names.sort(key=lambda name: name != judged)
    if not names:
        return None
    asked = figures.number(part(facts.evaluation, "gate").get("value_threshold"))
    drawn = [
        _metric(
            METRICS[name],
            _marks(name, ours, theirs),
            asked if name == judged else None,
            judged=name == judged,
        )
        for name in names
    ]
    rows_told = figures.count(ours.get("rows"), "row", "rows")
    against = "with the champion on the same rows" if theirs else "there was no champion to compare with"
    note = f"On {rows_told} of the holdout; {against}. The lines are 95 % confidence intervals."
    return section("Challenger and champion", _legend(both=bool(theirs)), together(drawn), note=note)


def _legend(*, both: bool) -> Html:
    names = ["challenger", *(["champion"] if both else [])]
    shown = (element("span", element("i", class_=name), name) for name in names)
    return element("p", together(shown), class_="legend")


def _marks(name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Mark]:
    return [
        Mark(who, value, _interval(score, name))
        for who, score in (("challenger", ours), ("champion", theirs))
        if (value := figures.number(score.get(name))) is not None
    ]


def _metric(metric: Metric, marks: list[Mark], asked: float | None, *, judged: bool) -> Html:
    ends = [end for mark in marks for end in (mark.value, *(mark.interval or ()))]
    reach = max(ends) - min(ends)
    # A bound that is far off would leave no room for what is compared.
    near = asked is not None and min(ends) - reach <= asked <= max(ends) + reach
    scale = Scale.over([*ends, *([asked] if asked is not None and near else [])])
    words = together(
        element(
            "p",
            element("b", figures.figure(mark.value, metric)),
            element("span", f" {_written(mark.interval, metric)}", class_="small"),
            class_=mark.who,
        )
        for mark in marks
    )
    change = ""
    if len(marks) == 2:
        change = figures.difference(marks[0].value - marks[1].value, metric)
        change += " (lower is better)" if not metric.higher_is_better else ""
    label = f"{metric.title}: " + "; ".join(
        f"{mark.who} {figures.figure(mark.value, metric)} {_written(mark.interval, metric)}" for mark in marks
    )
    return element(
        "div",
        element(
            "h3",
            metric.title,
            element("span", "judged by this", class_="tag") if judged else None,
            element("span", f"asked: {metric.written(asked)}", class_="tag asked")
            if asked is not None
            else None,
            element("span", change, class_="change") if change else None,
        ),
        element("div", words, class_="words"),
        charts.intervals(marks, scale, label, asked if near else None),
        class_="metric",
    )


def _interval(score: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    ends = [figures.number(end) for end in items(part(score, "intervals"), name)]
    return (ends[0], ends[1]) if len(ends) == 2 and ends[0] is not None and ends[1] is not None else None


def _written(interval: tuple[float, float] | None, metric: Metric) -> str:
    return f"{metric.written(interval[0])} to {metric.written(interval[1])}" if interval else ""


def slices(facts: Facts) -> Html | None:
    """Show the figures by class and slice."""
    groups = [group for group in items(facts.evaluation, "groups") if isinstance(group, Mapping)]
    if not groups:
        return None
    judged = figures.metric(part(facts.evaluation, "metrics").get("metric"))
    metric = judged if judged is not None and judged.numeric else ACCURACY
    lines = list(_groups(groups, metric))
    shown, rest = lines[:_SHOWN_GROUPS], lines[_SHOWN_GROUPS:]
    what = "Share of right rows" if metric is ACCURACY else metric.title
    order = ", the worst first" if rest else ""
    unit = " Differences are in points." if metric.proportion else ""
    note = f"{what} within each class and slice that is large enough to judge{order}.{unit}"
    return section(
        "By class and slice",
        _legend(both=any(figures.number(group.get("champion")) is not None for group in groups)),
        element("div", together(shown), class_="groups"),
        folded(f"{len(rest)} more", element("div", together(rest), class_="groups")) if rest else None,
        note=note,
    )


def _groups(groups: list[Mapping[str, Any]], metric: Metric) -> Iterator[Html]:
    if len(groups) > _SHOWN_GROUPS:
        sign = 1 if metric.higher_is_better else -1
        groups = sorted(groups, key=lambda group: sign * (figures.number(group.get("challenger")) or 0.0))
    ends = [
        end
        for group in groups
        for end in (
            figures.number(group.get("challenger")),
            figures.number(group.get("champion")),
            *(figures.number(end) for end in items(group, "interval")),
        )
        if end is not None
    ]
    scale = Scale.over(ends or [0.0, 1.0], margin=0.04)
    for group in groups:
        yield _group(group, metric, scale)


def _bare_difference(value: float, metric: Metric) -> str:
    return figures.difference(value, metric).removesuffix(" points")


def _group(group: Mapping[str, Any], metric: Metric, scale: Scale) -> Html:
    column, value = str(group.get("column") or ""), str(group.get("value") or "(empty)")
    ours, theirs = figures.number(group.get("challenger")), figures.number(group.get("champion"))
    interval = _interval({"intervals": {"group": items(group, "interval")}}, "group")
    marks = [Mark("challenger", ours, interval)] if ours is not None else []
    if theirs is not None:
        marks.append(Mark("champion", theirs, None))
    change = _bare_difference(ours - theirs, metric) if ours is not None and theirs is not None else ""
    worse = ours is not None and theirs is not None and metric.gain(ours, theirs) < 0
    label = f"{column} {value}: challenger {figures.figure(ours, metric)}"
    return element(
        "div",
        element(
            "p",
            element("b", element("bdi", f"{column} {value}")),
            element("span", figures.count(group.get("rows"), "row", "rows"), class_="small"),
            class_="group-name",
        ),
        charts.intervals(marks, scale, label),
        element(
            "p",
            element("span", figures.figure(ours, metric), class_="challenger"),
            element("span", figures.figure(theirs, metric), class_="champion")
            if theirs is not None
            else None,
            element("span", change, class_="change worse" if worse else "change") if change else None,
            class_="group-figures",
        ),
        class_="group",
    )
