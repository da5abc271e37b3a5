"""Map states: modes, where items come from, how they are grouped, where results go."""

from __future__ import annotations

import pytest

from tests.unit.states.validation.machines import distributed, errors, inner, jsonata, machine, warnings

PASS = {"Type": "Pass", "End": True}
GET = "arn:aws:states:::s3:getObject"
LIST = "arn:aws:states:::s3:listObjectsV2"
PUT = "arn:aws:states:::s3:putObject"
OBJECT = {"Bucket": "b", "Key.$": "$.key"}


def inline(**fields):
    return {"Type": "Map", "ItemProcessor": inner(PASS), "End": True, **fields}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            {"Type": "Map", "End": True},
            "/States/A: This object should have only one of the following fields: [ItemProcessor, Iterator]",
        ),
        (
            inline(Iterator=inner({"Type": "Succeed"})),
            "/States/A: There should only be one of the following fields: [ItemProcessor, Iterator]",
        ),
        (
            inline(MaxConcurrency=1, MaxConcurrencyPath="$.n"),
            "/States/A: There should only be one of the following fields: [MaxConcurrency, MaxC",
        ),
        (
            inline(Parameters={}, ItemSelector={}),
            "/States/A: There should only be one of the following fields: [ItemSelector, Parameters]",
        ),
        (inline(ItemsPath="$.a[*]"), "/States/A/ItemsPath: Value is not a Reference Path"),
        (inline(ItemsPath=None), "/States/A/ItemsPath: Expected value of type [STRING]"),
        (inline(ItemSelector=[]), "/States/A/ItemSelector: Expected value of type [OBJECT]"),
        (inline(Items=[1]), "/States/A: The QueryLanguage is set to 'JSONPath', but field 'Items' is only"),
        (
            inline(ItemReader={"Resource": GET}),
            "/States/A: Field 'ItemReader' is not supported unless Mode is",
        ),
        (inline(ItemProcessor=[]), "/States/A/ItemProcessor: Expected value of type [OBJECT]"),
        (
            inline(
                ItemProcessor=inner(PASS, ProcessorConfig={"Mode": "INLINE", "ExecutionType": "STANDARD"})
            ),
            "/States/A/ItemProcessor/ProcessorConfig: Field 'ExecutionType' is not supported unless Mode is",
        ),
        (
            inline(ItemProcessor=inner(PASS, ProcessorConfig={"Mode": "DISTRIBUTED"})),
            "/States/A/ItemProcessor/ProcessorConfig: These fields are required: [ExecutionType]",
        ),
        (
            inline(ItemProcessor=inner(PASS, ProcessorConfig={"Mode": "Distributed"})),
            "/States/A/ItemProcessor/ProcessorConfig/Mode: Value should be one of the following: [INLINE,",
        ),
        (distributed(Label="a b"), "/States/A/Label: The label 'a b' must not contain ' '"),
        (distributed(Label="a" * 41), "/States/A/Label: The label 'aaaa"),
        (
            distributed(ToleratedFailurePercentage=101),
            "/States/A/ToleratedFailurePercentage: Maximum value is 100",
        ),
        (distributed(ToleratedFailureCount=-1), "/States/A/ToleratedFailureCount: Minimum value is 0"),
    ],
)
def test_maps_that_are_refused(state, said):
    assert any(each.startswith(said) for each in errors(machine(state)))


def test_maps_that_are_taken():
    for state in (
        inline(),
        inline(ItemsPath="$.items", ItemSelector={"i.$": "$$.Map.Item.Value"}, MaxConcurrency=0),
        {"Type": "Map", "Iterator": inner(PASS), "Parameters": {"i.$": "$$.Map.Item.Index"}, "End": True},
        distributed(Label="train-all", ToleratedFailurePercentagePath="$.p", ToleratedFailureCount=0),
    ):
        assert errors(machine(state)) == []
    for items in ([1, "{% 2 %}"], "{% $states.input %}", {"a": 1}):
        assert errors(jsonata(inline(Items=items, MaxConcurrency="{% 1 %}"))) == []


@pytest.mark.parametrize(("kind", "taken"), [("STANDARD", True), ("EXPRESS", False)])
def test_express_iterations_do_what_express_machines_do(kind, taken):
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": "u", "MessageBody.$": "$$.Task.Token"},
        "End": True,
    }
    state = distributed()
    state["ItemProcessor"] = inner(call, ProcessorConfig={"Mode": "DISTRIBUTED", "ExecutionType": kind})
    assert (errors(machine(state)) == []) is taken


