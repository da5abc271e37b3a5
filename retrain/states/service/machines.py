"""State machines: creating, changing, describing and deleting them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from retrain.states.errors import Diagnostic
from retrain.states.service import arns
from retrain.states.service.arns import Place
from retrain.states.service.errors import ServiceError, no_such_machine, validation_error
from retrain.states.service.pages import page
from retrain.states.service.records import NO_LOGS, OWNED_KEY, Alias, Document, Machine, Revision, Version
from retrain.states.service.requests import checked_name
from retrain.states.service.store import Store
from retrain.states.service.tags import Tags
from retrain.states.validation import validate

_ROLE = re.compile(r"arn:[^:]+:iam::\d{12}:role/.+")
_GROUP = re.compile(r"arn:[^:]+:logs:[^:]*:[^:]*:log-group:[^:]+:\*")
_REUSE_SECONDS = 300

Request = dict[str, Any]


def refusal(diagnostics: Sequence[Diagnostic]) -> str | None:
    """Return why CreateStateMachine refuses a definition with these diagnostics, or None if it takes it."""
    faults = [str(each) for each in diagnostics if each.severity == "ERROR"]
    return f"Invalid State Machine Definition: '{', '.join(faults)}'" if faults else None


class Machines:
    """The operations on state machines.

    Parameters
    ----------
    store
        Where they are kept.
    place
        For their ARNs.
    tags
        Where their tags are.
    now
        The time, in seconds since the epoch.
    new_id
        Makes the ids of revisions.
    on_delete
        Told of a machine's ARN when it is deleted: its executions end.
    """

    def __init__(
        self,
        store: Store,
        place: Place,
        tags: Tags,
        *,
        now: Callable[[], float],
        new_id: Callable[[], str],
        on_delete: Callable[[str], None],
    ) -> None:
        self._place = place
        self._tags = tags
        self._now = now
        self._new_id = new_id
        self._on_delete = on_delete
        self._table = store.table("machine")
        self._versions = store.table("version")
        self._aliases = store.table("alias")
        self.machines = {arn: Machine.restore(found) for arn, found in self._table.items()}
        self.versions = {arn: Version.restore(found) for arn, found in self._versions.items()}
        self.aliases = {arn: Alias.restore(found) for arn, found in self._aliases.items()}

    # -- finding -------------------------------------------------------------------------------

    def get(self, arn: str) -> Machine:
        """Return a machine by its ARN without qualifier.

        Raises
        ------
        ServiceError
            InvalidArn, StateMachineDoesNotExist.
        """
        found = self.machines.get(arns.machine_arn(arn).base)
        if found is None:
            raise no_such_machine(arn)
        return found

    def unqualified(self, arn: str) -> Machine:
        """Return a machine where no qualifier may be given."""
        if arns.machine_arn(arn).qualifier is not None:
            raise validation_error(f"A qualified state machine ARN is not supported here: '{arn}'")
        return self.get(arn)

    def version(self, arn: str) -> Version:
        """Return a version; StateMachineDoesNotExist where there is none."""
        found = self.versions.get(arn)
        if found is None:
            raise no_such_machine(arn)
        return found

    # -- operations ----------------------------------------------------------------------------

    def create(self, request: Request) -> Request:
        """Answer CreateStateMachine: twice with the same request gives the same machine."""
        name = checked_name(request["name"])
        kind = request.get("type") or "STANDARD"
        wanted = self._revision(request, None)
        self._check_definition(wanted.definition, kind)
        publish = bool(request.get("publish"))
        description = request.get("versionDescription") or ""
        if description and not publish:
            raise validation_error("Version description can only be set when publish is true")
        arn = self._place.machine(name)
        existing = self.machines.get(arn)
        if existing is not None:
            same = (
                (existing.type, existing.publishes, existing.version_description)
                == (kind, publish, description)
                and existing.revision.definition == wanted.definition
                and existing.revision.logging == wanted.logging
                and existing.revision.tracing == wanted.tracing
                and existing.revision.encryption == wanted.encryption
            )
            if not same:
                raise ServiceError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
            answer = {"stateMachineArn": arn, "creationDate": existing.created}
            return {**answer, "stateMachineVersionArn": f"{arn}:1"} if publish else answer
        tags = request.get("tags") or []
        self._tags.check(tags, arn)
        machine = Machine(
            arn, name, kind, wanted.updated, wanted, publishes=publish, version_description=description
        )
        self.machines[arn] = machine
        self.keep(machine)
        self._tags.put(arn, tags)
        answer = {"stateMachineArn": arn, "creationDate": machine.created}
        if publish:
            answer["stateMachineVersionArn"] = self.publish(machine, description).arn
        return answer

    def update(self, request: Request) -> Request:
        """Answer UpdateStateMachine; executions that run keep what they began with."""
        machine = self.unqualified(request["stateMachineArn"])
        fields = ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration")
        if not any(request.get(name) is not None for name in (*fields, "encryptionConfiguration")):
            raise ServiceError(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, the EncryptionConfiguration "
                "or the TracingConfiguration must be specified",
            )
        revision = self._revision(request, machine.revision)
        if request.get("definition") is not None:
            self._check_definition(revision.definition, machine.type)
        publish = bool(request.get("publish"))
        if request.get("versionDescription") and not publish:
            raise validation_error("Version description can only be set when publish is true")
        machine.revision = revision
        self.keep(machine)
        answer: Request = {"updateDate": revision.updated, "revisionId": revision.revision_id}
        if publish:
            version = self.publish(machine, request.get("versionDescription") or "")
            answer["stateMachineVersionArn"] = version.arn
        return answer

    def delete(self, request: Request) -> Request:
        """Answer DeleteStateMachine; what is not there is as good as deleted."""
        found = arns.machine_arn(request["stateMachineArn"])
        if found.qualifier is not None:
            raise validation_error(f"A qualified state machine ARN is not supported here: '{found.arn}'")
        if self.machines.pop(found.base, None) is None:
            return {}
        self._table.delete(found.base)
        for version in [each for each in self.versions.values() if each.machine_arn == found.base]:
            self.drop_version(version.arn)
        for alias in [each for each in self.aliases.values() if each.machine_arn == found.base]:
            self.drop_alias(alias.arn)
        self._tags.drop(found.base)
        self._on_delete(found.base)
        return {}

    def describe(self, request: Request) -> Request:
        """Answer DescribeStateMachine, for a machine, a version, or an alias's first version."""
        arn = request["stateMachineArn"]
        machine = self.get(arn)
        revision: Revision | None = None
        more: Request = {}
        qualifier = arns.machine_arn(arn).qualifier
        if arn in self.aliases:
            version = self.version(self.aliases[arn].routing[0]["stateMachineVersionArn"])
            revision, more = version.revision, {"description": self.aliases[arn].description}
        elif qualifier is not None:
            version = self.version(arn)
            revision, more = version.revision, {"description": version.description}
            more["creationDate"] = version.created
        answer = {
            "stateMachineArn": arn,
            "name": machine.name,
            "status": "ACTIVE",
            "type": machine.type,
            "creationDate": machine.created,
            **more,
            **described(revision or machine.revision),
        }
        if request.get("includedData") == "METADATA_ONLY":
            answer["definition"] = ""
        return answer

    def list_all(self, request: Request) -> Request:
        """Answer ListStateMachines, the newest first."""
        found = sorted(self.machines.values(), key=lambda each: (each.created, each.arn), reverse=True)
        part, more = page(found, request, "machines", lambda each: (each.created, each.arn))
        listed = [
            {"stateMachineArn": each.arn, "name": each.name, "type": each.type, "creationDate": each.created}
            for each in part
        ]
        return {"stateMachines": listed, **more}

    def validate(self, request: Request) -> Request:
        """Answer ValidateStateMachineDefinition."""
        found = validate(request["definition"], kind=request.get("type") or "STANDARD", yaml=False)
        if request.get("severity", "ERROR") == "ERROR":
            shown = [each for each in found if each.severity == "ERROR"]
        else:
            shown = list(found)
        limit = request.get("maxResults") or 100
        diagnostics = [
            {
                "severity": each.severity,
                "code": each.code,
                "message": each.message,
                **({"location": each.location} if each.location else {}),
            }
            for each in shown[:limit]
        ]
        failed = any(each.severity == "ERROR" for each in found)
        return {
            "result": "FAIL" if failed else "OK",
            "diagnostics": diagnostics,
            "truncated": len(shown) > limit,
        }

    # -- parts ---------------------------------------------------------------------------------

    def publish(self, machine: Machine, description: str) -> Version:
        """Return the version of a machine's current revision, made where there is none."""
        for version in self.versions.values():
            same = version.machine_arn == machine.arn
            if same and version.revision.revision_id == machine.revision.revision_id:
                return version
        number = machine.next_version
        arn = f"{machine.arn}:{number}"
        version = Version(arn, machine.arn, number, description, self._now(), machine.revision)
        machine.next_version += 1
        self.versions[arn] = version
        self._versions.put(arn, version.document())
        self.keep(machine)
        return version

    def keep(self, machine: Machine) -> None:
        """Write a machine that was changed."""
        self._table.put(machine.arn, machine.document())

    def drop_version(self, arn: str) -> None:
        """Forget a version."""
        self.versions.pop(arn, None)
        self._versions.delete(arn)

    def keep_alias(self, alias: Alias) -> None:
        """Write an alias that was made or changed."""
        self.aliases[alias.arn] = alias
        self._aliases.put(alias.arn, alias.document())

    def drop_alias(self, arn: str) -> None:
        """Forget an alias."""
        self.aliases.pop(arn, None)
        self._aliases.delete(arn)

    def _revision(self, request: Request, old: Revision | None) -> Revision:
        def given(name: str, before: Any) -> Any:
            return before if request.get(name) is None else request[name]

        return Revision(
            revision_id=self._new_id(),
            definition=given("definition", old.definition if old else ""),
            role_arn=_checked_role(given("roleArn", old.role_arn if old else "")),
            logging=_checked_logging(given("loggingConfiguration", old.logging if old else NO_LOGS)),
            tracing=given("tracingConfiguration", old.tracing if old else {"enabled": False}),
            encryption=_checked_encryption(
                given("encryptionConfiguration", old.encryption if old else OWNED_KEY)
            ),
            updated=self._now(),
        )

    def _check_definition(self, definition: str, kind: str) -> None:
        why = refusal(validate(definition, kind="EXPRESS" if kind == "EXPRESS" else "STANDARD", yaml=False))
        if why is not None:
            raise ServiceError("InvalidDefinition", why)


