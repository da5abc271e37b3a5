"""Checks of where a machine's states lead: missing targets, states that nothing leads to, no end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from retrain.states.validation.report import (
    MISSING_END_STATE,
    MISSING_TRANSITION_TARGET,
    Report,
    did_you_mean,
)


def check(machine: dict[str, Any], report: Report, at: str) -> None:
    """Report what is wrong with the transitions of a machine, which has a `States` object."""
    states = machine["States"]
    start = machine.get("StartAt")
    targets = [(start, f"{at}/StartAt")] if isinstance(start, str) else []
    for name, state in states.items():
        if isinstance(state, dict):
            targets += _targets(state, f"{at}/States/{name}")
    for target, location in targets:
        if target not in states:
            near = did_you_mean(target, states)
            report.error(MISSING_TRANSITION_TARGET, f"Missing 'Next' target: {target}{near}", location)
    if not at and not any(_ends(state) for state in states.values()):
        # AWS looks for this in the outermost machine alone, and then does not look for unreachable states.
        report.error(MISSING_END_STATE, "Workflow has no terminal state")
    elif isinstance(start, str):
        reached = _reached(states, start)
        for name in states:
            if name not in reached:
                report.error(
                    MISSING_TRANSITION_TARGET, f'State "{name}" is not reachable.', f"{at}/States/{name}"
                )


def _targets(state: dict[str, Any], at: str) -> Iterator[tuple[str, str]]:
    for field in ("Next", "Default"):
        if isinstance(state.get(field), str):
            yield state[field], f"{at}/{field}"
    for field in ("Choices", "Catch"):
        rules = state.get(field)
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(rule, dict) and isinstance(rule.get("Next"), str):
                yield rule["Next"], f"{at}/{field}[{index}]/Next"


def _ends(state: Any) -> bool:
    return isinstance(state, dict) and (state.get("End") is True or state.get("Type") in ("Succeed", "Fail"))


def _reached(states: dict[str, Any], start: str) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in states:
            continue
        reached.add(name)
        if isinstance(states[name], dict):
            waiting += [target for target, _ in _targets(states[name], "")]
    return reached
