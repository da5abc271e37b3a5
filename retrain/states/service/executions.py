"""Executions: starting, stopping, describing, listing and redriving them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from retrain.states.execution import Engine, Execution, NotRedrivableError, json_text
from retrain.states.service import arns
from retrain.states.service.arns import Place
from retrain.states.service.entries import Entries, Entry
from retrain.states.service.errors import ServiceError, validation_error
from retrain.states.service.machines import Machines, described
from retrain.states.service.notices import redrive_status, without_data
from retrain.states.service.pages import USUAL, decode, encode, invalid_token, page
from retrain.states.service.requests import checked_name, parsed_input
from retrain.states.service.versions import Chosen, Versions

LONGEST_EXPRESS = 300
"""Seconds that an Express execution may take."""

_MEGABYTES = 64

Request = dict[str, Any]
Began = Callable[[Entry], None]


class Executions:
    """The operations on executions.

    Parameters
    ----------
    engine
        Runs them.
    entries
        Where they are kept.
    machines, versions
        What they are executions of.
    place
        For their ARNs.
    begin
        Lets an execution that was made, or redriven, or restored, go on.
    express
        Express executions under way, by ARN.
    """

    def __init__(
        self,
        engine: Engine,
        entries: Entries,
        machines: Machines,
        versions: Versions,
        place: Place,
        *,
        begin: Began,
        express: dict[str, Entry],
    ) -> None:
        self._engine = engine
        self._entries = entries
        self._machines = machines
        self._versions = versions
        self._place = place
        self._begin = begin
        self._express = express
        self._redrives: dict[tuple[str, str], float] = {}

    # -- starting ------------------------------------------------------------------------------

    def start(self, request: Request) -> Request:
        """Answer StartExecution; the name and input of a running execution give that execution."""
        chosen = self._versions.choose(request["stateMachineArn"])
        name = self._name(request)
        text = request.get("input") or "{}"
        value = parsed_input(text)
        if chosen.machine.type == "EXPRESS":
            entry = self._make_express(chosen, name, value, text)
        else:
            arn = self._place.execution(chosen.machine.name, name)
            existing = self._entries.find(arn)
            if existing is not None:
                if existing.status == "RUNNING" and self._same_input(existing, text):
                    return {"executionArn": arn, "startDate": existing.started}
                raise ServiceError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
            entry = self._make(chosen, arn, name, value, text)
            self._entries.add(entry)
        self._begin(entry)
        return {"executionArn": entry.arn, "startDate": entry.started}

    async def start_sync(self, request: Request) -> Request:
        """Answer StartSyncExecution: for Express machines, with what comes of it."""
        chosen = self._versions.choose(request["stateMachineArn"])
        if chosen.machine.type != "EXPRESS":
            raise not_of_this_type()
        name = self._name(request)
        text = request.get("input") or "{}"
        entry = self._make_express(chosen, name, parsed_input(text), text)
        execution = self._entries.loaded(entry)
        self._begin(entry)
        await entry.ended.wait()  # whoever asked may go away: it runs to its end all the same
        stopped = execution.stopped or execution.started
        billed = max(100, -(-int((stopped - execution.started) * 1000) // 100) * 100)
        included = request.get("includedData") != "METADATA_ONLY"
        answer = {
            "executionArn": entry.arn,
            "stateMachineArn": chosen.machine.arn,
            "name": name,
            "startDate": execution.started,
            "stopDate": stopped,
            "status": "FAILED" if execution.status == "ABORTED" else execution.status,
            **_payloads(execution, text, included=included),
            **_failure(execution),
            "billingDetails": {
                "billedMemoryUsedInMB": _MEGABYTES,
                "billedDurationInMilliseconds": billed,
            },
        }
        if request.get("traceHeader") is not None:
            answer["traceHeader"] = request["traceHeader"]
        return answer

    def _name(self, request: Request) -> str:
        name = request.get("name")
        return self._engine.entropy.uuid() if name is None else checked_name(name)

    def _make(self, chosen: Chosen, arn: str, name: str, value: Any, text: str) -> Entry:
        express = chosen.machine.type == "EXPRESS"
        machine = self._entries.machine(chosen.revision)
        if express:
            limit = min(machine.timeout_seconds or LONGEST_EXPRESS, LONGEST_EXPRESS)
            machine = replace(machine, timeout_seconds=limit)
        execution = self._engine.create(
            machine,
            value,
            arn=arn,
            name=name,
            state_machine_arn=chosen.machine.arn,
            role_arn=chosen.revision.role_arn,
            express=express,
        )
        execution.state_machine_version_arn = chosen.version_arn
        execution.state_machine_alias_arn = chosen.alias_arn
        return Entry(
            arn=arn,
            name=name,
            machine_arn=chosen.machine.arn,
            revision=chosen.revision,
            status=execution.status,
            started=execution.started,
            version_arn=chosen.version_arn,
            alias_arn=chosen.alias_arn,
            execution=execution,
            input_text=text,
        )

    def _make_express(self, chosen: Chosen, name: str, value: Any, text: str) -> Entry:
        arn = self._place.express(chosen.machine.name, name, self._engine.entropy.uuid())
        entry = self._make(chosen, arn, name, value, text)
        self._express[arn] = entry
        return entry

    def _same_input(self, entry: Entry, text: str) -> bool:
        self._entries.loaded(entry)
        return entry.input_text == text

    # -- stopping ------------------------------------------------------------------------------

    async def stop(self, request: Request) -> Request:
        """Answer StopExecution; a second time, the same."""
        arn = request["executionArn"]
        if arn.split(":")[5:6] == ["express"]:
            raise not_of_this_type()
        execution, entry = self._entries.execution(arns.check_execution(arn))
        if execution.status != "RUNNING":
            return {"stopDate": execution.stopped}
        self._engine.stop(execution, request.get("error"), request.get("cause"))
        if execution.map_run is None:
            await entry.ended.wait()
        return {"stopDate": execution.stopped or self._engine.clock.now()}

    async def redrive(self, request: Request) -> Request:
        """Answer RedriveExecution: it goes on at the state that failed."""
        execution, entry = self._entries.execution(arns.check_execution(request["executionArn"]))
        token = request.get("clientToken")
        if token is not None and (entry.arn, token) in self._redrives:
            return {"redriveDate": self._redrives[entry.arn, token]}
        status = redrive_status(execution, self._engine.clock.now())
        if status["redriveStatus"] != "REDRIVABLE":
            reason = status.get("redriveStatusReason", "The execution is redriven with its Map Run")
            raise ServiceError("ExecutionNotRedrivable", reason)
        try:
            self._engine.redrive(execution)
        except NotRedrivableError as error:
            raise ServiceError("ExecutionNotRedrivable", str(error)) from error
        entry.ended.clear()
        entry.follow()
        redriven = execution.redriven or self._engine.clock.now()
        if token is not None:
            self._redrives[entry.arn, token] = redriven
        self._begin(entry)
        return {"redriveDate": redriven}

    def end_all_of(self, machine_arn: str) -> None:
        """End and forget the executions of a machine that is deleted."""
        for entry in [*self._entries, *self._express.values()]:
            if entry.machine_arn != machine_arn:
                continue
            if entry.status == "RUNNING" and entry.execution is not None:
                self._engine.stop(entry.execution, None, "The state machine was deleted.")
            self._entries.drop(entry)

    # -- describing ----------------------------------------------------------------------------

    def describe(self, request: Request) -> Request:
        """Answer DescribeExecution."""
        execution, entry = self._entries.execution(arns.check_execution(request["executionArn"]))
        child = execution.map_run is not None
        text = json_text(execution.input) if child or entry.input_text is None else entry.input_text
        answer: Request = {
            "executionArn": execution.arn,
            "stateMachineArn": execution.identity.state_machine_arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": execution.started,
            **_payloads(execution, text, included=request.get("includedData") != "METADATA_ONLY"),
            **_failure(execution),
            "redriveCount": execution.redrive_count,
            **redrive_status(execution, self._engine.clock.now()),
        }
        optional = {
            "stopDate": execution.stopped,
            "redriveDate": execution.redriven,
            "mapRunArn": execution.map_run,
            "stateMachineVersionArn": execution.state_machine_version_arn,
            "stateMachineAliasArn": execution.state_machine_alias_arn,
        }
        return answer | {name: value for name, value in optional.items() if value is not None}

    def describe_machine(self, request: Request) -> Request:
        """Answer DescribeStateMachineForExecution: the machine as the execution began with it."""
        execution, entry = self._entries.execution(arns.check_execution(request["executionArn"]))
        answer: Request = {
            "stateMachineArn": entry.machine_arn,
            "name": arns.machine_arn(entry.machine_arn).name,
            "updateDate": entry.revision.updated,
            **described(entry.revision),
        }
        if execution.map_run is not None:
            label = execution.identity.state_machine_arn.rsplit("/", 1)[-1]
            answer |= {"mapRunArn": execution.map_run, "label": label}
        if request.get("includedData") == "METADATA_ONLY":
            answer["definition"] = ""
        return answer

    def list_all(self, request: Request) -> Request:
        """Answer ListExecutions: of a machine, a version, an alias, or a distributed Map's run."""
        arn, run_arn = request.get("stateMachineArn"), request.get("mapRunArn")
        if (arn is None) == (run_arn is None):
            raise validation_error("Exactly one of stateMachineArn and mapRunArn must be given")
        if run_arn is not None:
            run, _ = self._entries.map_run(arns.check_map_run(run_arn))
            listed = [_listed_child(child) for child in run.executions.values()]
        else:
            listed = [_listed(entry) for entry in self._of_machine(str(arn))]
        wanted, redriven = request.get("statusFilter"), request.get("redriveFilter")
        if wanted is not None:
            listed = [each for each in listed if each["status"] == wanted]
        if redriven is not None:
            listed = [each for each in listed if (each["redriveCount"] > 0) == (redriven == "REDRIVEN")]
        listed.sort(key=lambda each: (each["startDate"], each["executionArn"]), reverse=True)
        part, more = page(
            listed,
            request,
            f"executions {arn or run_arn}",
            lambda each: (each["startDate"], each["executionArn"]),
        )
        return {"executions": part, **more}

    def _of_machine(self, arn: str) -> list[Entry]:
        machine = self._machines.get(arn)
        if machine.type == "EXPRESS":
            raise not_of_this_type()
        found = [entry for entry in self._entries if entry.machine_arn == machine.arn]
        if arn == machine.arn:
            return found
        return [entry for entry in found if arn in (entry.version_arn, entry.alias_arn)]

    def history(self, request: Request) -> Request:
        """Answer GetExecutionHistory; the pages of one list show the events that there were at the first."""
        arn = arns.check_execution(request["executionArn"])
        execution, _ = self._entries.execution(arn)
        reverse = bool(request.get("reverseOrder"))
        begin, length = 0, len(execution.history)
        if request.get("nextToken") is not None:
            token = decode(request["nextToken"])
            if not isinstance(token, list) or token[:2] != [arn, reverse] or len(token) != 4:
                raise invalid_token()
            begin, length = token[2], token[3]
        limit = request.get("maxResults") or USUAL
        end = min(begin + limit, length)
        if reverse:
            events = list(execution.history[length - end : length - begin])[::-1]
        else:
            events = list(execution.history[begin:end])
        if request.get("includeExecutionData") is False:
            events = [_without_data(event) for event in events]
        more = {"nextToken": encode([arn, reverse, end, length])} if end < length else {}
        return {"events": events, **more}


