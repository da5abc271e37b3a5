"""Distributed Maps: items from S3, batches, tolerated failures, results to S3."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.errors import StatesError
from retrain.states.execution import Execution, MapRun
from tests.unit.states.execution.machines import PASS, Objects, branch, machine, run, task

GET = "arn:aws:states:::s3:getObject"
LIST = "arn:aws:states:::s3:listObjectsV2"
PUT = "arn:aws:states:::s3:putObject"


def distributed(
    processor: dict[str, Any] | None = None, kind: str = "STANDARD", **fields: Any
) -> dict[str, Any]:
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}}
    return {
        "M": {
            "Type": "Map",
            "End": True,
            "ItemProcessor": {**config, **(processor or branch(A=PASS))},
            **fields,
        }
    }


def reader(key: str, resource: str = GET, **config: Any) -> dict[str, Any]:
    where = {"Bucket": "bucket", "Prefix" if resource == LIST else "Key": key}
    return {"Resource": resource, "Parameters": where, **({"ReaderConfig": config} if config else {})}


def read(body: bytes, resource: str = GET, **config: Any) -> Execution:
    return run(distributed(ItemReader=reader("items", resource, **config)), items=Objects(items=body))


def only_run(execution: Execution) -> MapRun:
    (found,) = execution.map_runs.values()
    return found


class TestReading:
    def test_json_array(self) -> None:
        assert read(b'[1, {"a": 2}]', InputType="JSON").output == [1, {"a": 2}]

    def test_json_object(self) -> None:
        assert read(b'{"a": 1, "b": 2}', InputType="JSON").output == [
            {"Key": "a", "Value": 1},
            {"Key": "b", "Value": 2},
        ]

    def test_items_pointer(self) -> None:
        body = b'{"x~": {"/y": [{"items": [7, 8]}]}}'
        assert read(body, InputType="JSON", ItemsPointer="/x~0/~1y/0/items").output == [7, 8]

    def test_json_lines(self) -> None:
        assert read(b'{"a": 1}\n\n[2]\n3', InputType="JSONL").output == [{"a": 1}, [2], 3]

    def test_json_lines_zipped(self) -> None:
        assert read(gzip.compress(b"1\n2\n"), InputType="JSONL").output == [1, 2]

    def test_csv_with_its_own_headers_and_rows_of_other_lengths(self) -> None:
        body = '\ufeffa,b,c\n1,"x, ""y""",é\n2\n3,4,5,6\n'.encode()
        assert read(body, InputType="CSV", CSVHeaderLocation="FIRST_ROW").output == [
            {"a": "1", "b": 'x, "y"', "c": "é"},
            {"a": "2", "b": "", "c": ""},
            {"a": "3", "b": "4", "c": "5"},
        ]

    def test_csv_with_given_headers_and_another_delimiter(self) -> None:
        config = {
            "InputType": "CSV",
            "CSVHeaderLocation": "GIVEN",
            "CSVHeaders": ["x", "y"],
            "CSVDelimiter": "PIPE",
        }
        assert read(b"1|2\n", **config).output == [{"x": "1", "y": "2"}]

    @given(st.lists(st.lists(st.text("ab,\"\n é'", max_size=5), min_size=2, max_size=2), max_size=5))
    def test_csv_is_read_as_it_was_written(self, rows: list[list[str]]) -> None:
        rows = [row for row in rows if any(row)]
        text = io.StringIO(newline="")
        csv.writer(text).writerows([["x", "y"], *rows])
        expected = [{"x": x, "y": y} for x, y in rows]
        assert (
            read(text.getvalue().encode(), InputType="CSV", CSVHeaderLocation="FIRST_ROW").output == expected
        )

    def test_max_items(self) -> None:
        assert read(b"[1, 2, 3]", InputType="JSON", MaxItems=2).output == [1, 2]

    def test_a_listing(self) -> None:
        store = Objects()
        for key in ("in/a", "in/b", "other"):
            store.put(key, b"12")
        execution = run(distributed(ItemReader=reader("in/", LIST)), items=store)
        assert [item["Key"] for item in execution.output] == ["in/a", "in/b"]  # type: ignore[index,union-attr]
        first = execution.output[0]  # type: ignore[index]
        assert first == {
            "Etag": '"e"',
            "LastModified": 1.0,
            "Key": "in/a",
            "Size": 2,
            "StorageClass": "STANDARD",
        }

    def test_the_objects_of_a_listing(self) -> None:
        store = Objects()
        store.put("in/", b"")
        store.put("in/a", b"[1, 2]")
        store.put("in/b", b"[3]")
        config = {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"}
        source = branch(
            A={"Type": "Pass", "Parameters": {"s.$": "$$.Map.Item.Source"}, "OutputPath": "$.s", "End": True}
        )
        execution = run(distributed(source, ItemReader=reader("in/", LIST, **config)), items=store)
        assert execution.output == ["S3://bucket/in/a", "S3://bucket/in/a", "S3://bucket/in/b"]

    def test_an_inventory(self) -> None:
        store = Objects()
        manifest = {
            "sourceBucket": "source",
            "destinationBucket": "arn:aws:s3:::bucket",
            "fileFormat": "CSV",
            "fileSchema": "Bucket, Key, Size",
            "files": [{"key": "data/1.csv.gz"}, {"key": "data/2.csv.gz"}],
        }
        store.put("items", json.dumps(manifest).encode())
        store.put("data/1.csv.gz", gzip.compress(b'"source","a%20b","1"\n'))
        store.put("data/2.csv.gz", gzip.compress(b'"source","c","2"\n'))
        execution = run(distributed(ItemReader=reader("items", InputType="MANIFEST")), items=store)
        assert execution.output == [
            {"Bucket": "source", "Key": "a b", "Size": "1"},
            {"Bucket": "source", "Key": "c", "Size": "2"},
        ]

    def test_what_athena_has_unloaded(self) -> None:
        store = Objects()
        store.put("items", b"s3://bucket/out/1\ns3://bucket/out/2\n")
        store.put("out/1", gzip.compress(b'{"a": 1}\n'))
        store.put("out/2", b'{"a": 2}\n')
        config = {"InputType": "JSONL", "ManifestType": "ATHENA_DATA"}
        execution = run(distributed(ItemReader=reader("items", **config)), items=store)
        assert execution.output == [{"a": 1}, {"a": 2}]

    @pytest.mark.parametrize(
        ("body", "config"),
        [
            (b"{", {"InputType": "JSON"}),
            (b"3", {"InputType": "JSON"}),
            (b"\xff\xfe", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}),
            (b'{"a": []}', {"InputType": "JSON", "ItemsPointer": "/b"}),
            (b"PAR1", {"InputType": "PARQUET"}),
            (b"{}", {"InputType": "MANIFEST"}),
        ],
    )
    def test_what_cannot_be_read_fails_the_run(self, body: bytes, config: dict[str, Any]) -> None:
        execution = read(body, **config)
        assert (execution.status, execution.error) == ("FAILED", "States.ItemReaderFailed")
        assert execution.history.types()[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]
        assert only_run(execution).status == "FAILED"

    def test_without_a_store_it_says_so(self) -> None:
        execution = run(distributed(ItemReader=reader("items", InputType="JSON")))
        assert "no object store" in (execution.cause or "")


