"""The way of the run through the state machine, drawn from top to bottom, every state coloured by its end."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from retraining.cards import charts, figures, way
from retraining.cards.facts import Facts, part
from retraining.cards.markup import Html, element, together
from retraining.cards.section import folded, section, table
from retraining.cards.way import Loop, Visit

_SIGNS = {
    way.SUCCEEDED: "✓",
    way.RETRIED: "↻",
    way.CAUGHT: "!",
    way.FAILED: "✗",
    way.STOPPED: "■",
    way.UNDER_WAY: "…",
}

_WORDS = {
    way.SUCCEEDED: "succeeded",
    way.RETRIED: "succeeded at a further try",
    way.CAUGHT: "failed, and the run went on elsewhere",
    way.FAILED: "failed",
    way.STOPPED: "stopped from outside",
    way.UNDER_WAY: "under way when this card was written",
}

_MOST_STEPS = 60
"""Steps that are drawn; of more, the first and last ones."""


@dataclass(frozen=True, slots=True)
class _Span:
    start: datetime
    end: datetime

    def share(self, at: datetime | None) -> float:
        whole = (self.end - self.start).total_seconds()
        return ((at or self.end) - self.start).total_seconds() / whole if whole else 0.0


def journey(facts: Facts) -> Html | None:
    """Draw the way."""
    turns = way.visits(facts.events)
    if not turns:
        return None
    last = max(visit.left_at or visit.entered_at for visit in turns)
    span = _Span(turns[0].entered_at, last)
    steps = way.folded(turns)
    told = Counter(visit.end for visit in turns)
    note = (
        f"{figures.count(len(turns), 'state', 'states')} in "
        f"{figures.duration((span.end - span.start).total_seconds())}; the bars show when in the run "
        "each was entered and how long it lasted. Times are UTC."
    )
    return section(
        "The way of this run",
        _legend(told),
        element("ol", together(_drawn(steps, facts.definition, span)), class_="way"),
        _others(facts.definition, turns),
        note=note,
        class_="journey",
    )


def _legend(told: Mapping[str, int]) -> Html:
    signs = (
        element("span", element("i", _SIGNS[end], class_=f"sign {end}", aria_hidden="true"), _WORDS[end])
        for end in way.ENDS
        if told.get(end)
    )
    return element("p", together(signs), class_="legend")


def _drawn(
    steps: Sequence[Visit | Loop], definition: Mapping[str, Any] | None, span: _Span
) -> Iterator[Html]:
    following = [{_first(step)} for step in steps[1:]] + [set[str]()]
    half = _MOST_STEPS // 2
    left_out = range(half, len(steps) - half) if len(steps) > _MOST_STEPS else range(0)
    for at, (step, after) in enumerate(zip(steps, following, strict=True)):
        if at in left_out:
            if at == half:
                yield element("li", f"… {len(left_out):,} more …", class_="gap")
        elif isinstance(step, Loop):
            taken = after | {_first(step)}
            nodes = [_node(visit, definition, span, taken) for visit in step.merged()]
            yield element(
                "li",
                element("p", f"↻ {len(step.rounds)} rounds", class_="rounds"),
                element("ol", together(nodes)),
                class_="loop",
            )
        else:
            yield _node(step, definition, span, after)


def _first(step: Visit | Loop) -> str:
    return step.rounds[0][0].name if isinstance(step, Loop) else step.name


def _node(visit: Visit, definition: Mapping[str, Any] | None, span: _Span, taken: set[str]) -> Html:
    seconds = visit.seconds
    return element(
        "li",
        element("time", f"{visit.entered_at:%H:%M:%S}"),
        element(
            "div",
            element(
                "p",
                element("i", _SIGNS[visit.end], class_="sign", aria_hidden="true"),
                element("b", visit.name),
                element("span", visit.kind, class_="kind"),
                element("span", figures.duration(seconds), class_="took") if seconds else None,
                class_="top",
            ),
            charts.spell(span.share(visit.entered_at), span.share(visit.left_at), visit.end),
            _tries(visit),
            _branches(visit, definition, taken),
            class_="box",
            title=_WORDS[visit.end],
        ),
        class_=f"node {visit.end} {visit.kind.lower()}",
    )


def _tries(visit: Visit) -> Html | None:
    if not visit.failures:
        return None
    errors = ", ".join(
        error if times == 1 else f"{error} ({times} times)"
        for error, times in Counter(visit.failures).items()
    )
    tries = f"{visit.tries} tries: " if visit.tries > 1 else ""
    return element("p", f"{tries}{errors}", class_="tries")


def _branches(visit: Visit, definition: Mapping[str, Any] | None, taken: set[str]) -> Html | None:
    """Show where a Choice might have led instead."""
    if visit.kind != "Choice" or not taken:
        return None
    others = [name for name in way.branches(definition, visit.name) if name not in taken]
    if not others:
        return None
    return element(
        "p",
        element("span", "not taken", class_="small"),
        together(element("span", name, class_="stub") for name in others),
        class_="branches",
    )


def _others(definition: Mapping[str, Any] | None, turns: Sequence[Visit]) -> Html | None:
    """List what all states are for, and which of them this run came to."""
    states = part(definition, "States")
    if not states:
        return None
    reached = {visit.name for visit in turns}
    rows = [
        [name, "yes" if name in reached else "no", str(part(states, name).get("Comment") or "")]
        for name in states
    ]
    return folded(
        f"All {len(rows)} states of the state machine", table(["State", "reached", "what it does"], rows)
    )
