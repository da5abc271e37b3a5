"""Whether a role may do something: one action, on one resource, in one context."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.authorisation import policies
from retrain.localcloud.environment import REGION
from retrain.localcloud.errors import AccessDeniedError

log = logging.getLogger("retrain.localcloud")

_EXAMPLES = 12

Context = Mapping[str, str | list[str]]
"""Condition keys, in lower case, with what the request has for them."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to be allowed.

    Attributes
    ----------
    action
        As IAM writes it: `s3:GetObject`.
    resource
        Its ARN; `*` where IAM knows none.
    context
        What conditions may ask for.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who acts in a role.

    Attributes
    ----------
    role_arn
        The role.
    session
        The name of the session: a function's name, or a service's.
    """

    role_arn: str
    session: str

    @property
    def account(self) -> str:
        """The role's account."""
        return self.role_arn.split(":")[4]

    @property
    def arn(self) -> str:
        """Who it is, as AWS says: the session of an assumed role."""
        role = self.role_arn.rsplit("/", 1)[-1]
        return f"arn:aws:sts::{self.account}:assumed-role/{role}/{self.session}"


class Authority:
    """Decides by the policies of roles, and remembers by which statement.

    A role that IAM does not know is not held to anything, because there is nothing to hold it to; AWS would
    not let it be assumed. The log says so once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        self._unknown: set[str] = set()

    def is_held(self, caller: Caller) -> bool:
        """Whether there are policies to hold a caller to."""
        if policies.of_role(caller.role_arn) is not None:
            return True
        if caller.role_arn not in self._unknown:
            self._unknown.add(caller.role_arn)
            log.warning("There is no role %s. AWS would refuse it; here it may do anything.", caller.role_arn)
        return False

    def allows(self, caller: Caller, check: Check) -> bool:
        """Whether a caller may do something."""
        return self._decide(caller, check)[0]

    def require(self, caller: Caller, check: Check) -> None:
        """Refuse what a caller may not do.

        Raises
        ------
        AccessDeniedError
            In AWS's words: who, which action, which resource, and why.
        UnsupportedPolicyError
            A policy of the role cannot be followed.
        """
        allowed, explicit = self._decide(caller, check)
        if not allowed:
            raise AccessDeniedError(denial(caller, check, explicit=explicit), check.action, check.resource)

    def _decide(self, caller: Caller, check: Check) -> tuple[bool, bool]:
        """Return whether it is allowed, and whether a Deny decided."""
        found = policies.of_role(caller.role_arn)
        if found is None:
            return True, False
        evaluator = seams.module(policies.EVALUATOR)
        context = evaluator.EvalContext(
            principal_arn=caller.arn,
            principal_type="AssumedRole",
            principal_account=caller.account,
            action=check.action,
            resource_arn=check.resource,
            region=REGION,
            # This computer's own loopback stands for TLS.
            secure_transport=True,
            service_context={"aws:tagkeys": None, **check.context},
        )
        limits = [] if found.boundary is None else [[list(found.boundary)]]
        result = evaluator.evaluate(context, [list(found.statements)], *limits)
        if result.decision == "Allow":
            self._remember(caller, check, result.matched_sid)
        return result.decision == "Allow", result.decision == "Deny"

    def _remember(self, caller: Caller, check: Check, statement: str) -> None:
        with self._lock:
            examples = self._used.setdefault((caller.role_arn, statement, check.action), [])
            example = {"resource": check.resource, "context": dict(check.context)}
            if len(examples) < _EXAMPLES and example not in examples:
                examples.append(example)

    def used(self) -> list[dict[str, Any]]:
        """Return which statements have allowed what, with a few examples each."""
        with self._lock:
            return [
                {"role": role, "statement": statement, "action": action, "examples": list(examples)}
                for (role, statement, action), examples in self._used.items()
            ]

    def used_as_json(self) -> bytes:
        """Return `used` for a program to read."""
        return json.dumps(self.used()).encode()


def denial(caller: Caller, check: Check, *, explicit: bool = False) -> str:
    """Return the sentence by which AWS refuses."""
    service, _, name = check.action.partition(":")
    # Each service has its way of writing them.
    action = {"sns": f"SNS:{name}", "sqs": f"sqs:{name.lower()}"}.get(service, check.action)
    resource = f'"{check.resource}"' if service == "s3" else check.resource
    why = (
        "with an explicit deny in an identity-based policy"
        if explicit
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource} {why}"
