"""What is known of a request before it is made: the members that the definition gives as they will be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from retrain.states.model import ABSENT, Absent, Json
from retrain.workflow.iam.tokens import restore

_QUEUE: Final = re.compile(
    r"https?://(?:sqs\.(?P<region>[a-z0-9-]+)\.|queue\.)?[^/]*/(?P<account>[0-9]+)/(?P<name>[^/?]+)"
)
_S3: Final = re.compile(r"s3://(?P<bucket>[^/]+)/?(?P<key>.*)", re.DOTALL)
_API: Final = re.compile(r"(?P<id>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.")


def given(parameters: Json | Absent, arguments: Json | Absent = ABSENT) -> dict[str, Any]:
    """Return the members of a request by name; None is one that only the run will tell.

    Parameters
    ----------
    parameters, arguments
        As a state has them, for either query language.
    """
    value = restore(arguments if parameters is ABSENT else parameters)
    known = _known(value)
    return known if isinstance(known, dict) else {}


def _known(value: Any) -> Any:
    """Return a payload template with None in place of paths and expressions."""
    if isinstance(value, Mapping):
        return {
            name.removesuffix(".$"): None if name.endswith(".$") else _known(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    if isinstance(value, str) and value.strip().startswith("{%"):
        return None
    return value


def texts(request: Mapping[str, Any]) -> dict[str, str]:
    """Return what resources are made of: the members that are text, and parts of them."""
    known = {name: item for name, item in request.items() if isinstance(item, str)}
    if isinstance(within := request.get("Authentication"), dict) and isinstance(
        connection := within.get("ConnectionArn"), str
    ):
        known["ConnectionArn"] = connection
    return {**known, **dict(_parts(known)), **dict(_definitions(known)), **dict(_bus(request))}


def _parts(known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if queue := _QUEUE.match(known.get("QueueUrl", "")):
        yield "QueueName", queue["name"]
        yield "account", queue["account"]
        if queue["region"]:
            yield "region", queue["region"]
    if api := _API.match(known.get("ApiEndpoint", "")):
        yield "ApiId", api["id"]
        yield "region", api["region"]
    if "Path" in known:
        yield "Path", known["Path"].lstrip("/")
    if known.get("Name", "").startswith("/"):  # a parameter of Systems Manager in a folder
        yield "Name", known["Name"].lstrip("/")
    if "CopySource" in known:
        yield "CopySource", known["CopySource"].lstrip("/")
    if "TargetArn" in known:
        yield "TopicArn", known["TargetArn"]
    if ":stateMachine:" in known.get("StateMachineArn", ""):
        yield "StateMachineName", known["StateMachineArn"].split(":")[6].split("/")[0]


def _definitions(known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield job and task definitions by name with their revisions, which ARNs have."""
    for name in ("JobDefinition", "TaskDefinition"):
        value = known.get(name, "")
        if value and not value.startswith(("arn:", "${")):
            family, _, revision = value.partition(":")
            yield name, f"{family}:{revision or '*'}"


def _bus(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    entries = request.get("Entries")
    if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
        buses = {entry.get("EventBusName", "default") for entry in entries}
        if len(buses) == 1 and isinstance(bus := buses.pop(), str):
            yield "EventBusName", bus


def s3_object(uri: str) -> tuple[str, str] | None:
    """Return the bucket and the key of an `s3://` address."""
    match = _S3.fullmatch(uri)
    return (match["bucket"], match["key"]) if match else None


def members(value: Any, name: str) -> Iterator[str | None]:
    """Yield every member of a name, however deep: its text, or None if only the run will tell."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == name:
                yield item if isinstance(item, str) else None
            else:
                yield from members(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from members(item, name)
