"""What a distributed Map needs: to start its child executions, to read its items, to write its results."""

from __future__ import annotations

from collections.abc import Iterator

from retrain.states.model import Map
from retrain.workflow.iam.requests import given, texts
from retrain.workflow.iam.scope import Scope
from retrain.workflow.iam.statement import Need

_READS: str = "reads the Map's items"


def map_needs(state: Map, scope: Scope) -> Iterator[Need]:
    """Yield what a Map state needs, the states inside of it apart."""
    if state.item_processor.mode != "DISTRIBUTED":
        return
    states = (state.name,)
    machine = scope.arn("states:{region}:{account}:stateMachine:{machine}", {})
    runs = scope.arn("states:{region}:{account}:execution:{machine}/{label}:*", {"label": state.label or "*"})
    executions = scope.arn("states:{region}:{account}:execution:{machine}:*", {})
    yield Need(("states:StartExecution",), (machine,), "starts the Map's child executions", "RunMap", states)
    yield Need(
        ("states:DescribeExecution", "states:StopExecution"),
        (executions, runs),
        "follows and stops the Map's child executions",
        "FollowMap",
        states,
    )
    yield Need(
        ("states:RedriveExecution",), (runs,), "redrives the Map's child executions", "RedriveMap", states
    )
    yield from _reader(state, scope)
    yield from _writer(state, scope)


def _reader(state: Map, scope: Scope) -> Iterator[Need]:
    reader = state.item_reader
    if reader is None:
        return
    request = texts(given(reader.parameters, reader.arguments))
    bucket = scope.arn("s3:::{Bucket}", request)
    config = reader.reader_config
    if reader.resource.rpartition(":")[2] == "listObjectsV2":
        prefix = request.get("Prefix")
        condition = {"StringLike": {"s3:prefix": [f"{prefix}*"]}} if prefix else {}
        yield Need(("s3:ListBucket",), (bucket,), _READS, "ListItems", (state.name,), condition)
        if config is not None and config.transformation == "LOAD_AND_FLATTEN":
            objects = scope.arn("s3:::{Bucket}/{Prefix}*", request).replace("**", "*")
            yield Need(("s3:GetObject",), (objects,), _READS, "ReadItems", (state.name,))
        return
    found = [scope.arn("s3:::{Bucket}/{Key}", request)]
    if config is not None and config.input_type == "MANIFEST":
        # The objects that a manifest lists: in which bucket they are, the manifest tells.
        found.append(scope.arn("s3:::*/*", request))
    yield Need(("s3:GetObject",), tuple(found), _READS, "ReadItems", (state.name,))


def _writer(state: Map, scope: Scope) -> Iterator[Need]:
    writer = state.result_writer
    if writer is None or writer.resource is None:
        return
    request = texts(given(writer.parameters, writer.arguments))
    prefix = request.get("Prefix", "").rstrip("/")
    objects = scope.arn("s3:::{Bucket}/{Prefix}", {**request, "Prefix": f"{prefix}/*" if prefix else "*"})
    yield Need(
        ("s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"),
        (objects,),
        "writes the Map's results",
        "WriteResults",
        (state.name,),
    )