def test_what_an_inline_map_does_not_heed():
    assert warnings(machine(inline(Label="x"))) == ["DISTRIBUTED_ONLY_FIELD /States/A"]


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        ({"Parameters": OBJECT}, "These fields are required: [Resource]"),
        (
            {"Resource": "arn:aws:states:::s3:headObject", "Parameters": OBJECT},
            "/Resource: The field 'Resource' does not match any of the allowed values",
        ),
        (
            {"Resource": GET, "Parameters": OBJECT},
            "/ReaderConfig: The field 'InputType' is required but was missing",
        ),
        ({"Resource": LIST}, "These fields are required: [Parameters]"),
        ({"Resource": LIST, "Parameters": {}}, "/Parameters: The field 'Bucket' is required but was missing"),
        (
            {"Resource": LIST, "Parameters": {"Bucket": "b"}, "ReaderConfig": {"InputType": "JSON"}},
            "/ReaderConfig: Field 'InputType' is not supported",
        ),
        *(
            ({"Resource": GET, "Parameters": OBJECT, "ReaderConfig": config}, said)
            for config, said in (
                (
                    {"InputType": "XML"},
                    "/ReaderConfig/InputType: Value should be one of the following: [CSV, JSON,",
                ),
                ({"InputType": "CSV"}, "/ReaderConfig: The field 'CSVHeaderLocation' is required"),
                (
                    {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"},
                    "/ReaderConfig: These fields are required: [CSVHeaders]",
                ),
                (
                    {"InputType": "JSON", "CSVHeaderLocation": "FIRST_ROW"},
                    "/ReaderConfig: Field 'CSVHeaderLocation' is not supported",
                ),
                (
                    {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": ";"},
                    "/ReaderConfig/CSVDelimiter: Value should be one of the following",
                ),
                ({"InputType": "JSON", "MaxItems": 0}, "/ReaderConfig/MaxItems: Minimum value is 1"),
                (
                    {"InputType": "JSON", "MaxItems": 1, "MaxItemsPath": "$.m"},
                    "/ReaderConfig: There should only be one of the following fields: [MaxItems, MaxI",
                ),
                (
                    {"InputType": "JSON", "ItemsPointer": "a"},
                    "/ReaderConfig/ItemsPointer: Value is not a JSON pointer",
                ),
            )
        ),
    ],
)
def test_readers_that_are_refused(reader, said):
    at = "/States/A/ItemReader" if said.startswith("/") else "/States/A/ItemReader: "
    (only,) = errors(machine(distributed(ItemReader=reader)))
    assert only.startswith(at + said)


@pytest.mark.parametrize(
    "config",
    [
        {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a"], "CSVDelimiter": "TAB"},
        {"InputType": "JSON", "ItemsPointer": "/a/b", "MaxItemsPath": "$.max"},
        {"InputType": "JSONL", "MaxItems": 10},
        {"InputType": "PARQUET"},
        {"InputType": "MANIFEST", "ManifestType": "S3_INVENTORY"},
    ],
)
def test_readers_of_objects(config):
    reader = {"Resource": GET, "Parameters": OBJECT, "ReaderConfig": config}
    assert errors(machine(distributed(ItemReader=reader))) == []


def test_readers_of_listings():
    for config in ({"MaxItems": 5}, {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSONL"}):
        reader = {"Resource": LIST, "Parameters": {"Bucket": "b", "Prefix": "p"}, "ReaderConfig": config}
        assert errors(machine(distributed(ItemReader=reader))) == []
    for arguments in ({"Bucket": "b"}, "{% $states.input %}"):
        assert errors(jsonata(distributed(ItemReader={"Resource": LIST, "Arguments": arguments}))) == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (
            "ItemBatcher",
            {},
            ": This object should have at least one of the following fields: [MaxItemsPerBatch,",
        ),
        ("ItemBatcher", {"MaxItemsPerBatch": 0}, "/MaxItemsPerBatch: Minimum value is 1"),
        (
            "ItemBatcher",
            {"MaxInputBytesPerBatch": 262_145},
            "/MaxInputBytesPerBatch: Maximum value is 262144",
        ),
        (
            "ItemBatcher",
            {"MaxItemsPerBatch": 1, "BatchInput": 1},
            "/BatchInput: Expected value of type [OBJECT]",
        ),
        ("ResultWriter", {}, ": This object should have at least one of the following fields: [Resource,"),
        ("ResultWriter", {"Resource": PUT}, ": These fields are required: [Parameters]"),
        (
            "ResultWriter",
            {"Resource": PUT, "Parameters": {"Prefix": "p"}},
            "/Parameters: The field 'Bucket' is",
        ),
        (
            "ResultWriter",
            {"Resource": None, "Parameters": {"Bucket": "b"}},
            "/Resource: Expected value of type",
        ),
        (
            "ResultWriter",
            {"Resource": GET, "Parameters": {"Bucket": "b"}},
            "/Resource: The field 'Resource' does",
        ),
        (
            "ResultWriter",
            {"WriterConfig": {"OutputType": "JSON"}},
            "/WriterConfig: These fields are required: [Tra",
        ),
    ],
)
def test_batches_and_results_that_are_refused(field, value, said):
    (only,) = errors(machine(distributed(**{field: value})))
    assert only.startswith(f"/States/A/{field}{said}")


def test_batches_and_results_that_are_taken():
    batcher = {"MaxItemsPerBatch": 10, "MaxInputBytesPerBatchPath": "$.b", "BatchInput": {"a.$": "$.a"}}
    writer = {
        "Resource": PUT,
        "Parameters": {"Bucket": "b", "Prefix": "p"},
        "WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSONL"},
    }
    assert errors(machine(distributed(ItemBatcher=batcher, ResultWriter=writer))) == []
    assert errors(machine(distributed(ResultWriter={"WriterConfig": writer["WriterConfig"]}))) == []
