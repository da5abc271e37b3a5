"""A policy document out of needs: alike ones put together, each statement with a name of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from retrain.states.model import StateMachine
from retrain.workflow.iam.needs import needs
from retrain.workflow.iam.scope import Scope
from retrain.workflow.iam.statement import Need


def policy(
    machine: StateMachine, scope: Scope | None = None, *, logging: bool = False, tracing: bool = False
) -> dict[str, Any]:
    """Return a policy document for the role of a state machine; the parameters are those of `needs`."""
    return document(needs(machine, scope, logging=logging, tracing=tracing).needs)


def document(found: Iterable[Need]) -> dict[str, Any]:
    """Return a policy document that allows what is needed, and nothing else."""
    used: dict[str, int] = {}
    statements = []
    for need in together(found):
        sid = re.sub(r"[^A-Za-z0-9]", "", need.sid)
        used[sid] = used.get(sid, 0) + 1
        statement: dict[str, Any] = {
            "Sid": sid if used[sid] == 1 else f"{sid}{used[sid]}",
            "Effect": "Allow",
            "Action": _one_or_more(need.actions),
            "Resource": _one_or_more(need.resources),
        }
        if need.condition:
            statement["Condition"] = need.condition
        statements.append(statement)
    return {"Version": "2012-10-17", "Statement": statements}


def together(found: Iterable[Need]) -> list[Need]:
    """Put needs of the same actions together, then those of the same resources."""
    by_actions = _merged(found, lambda need: (need.sid, frozenset(need.actions)))
    return _merged(by_actions, lambda need: (need.sid, frozenset(need.resources)))


def by_purpose(found: Iterable[Need]) -> list[Need]:
    """Put needs of the same actions and the same purpose together, for people."""
    return _merged(found, lambda need: (need.actions, need.why))


def _merged(found: Iterable[Need], key: Any) -> list[Need]:
    groups: dict[Any, list[Need]] = {}
    for need in found:
        groups.setdefault((key(need), json.dumps(need.condition, sort_keys=True)), []).append(need)
    return [_union(group) for group in groups.values()]


def _union(group: list[Need]) -> Need:
    def all_of(part: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item for need in group for item in getattr(need, part)))

    first = group[0]
    return Need(
        all_of("actions"), all_of("resources"), first.why, first.sid, all_of("states"), first.condition
    )


def _one_or_more(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