class TestBatches:
    def test_so_many_items(self) -> None:
        states = distributed(
            ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"b.$": "$.b"}}, ItemsPath="$.i"
        )
        execution = run(states, {"i": [1, 2, 3], "b": 9})
        assert execution.output == [
            {"BatchInput": {"b": 9}, "Items": [1, 2]},
            {"BatchInput": {"b": 9}, "Items": [3]},
        ]
        counts = only_run(execution)
        assert (counts.item_counts["succeeded"], counts.execution_counts["succeeded"]) == (3, 2)

    @given(st.lists(st.text(max_size=20), max_size=20), st.integers(40, 120))
    def test_no_batch_is_larger_than_allowed_and_nothing_is_lost(self, items: list[str], most: int) -> None:
        execution = run(distributed(ItemBatcher={"MaxInputBytesPerBatch": most}), items)
        batches: Any = execution.output
        assert [item for batch in batches for item in batch["Items"]] == items
        for batch in batches:
            size = len(json.dumps(batch, separators=(",", ":"), ensure_ascii=False).encode())
            assert size <= most or len(batch["Items"]) == 1


def odd_fails(call: Any) -> Any:
    if call.arguments % 2:
        raise StatesError("Odd", "by nature")
    return call.arguments


class TestTolerance:
    def outcome(self, items: list[int], **fields: Any) -> tuple[str, str | None]:
        execution = run(distributed(branch(T=task()), MaxConcurrency=1, **fields), items, odd_fails)
        return execution.status, execution.error

    def test_none(self) -> None:
        assert self.outcome([2, 1]) == ("FAILED", "States.ExceedToleratedFailureThreshold")
        assert self.outcome([2, 4]) == ("SUCCEEDED", None)

    def test_a_number(self) -> None:
        assert self.outcome([1, 2, 3], ToleratedFailureCount=2) == ("SUCCEEDED", None)
        assert self.outcome([1, 2, 3, 5], ToleratedFailureCount=2)[0] == "FAILED"

    def test_a_share(self) -> None:
        assert self.outcome([1, 2], ToleratedFailurePercentage=50) == ("SUCCEEDED", None)
        assert self.outcome([1, 2, 3], ToleratedFailurePercentage=50)[0] == "FAILED"

    def test_either(self) -> None:
        both = {"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 90}
        assert self.outcome([1, 2, 3], **both)[0] == "FAILED"

    def test_a_tolerated_failure_stands_in_the_output_as_it_is(self) -> None:
        execution = run(distributed(branch(T=task()), ToleratedFailureCount=1), [1, 2], odd_fails)
        failed, succeeded = execution.output  # type: ignore[misc]
        assert succeeded == 2
        assert (failed["Status"], failed["Error"], failed["Input"]) == ("FAILED", "Odd", "1")  # type: ignore[index,call-overload]


class TestResults:
    def written(self, **config: Any) -> tuple[Execution, dict[str, Any]]:
        store = Objects()
        writer = {"Resource": PUT, "Parameters": {"Bucket": "bucket", "Prefix": "out"}}
        if config:
            writer["WriterConfig"] = config
        states = distributed(branch(T=task()), ResultWriter=writer, ToleratedFailureCount=9, Label="label")
        execution = run(states, [1, 2, 4], odd_fails, items=store)
        return execution, {key.rsplit("/", 1)[-1]: body for (_, key), body in store.objects.items()}

    def test_a_manifest_tells_what_was_written(self) -> None:
        execution, files = self.written()
        manifest = json.loads(files["manifest.json"])
        output: Any = execution.output
        assert output["MapRunArn"] == manifest["MapRunArn"] == only_run(execution).arn
        folder = output["ResultWriterDetails"]["Key"].removesuffix("/manifest.json")
        assert folder.startswith("out/")
        listed = {status: [each["Key"] for each in each] for status, each in manifest["ResultFiles"].items()}
        assert listed == {
            "FAILED": [f"{folder}/FAILED_0.json"],
            "PENDING": [],
            "SUCCEEDED": [f"{folder}/SUCCEEDED_0.json"],
        }
        succeeded = json.loads(files["SUCCEEDED_0.json"])
        assert [json.loads(each["Output"]) for each in succeeded] == [2, 4]
        assert [each["Error"] for each in json.loads(files["FAILED_0.json"])] == ["Odd"]
        assert only_run(execution).item_counts["resultsWritten"] == 3

    def test_compact_lines(self) -> None:
        _, files = self.written(Transformation="COMPACT", OutputType="JSONL")
        assert files["SUCCEEDED_0.jsonl"] == b"2\n4\n"

    def test_flattened_without_writing(self) -> None:
        writer = {"WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSON"}}
        execution = run(distributed(ResultWriter=writer), [[1, 2], 3, [[4]]])
        assert execution.output == [1, 2, 3, [4]]


