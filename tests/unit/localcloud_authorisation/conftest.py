"""Roles in MiniStack's IAM, in this very process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from retrain.localcloud import seams
from retrain.localcloud.authorisation.decisions import Authority, Caller
from retrain.localcloud.authorisation.policies import IAM

GiveRole = Callable[..., Caller]


@pytest.fixture
def give_role() -> Iterator[GiveRole]:
    """Make a role with statements in one policy; gives somebody who acts in it."""
    roles = seams.module(IAM)._roles
    made: list[str] = []

    def give(*statements: dict[str, Any], name: str = "reader", boundary: str | None = None) -> Caller:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        arn = f"arn:aws:iam::000000000000:role/{name}"
        roles[name] = {
            "RoleName": name,
            "Arn": arn,
            "InlinePolicies": {"policy": json.dumps(document)} if statements else {},
            "AttachedPolicies": [],
            "PermissionsBoundary": boundary,
        }
        made.append(name)
        return Caller(arn, "function")

    yield give
    for name in made:
        roles.pop(name, None)


@pytest.fixture
def authority() -> Authority:
    return Authority()


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement that denies."""
    return {**allow(action, resource, **more), "Effect": "Deny"}


@pytest.fixture
def restored_handlers() -> Iterator[None]:
    """CloudFormation's handlers as they were, after the test."""
    handlers = seams.module(seams.PROVISIONERS)._RESOURCE_HANDLERS
    kept = {kind: dict(verbs) for kind, verbs in handlers.items()}
    yield
    for kind, verbs in kept.items():
        handlers[kind].update(verbs)
