"""The ARNs of Step Functions: made here, and taken apart here."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from retrain.states.service.errors import invalid_arn

calling_account: ContextVar[str | None] = ContextVar("calling_account", default=None)
"""Who calls, where that is known: what is made belongs to that account."""


@dataclass(frozen=True, slots=True)
class Place:
    """The region that ARNs are made for, and the account where none is known to call."""

    region: str
    account: str

    def _arn(self, kind: str, rest: str) -> str:
        return f"arn:aws:states:{self.region}:{calling_account.get() or self.account}:{kind}:{rest}"

    def machine(self, name: str) -> str:
        """Return a state machine's ARN; `name` may have a qualifier (`name:3`) or a label (`name/Map`)."""
        return self._arn("stateMachine", name)

    def execution(self, machine: str, name: str) -> str:
        """Return the ARN of an execution of a Standard machine."""
        return self._arn("execution", f"{machine}:{name}")

    def express(self, machine: str, name: str, unique: str) -> str:
        """Return the ARN of an execution of an Express machine, whose names may repeat."""
        return self._arn("express", f"{machine}:{name}:{unique}")

    def activity(self, name: str) -> str:
        """Return an activity's ARN."""
        return self._arn("activity", name)


@dataclass(frozen=True, slots=True)
class MachineArn:
    """An ARN that names a state machine, a version or an alias of it, or a distributed Map in it."""

    arn: str
    base: str
    name: str
    qualifier: str | None = None

    @property
    def is_version(self) -> bool:
        """Whether the qualifier is the number of a version."""
        return self.qualifier is not None and self.qualifier.isdigit()


def _rest(arn: str, *kinds: str) -> tuple[str, str]:
    parts = arn.split(":", 6)
    if len(parts) < 7 or parts[0] != "arn":
        raise invalid_arn(f"Invalid ARN prefix: {arn}")
    if parts[2] != "states" or parts[5] not in kinds:
        raise invalid_arn(f"Resource type not valid in this context: {parts[5]}")
    if not parts[6]:
        raise invalid_arn(f"Resource name is missing: {arn}")
    return parts[5], parts[6]


def machine_arn(arn: str) -> MachineArn:
    """Take the ARN of a state machine apart; InvalidArn where it is none."""
    _, rest = _rest(arn, "stateMachine")
    name, _, qualifier = rest.partition(":")
    base = arn.removesuffix(f":{qualifier}") if qualifier else arn
    return MachineArn(arn, base, name, qualifier or None)


def check_execution(arn: str) -> str:
    """Return an execution's ARN; InvalidArn where it is none, or that of an Express execution."""
    kind, _ = _rest(arn, "execution", "express")
    if kind == "express":
        raise invalid_arn("This API action is not supported by EXPRESS state machine executions")
    return arn


def check_activity(arn: str) -> str:
    """Return an activity's ARN; InvalidArn where it is none."""
    _rest(arn, "activity")
    return arn


def check_map_run(arn: str) -> str:
    """Return the ARN of a distributed Map's run; InvalidArn where it is none."""
    _rest(arn, "mapRun")
    return arn


def check_taggable(arn: str) -> str:
    """Return the ARN of something that can have tags; InvalidArn where it is none."""
    _rest(arn, "stateMachine", "activity")
    return arn
