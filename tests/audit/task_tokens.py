"""Where a state machine's task tokens go: whoever has one can end the state that waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

TOKEN = "$$.Task.Token"
KEEPERS = ("lambda:invoke.waitForTaskToken", "sqs:sendMessage.waitForTaskToken")
"""Integrations that hand a token to a function or a queue of the stack, and to nobody else."""


_INNER = ("Branches", "ItemProcessor", "Iterator")


def leaks(definition: dict[str, Any]) -> list[str]:
    """Return the states that hand a token to anything but a function or a queue, or keep it in the data."""
    return sorted(name for name, state in _states(definition) if TOKEN in str(state) and not _is_kept(state))


def _is_kept(state: dict[str, Any]) -> bool:
    others = {name: value for name, value in state.items() if name != "Parameters"}
    return str(state.get("Resource", "")).endswith(KEEPERS) and TOKEN not in str(others)


def _states(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every state, without the machines inside it, whose states come by themselves."""
    for name, state in definition["States"].items():
        for part in _INNER:
            machines = state.get(part, [])
            for machine in machines if isinstance(machines, list) else [machines]:
                yield from _states(machine)
        yield name, {key: value for key, value in state.items() if key not in _INNER}