class TestChildren:
    def test_they_are_executions_under_the_maps_own_name(self) -> None:
        execution = run(distributed(Label="lab"), [1])
        found = only_run(execution)
        child = found.executions[0]
        assert found.arn.startswith("arn:aws:states:us-east-1:123456789012:mapRun:machine/lab:")
        assert found.state_machine_arn == "arn:aws:states:us-east-1:123456789012:stateMachine:machine/lab"
        assert child.arn == f"arn:aws:states:us-east-1:123456789012:execution:machine/lab:{child.name}"
        assert child.map_run == found.arn
        assert child.history.types() == [
            "ExecutionStarted",
            "PassStateEntered",
            "PassStateExited",
            "ExecutionSucceeded",
        ]

    def test_they_see_no_variables_of_the_parent(self) -> None:
        states = {
            "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "M"},
            **distributed(branch(B={"Type": "Pass", "Assign": {"x": 2}, "End": True})),
        }
        execution = run(machine(states), [1])
        (child,) = only_run(execution).executions.values()
        assert child.frame.variables == {"x": 2}
        assert execution.frame.variables == {"x": 1}

    def test_no_more_run_at_once_than_allowed(self) -> None:
        states = distributed(branch(W={"Type": "Wait", "Seconds": 10, "End": True}), MaxConcurrency=2)
        assert run(states, [1, 2, 3, 4, 5]).stopped == 30.0

    def test_the_first_failure_beyond_tolerance_aborts_those_that_run(self) -> None:
        states = distributed(branch(W={"Type": "Wait", "SecondsPath": "$", "Next": "T"}, T=task()))
        execution = run(states, [3, 100], odd_fails)
        assert (execution.status, execution.stopped) == ("FAILED", 3.0)
        assert [child.status for child in only_run(execution).executions.values()] == ["FAILED", "ABORTED"]