def described(revision: Revision) -> Request:
    """Return what a description says of a revision."""
    return {
        "definition": revision.definition,
        "roleArn": revision.role_arn,
        "loggingConfiguration": revision.logging,
        "tracingConfiguration": revision.tracing,
        "encryptionConfiguration": revision.encryption,
        "revisionId": revision.revision_id,
    }


def _checked_role(arn: str) -> str:
    if not _ROLE.fullmatch(arn):
        raise ServiceError("InvalidArn", f"Invalid Role Arn: '{arn}'")
    return arn


def _checked_logging(given: Document) -> Document:
    level = given.get("level") or "OFF"
    destinations = given.get("destinations") or []
    logging = {"level": level, "includeExecutionData": bool(given.get("includeExecutionData"))}
    if len(destinations) > 1 or (level != "OFF" and not destinations):
        raise ServiceError(
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Must specify exactly one Log Destination.",
        )
    for destination in destinations:
        arn = (destination.get("cloudWatchLogsLogGroup") or {}).get("logGroupArn") or ""
        if not _GROUP.fullmatch(arn):
            raise ServiceError(
                "InvalidLoggingConfiguration",
                f"Invalid Logging Configuration: Log Destination must be a log group's ARN and ':*': {arn}",
            )
    return {**logging, "destinations": destinations} if destinations else logging


def _checked_encryption(given: Document) -> Document:
    if given["type"] == "AWS_OWNED_KEY":
        if given.get("kmsKeyId") is not None or given.get("kmsDataKeyReusePeriodSeconds") is not None:
            raise ServiceError(
                "InvalidEncryptionConfiguration",
                "Invalid Encryption Configuration: kmsKeyId and kmsDataKeyReusePeriodSeconds are for type "
                "CUSTOMER_MANAGED_KMS_KEY",
            )
        return dict(OWNED_KEY)
    if not given.get("kmsKeyId"):
        raise ServiceError(
            "InvalidEncryptionConfiguration",
            "Invalid Encryption Configuration: kmsKeyId must be specified for type CUSTOMER_MANAGED_KMS_KEY",
        )
    period = given.get("kmsDataKeyReusePeriodSeconds") or _REUSE_SECONDS
    return {**given, "kmsDataKeyReusePeriodSeconds": period}
