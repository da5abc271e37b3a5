"""Versions and aliases of state machines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from retrain.states.service import arns
from retrain.states.service.errors import ServiceError, not_found, validation_error
from retrain.states.service.machines import Machines
from retrain.states.service.pages import page
from retrain.states.service.records import Alias, Machine, Revision

Request = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an execution runs: a machine, as it is or as one of its versions was."""

    machine: Machine
    revision: Revision
    version_arn: str | None = None
    alias_arn: str | None = None


class Versions:
    """The operations on versions and aliases.

    Parameters
    ----------
    machines
        Where they are.
    now
        The time, in seconds since the epoch.
    random
        A number from 0 up to, not including, 1: which version of an alias is run.
    """

    def __init__(self, machines: Machines, now: Callable[[], float], random: Callable[[], float]) -> None:
        self._machines = machines
        self._now = now
        self._random = random

    def choose(self, arn: str) -> Chosen:
        """Return what an execution of an ARN runs: a machine's, a version's or an alias's.

        Raises
        ------
        ServiceError
            InvalidArn, StateMachineDoesNotExist.
        """
        machine = self._machines.get(arn)
        if arns.machine_arn(arn).qualifier is None:
            return Chosen(machine, machine.revision)
        alias = self._machines.aliases.get(arn)
        if alias is None:
            return Chosen(machine, self._machines.version(arn).revision, arn)
        draw = self._random() * 100
        chosen = alias.routing[-1]["stateMachineVersionArn"]
        for route in alias.routing:
            draw -= route["weight"]
            if draw < 0:
                chosen = route["stateMachineVersionArn"]
                break
        return Chosen(machine, self._machines.version(chosen).revision, chosen, arn)

    # -- versions ------------------------------------------------------------------------------

    def publish(self, request: Request) -> Request:
        """Answer PublishStateMachineVersion; again for the same revision, the same version."""
        machine = self._machines.unqualified(request["stateMachineArn"])
        wanted = request.get("revisionId")
        if wanted is not None and wanted != machine.revision.revision_id:
            raise ServiceError(
                "ConflictException",
                f"Failed to publish the State Machine version for revision {wanted}. The current State "
                f"Machine revision is {machine.revision.revision_id}.",
            )
        version = self._machines.publish(machine, request.get("description") or "")
        return {"stateMachineVersionArn": version.arn, "creationDate": version.created}

    def delete(self, request: Request) -> Request:
        """Answer DeleteStateMachineVersion; refused while an alias leads to it."""
        arn = request["stateMachineVersionArn"]
        if not arns.machine_arn(arn).is_version:
            raise validation_error(f"Not the ARN of a state machine version: '{arn}'")
        using = [
            alias.name
            for alias in self._machines.aliases.values()
            if any(route["stateMachineVersionArn"] == arn for route in alias.routing)
        ]
        if using:
            raise ServiceError(
                "ConflictException",
                f"Version to be deleted must not be referenced by an alias. Current list of aliases "
                f"referencing this version: [{', '.join(using)}]",
            )
        self._machines.drop_version(arn)
        return {}

    def list_all(self, request: Request) -> Request:
        """Answer ListStateMachineVersions, the newest first."""
        arn = self._machines.unqualified(request["stateMachineArn"]).arn
        found = [each for each in self._machines.versions.values() if each.machine_arn == arn]
        found.sort(key=lambda each: each.number, reverse=True)
        part, more = page(found, request, f"versions {arn}", lambda each: (each.number,))
        listed = [{"stateMachineVersionArn": each.arn, "creationDate": each.created} for each in part]
        return {"stateMachineVersions": listed, **more}

    # -- aliases -------------------------------------------------------------------------------

    def create_alias(self, request: Request) -> Request:
        """Answer CreateStateMachineAlias; twice with the same request gives the same alias."""
        routing = request["routingConfiguration"]
        machine_arn = self._checked_routing(routing)
        arn = f"{machine_arn}:{request['name']}"
        description = request.get("description") or ""
        existing = self._machines.aliases.get(arn)
        if existing is not None:
            if (existing.routing, existing.description) != (routing, description):
                raise ServiceError(
                    "ConflictException",
                    "Failed to create alias because an alias with the same name and a different routing "
                    "configuration already exists.",
                )
            return {"stateMachineAliasArn": arn, "creationDate": existing.created}
        now = self._now()
        self._machines.keep_alias(Alias(arn, machine_arn, request["name"], description, routing, now, now))
        return {"stateMachineAliasArn": arn, "creationDate": now}

    def update_alias(self, request: Request) -> Request:
        """Answer UpdateStateMachineAlias."""
        alias = self._alias(request["stateMachineAliasArn"])
        routing, description = request.get("routingConfiguration"), request.get("description")
        if routing is None and description is None:
            raise validation_error("Either the description or the routing configuration must be specified")
        if routing is not None:
            if self._checked_routing(routing) != alias.machine_arn:
                raise validation_error("The versions belong to another state machine than the alias does")
            alias.routing = routing
        if description is not None:
            alias.description = description
        alias.updated = self._now()
        self._machines.keep_alias(alias)
        return {"updateDate": alias.updated}

    def delete_alias(self, request: Request) -> Request:
        """Answer DeleteStateMachineAlias."""
        self._machines.drop_alias(self._alias(request["stateMachineAliasArn"]).arn)
        return {}

    def describe_alias(self, request: Request) -> Request:
        """Answer DescribeStateMachineAlias."""
        alias = self._alias(request["stateMachineAliasArn"])
        return {
            "stateMachineAliasArn": alias.arn,
            "name": alias.name,
            "description": alias.description,
            "routingConfiguration": alias.routing,
            "creationDate": alias.created,
            "updateDate": alias.updated,
        }

    def list_aliases(self, request: Request) -> Request:
        """Answer ListStateMachineAliases, of a machine or of one version."""
        arn = request["stateMachineArn"]
        machine = self._machines.get(arn)
        found = [each for each in self._machines.aliases.values() if each.machine_arn == machine.arn]
        if arns.machine_arn(arn).qualifier is not None:
            found = [
                each
                for each in found
                if any(route["stateMachineVersionArn"] == arn for route in each.routing)
            ]
        found.sort(key=lambda each: (each.created, each.arn), reverse=True)
        part, more = page(found, request, f"aliases {arn}", lambda each: (each.created, each.arn))
        listed = [{"stateMachineAliasArn": each.arn, "creationDate": each.created} for each in part]
        return {"stateMachineAliases": listed, **more}

    def _alias(self, arn: str) -> Alias:
        arns.machine_arn(arn)
        alias = self._machines.aliases.get(arn)
        if alias is None:
            raise not_found(arn)
        return alias

    def _checked_routing(self, routing: list[dict[str, Any]]) -> str:
        """Return the ARN of the machine that all routes lead to."""
        versions = [route["stateMachineVersionArn"] for route in routing]
        for arn in versions:
            if not arns.machine_arn(arn).is_version:
                raise validation_error(f"Routes must lead to versions: '{arn}'")
            if arn not in self._machines.versions:
                raise not_found(arn)
        if len(set(versions)) != len(versions):
            raise validation_error("Routing configuration must contain distinct versions")
        if len({arns.machine_arn(arn).base for arn in versions}) != 1:
            raise validation_error("Routing configuration must contain versions of the same state machine")
        if sum(route["weight"] for route in routing) != 100:
            raise validation_error("Sum of routing configuration weights must equal 100")
        return arns.machine_arn(versions[0]).base
