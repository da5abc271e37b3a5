"""The results of a distributed Map: in the state's output, or written to S3 by a ResultWriter."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from retrain.states.errors import RESULT_WRITER_FAILED, StatesError
from retrain.states.execution.evaluation import timestamp
from retrain.states.execution.history import json_text
from retrain.states.execution.mapruns import MapRun
from retrain.states.execution.protocols import ItemStore
from retrain.states.execution.record import Execution
from retrain.states.model import Json, ResultWriter

_CONTENT_TYPES: Final = {"JSON": "application/json", "JSONL": "application/jsonl"}


def described(execution: Execution) -> dict[str, Json]:
    """Return a child execution as the files of results, and outputs in place of a missing result, show it."""
    succeeded = execution.status == "SUCCEEDED"
    found: dict[str, Json] = {
        "ExecutionArn": execution.arn,
        "Input": json_text(execution.input),
        "InputDetails": {"Included": True},
        "Name": execution.name,
    }
    if succeeded:
        found |= {"Output": json_text(execution.output), "OutputDetails": {"Included": True}}
    else:
        found |= {"Error": execution.error or "", "Cause": execution.cause or ""}
    redrivable = not succeeded and not execution.express
    reason = (
        "SUCCEEDED and cannot be redriven" if succeeded else "of an EXPRESS workflow and cannot be redriven"
    )
    found |= {
        "RedriveCount": execution.redrive_count,
        "RedriveStatus": "REDRIVABLE" if redrivable else "NOT_REDRIVABLE",
        "StartDate": timestamp(execution.started),
        "StateMachineArn": execution.identity.state_machine_arn,
        "Status": execution.status,
        "StopDate": timestamp(execution.stopped or execution.started),
    }
    if not redrivable:
        found["RedriveStatusReason"] = f"Execution is {reason}"
    return found


def transformed(executions: Sequence[Execution], transformation: str) -> list[Json]:
    """Return results as WriterConfig's Transformation wants them; failed executions are always described."""
    found: list[Json] = []
    for execution in executions:
        if transformation == "NONE" or execution.status != "SUCCEEDED":
            found.append(described(execution))
        elif transformation == "FLATTEN" and isinstance(execution.output, list):
            found.extend(execution.output)
        else:
            found.append(execution.output)
    return found


def _text(results: Sequence[Json], output_type: str) -> str:
    if output_type == "JSONL":
        return "".join(json_text(each) + "\n" for each in results)
    return json_text(list(results))


def output_of(run: MapRun, writer: ResultWriter | None) -> Json:
    """Return the state's result where nothing is written."""
    config: Mapping[str, Any] = (writer.writer_config if writer else None) or {}
    results = transformed(_in_order(run), config.get("Transformation", "COMPACT"))
    return _text(results, "JSONL") if config.get("OutputType") == "JSONL" else results


async def write(store: ItemStore, run: MapRun, writer: ResultWriter, where: Json) -> Json:
    """Write the results and a manifest, and return what becomes of the state's result.

    Parameters
    ----------
    store : ItemStore
        Where to write.
    run : MapRun
        Whose results.
    writer : ResultWriter
        In which form.
    where : mapping
        Its Parameters or Arguments, evaluated: Bucket and Prefix.

    Raises
    ------
    StatesError
        States.ResultWriterFailed.
    """
    if not isinstance(where, Mapping) or not isinstance(where.get("Bucket"), str):
        raise StatesError(
            RESULT_WRITER_FAILED, f"The ResultWriter needs a Bucket that is a string; it is given {where!r}."
        )
    bucket, prefix = str(where["Bucket"]), str(where.get("Prefix") or "").strip("/")
    config: Mapping[str, Any] = writer.writer_config or {}
    output_type = config.get("OutputType", "JSON")
    folder = "/".join(filter(None, (prefix, run.arn.rsplit(":", 1)[-1])))
    files: dict[str, list[Json]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    groups: dict[str, list[Execution]] = {"FAILED": [], "SUCCEEDED": []}
    for execution in _in_order(run):
        groups["SUCCEEDED" if execution.status == "SUCCEEDED" else "FAILED"].append(execution)
    try:
        for status, group in groups.items():
            if not group:
                continue
            file = f"{folder}/{status}_0.{output_type.lower()}"
            body = _text(transformed(group, config.get("Transformation", "NONE")), output_type).encode()
            await store.write_object(bucket, file, body, _CONTENT_TYPES[output_type])
            files[status].append({"Key": file, "Size": len(body)})
        manifest = {"DestinationBucket": bucket, "MapRunArn": run.arn, "ResultFiles": files}
        key = f"{folder}/manifest.json"
        await store.write_object(bucket, key, json.dumps(manifest).encode(), _CONTENT_TYPES["JSON"])
    except StatesError as error:
        raise StatesError(RESULT_WRITER_FAILED, f"{error.error}: {error.cause}") from error
    return {"MapRunArn": run.arn, "ResultWriterDetails": {"Bucket": bucket, "Key": key}}


def _in_order(run: MapRun) -> list[Execution]:
    return [run.executions[position] for position in sorted(run.executions)]