def not_of_this_type() -> ServiceError:
    """Return the error about an operation that the machine's type does not have."""
    return ServiceError(
        "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine"
    )


def _listed(entry: Entry) -> Request:
    optional = {
        "stopDate": entry.stopped,
        "redriveDate": entry.redriven,
        "stateMachineVersionArn": entry.version_arn,
        "stateMachineAliasArn": entry.alias_arn,
    }
    return {
        "executionArn": entry.arn,
        "stateMachineArn": entry.machine_arn,
        "name": entry.name,
        "status": entry.status,
        "startDate": entry.started,
        "redriveCount": entry.redrive_count,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _listed_child(execution: Execution) -> Request:
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.identity.state_machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started,
        "redriveCount": execution.redrive_count,
        "mapRunArn": execution.map_run,
        **({"stopDate": execution.stopped} if execution.stopped is not None else {}),
    }


def _payloads(execution: Execution, text: str, *, included: bool) -> Request:
    answer: Request = {"inputDetails": {"included": included}}
    if included:
        answer["input"] = text
    if execution.status == "SUCCEEDED":
        answer["outputDetails"] = {"included": included}
        if included:
            answer["output"] = json_text(execution.output)
    return answer


def _failure(execution: Execution) -> Request:
    found = {"error": execution.error, "cause": execution.cause}
    return {name: value for name, value in found.items() if value is not None}


def _without_data(event: Any) -> Request:
    return {
        name: without_data(value) if name.endswith("EventDetails") else value for name, value in event.items()
    }
