"""Checks of a Map state: where its items come from, how they are grouped, where its results go."""

from __future__ import annotations

import re
from typing import Any, Final

from retrain.states.model.values import JSONATA, JSONPATH
from retrain.states.validation import fields
from retrain.states.validation.report import (
    DISTRIBUTED_ONLY_FIELD,
    INVALID_LABEL_NAME,
    Kind,
    Place,
)
from retrain.states.validation.shapes import Field, Shape

_MAX_LABEL: Final = 40
_BAD_IN_LABEL: Final = re.compile(r"[\s?*<>{}\[\]:;,\\|^~$#%&`\"/\x00-\x1f\x7f-\x9f]")
_READERS: Final = re.compile(r"arn:[^:]+:states:::s3:(?P<action>getObject|listObjectsV2)")
_WRITERS: Final = re.compile(r"arn:[^:]+:states:::s3:putObject")
_PARAMETERS: Final = Field(fields.payload, JSONPATH)
_ARGUMENTS: Final = Field(fields.object_payload, JSONATA)


def _s3(pattern: re.Pattern[str], names: str) -> Field:
    def check(value: Any, place: Place, at: str) -> None:
        if not isinstance(value, str):
            place.report.schema("Expected value of type [STRING]", at)
        elif not pattern.fullmatch(value):
            place.report.schema(f"The field 'Resource' does not match any of the allowed values: {names}", at)

    return Field(check)


_PROCESSOR_CONFIG: Final = Shape(
    {
        "Mode": Field(fields.enum("INLINE", "DISTRIBUTED")),
        "ExecutionType": Field(fields.enum("STANDARD", "EXPRESS")),
    }
)

_READER_CONFIG: Final = Shape(
    {
        "InputType": Field(fields.enum("CSV", "JSON", "JSONL", "PARQUET", "MANIFEST")),
        "Transformation": Field(fields.enum("NONE", "LOAD_AND_FLATTEN")),
        "CSVHeaderLocation": Field(fields.enum("FIRST_ROW", "GIVEN")),
        "CSVHeaders": Field(fields.array_of(fields.string)),
        "CSVDelimiter": Field(fields.enum("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB")),
        "ItemsPointer": Field(fields.string),
        "ManifestType": Field(fields.enum("ATHENA_DATA", "S3_INVENTORY")),
        "MaxItems": Field(fields.integer(1, 100_000_000)),
        "MaxItemsPath": Field(fields.reference_path, JSONPATH),
    },
    at_most_one=(("MaxItems", "MaxItemsPath"),),
)


def _reader_config(value: Any, place: Place, at: str) -> None:
    _READER_CONFIG.check(value, place, at)
    if not isinstance(value, dict):
        return
    kind = value.get("InputType")
    csv = kind == "CSV" or (kind == "MANIFEST" and value.get("ManifestType") == "ATHENA_DATA")
    if kind == "CSV" and "CSVHeaderLocation" not in value:
        place.report.schema("The field 'CSVHeaderLocation' is required but was missing", at)
    for name in ("CSVHeaderLocation", "CSVHeaders", "CSVDelimiter"):
        if name in value and not csv and isinstance(kind, str):
            place.report.schema(f"Field '{name}' is not supported for InputType {kind}", at)
    if value.get("CSVHeaderLocation") == "GIVEN" and "CSVHeaders" not in value:
        place.report.schema("These fields are required: [CSVHeaders]", at)
    if value.get("CSVHeaderLocation") == "FIRST_ROW" and "CSVHeaders" in value:
        place.report.schema("Field 'CSVHeaders' is not supported when CSVHeaderLocation is FIRST_ROW", at)
    pointer = value.get("ItemsPointer")
    if isinstance(pointer, str) and pointer and not pointer.startswith("/"):
        place.report.schema("Value is not a JSON pointer: it must begin with '/'", f"{at}/ItemsPointer")


_READER: Final = Shape(
    {
        "Resource": _s3(_READERS, "arn:aws:states:::s3:getObject, arn:aws:states:::s3:listObjectsV2"),
        "ReaderConfig": Field(_reader_config),
        "Parameters": _PARAMETERS,
        "Arguments": _ARGUMENTS,
    },
    ("Resource",),
)


def _reader(value: Any, place: Place, at: str) -> None:
    _READER.check(value, place, at)
    if not isinstance(value, dict):
        return
    match = _READERS.fullmatch(value["Resource"]) if isinstance(value.get("Resource"), str) else None
    config = value.get("ReaderConfig")
    loads = isinstance(config, dict) and config.get("Transformation") == "LOAD_AND_FLATTEN"
    if match and match["action"] == "getObject" and not (isinstance(config, dict) and "InputType" in config):
        place.report.schema("The field 'InputType' is required but was missing", f"{at}/ReaderConfig")
    if match and match["action"] == "listObjectsV2" and isinstance(config, dict) and not loads:
        for name in sorted({"InputType", "CSVHeaderLocation", "ManifestType", "ItemsPointer"} & set(config)):
            place.report.schema(f"Field '{name}' is not supported", f"{at}/ReaderConfig")
    _s3_parameters(
        value, ("Bucket", "Key") if match and match["action"] == "getObject" else ("Bucket",), place, at
    )


def _s3_parameters(value: dict[str, Any], required: tuple[str, ...], place: Place, at: str) -> None:
    name = "Arguments" if place.language == JSONATA else "Parameters"
    given = value.get(name)
    if name not in value:
        place.report.schema(f"These fields are required: [{name}]", at)
    elif isinstance(given, dict):
        for each in required:
            if each not in given and f"{each}.$" not in given:
                place.report.schema(f"The field '{each}' is required but was missing", f"{at}/{name}")


_BATCHER: Final = Shape(
    {
        "BatchInput": Field(fields.object_payload),
        "MaxItemsPerBatch": Field(fields.integer(1)),
        "MaxItemsPerBatchPath": Field(fields.reference_path, JSONPATH),
        "MaxInputBytesPerBatch": Field(fields.integer(1, 262_144)),
        "MaxInputBytesPerBatchPath": Field(fields.reference_path, JSONPATH),
    },
    at_most_one=(
        ("MaxItemsPerBatch", "MaxItemsPerBatchPath"),
        ("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"),
    ),
)


def _batcher(value: Any, place: Place, at: str) -> None:
    _BATCHER.check(value, place, at)
    if isinstance(value, dict) and not set(value) & (set(_BATCHER.fields) - {"BatchInput"}):
        place.report.schema(
            "This object should have at least one of the following fields: [MaxItemsPerBatch,"
            " MaxInputBytesPerBatch]",
            at,
        )


_WRITER_CONFIG: Final = Shape(
    {
        "Transformation": Field(fields.enum("NONE", "COMPACT", "FLATTEN")),
        "OutputType": Field(fields.enum("JSON", "JSONL")),
    },
    ("Transformation", "OutputType"),
)

_WRITER: Final = Shape(
    {
        "Resource": _s3(_WRITERS, "arn:aws:states:::s3:putObject"),
        "WriterConfig": Field(_WRITER_CONFIG.check),
        "Parameters": _PARAMETERS,
        "Arguments": _ARGUMENTS,
    }
)


def _writer(value: Any, place: Place, at: str) -> None:
    _WRITER.check(value, place, at)
    if not isinstance(value, dict):
        return
    if not set(value) & {"Resource", "WriterConfig"}:
        place.report.schema(
            "This object should have at least one of the following fields: [Resource, WriterConfig]", at
        )
    if "Resource" in value:
        _s3_parameters(value, ("Bucket",), place, at)
    elif {"Parameters", "Arguments"} & set(value):
        place.report.schema("These fields are required: [Resource]", at)


def _label(value: Any, place: Place, at: str) -> None:
    if not isinstance(value, str):
        place.report.schema("Expected value of type [STRING]", at)
    elif not value or len(value) > _MAX_LABEL:
        place.report.error(
            INVALID_LABEL_NAME,
            f"The label '{value}' has {len(value)} characters: 1 to {_MAX_LABEL} are allowed by the service",
            at,
        )
    elif bad := _BAD_IN_LABEL.search(value):
        place.report.error(INVALID_LABEL_NAME, f"The label '{value}' must not contain {bad[0]!r}", at)


def processor_config(value: Any, place: Place, at: str) -> None:
    """Check how an item processor is to run."""
    _PROCESSOR_CONFIG.check(value, place, at)
    if not isinstance(value, dict):
        return
    if value.get("Mode") == "DISTRIBUTED":
        if "ExecutionType" not in value:
            place.report.schema("These fields are required: [ExecutionType]", at)
        if place.kind == "EXPRESS":
            place.report.schema(
                "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines",
                f"{at}/Mode",
            )
    elif "ExecutionType" in value:
        place.report.schema("Field 'ExecutionType' is not supported unless Mode is DISTRIBUTED", at)


def is_distributed(state: dict[str, Any]) -> bool:
    """Return whether a Map state runs its iterations as executions of their own."""
    processor = state.get("ItemProcessor", state.get("Iterator"))
    config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    return isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED"


def kind_of_iterations(state: dict[str, Any]) -> Kind | None:
    """Return the kind of a distributed Map's child executions; None for an inline Map."""
    if not is_distributed(state):
        return None
    processor = state.get("ItemProcessor", state.get("Iterator"))
    kind = processor["ProcessorConfig"].get("ExecutionType") if isinstance(processor, dict) else None
    return kind if kind in ("STANDARD", "EXPRESS") else None


def whole(state: dict[str, Any], place: Place, at: str) -> None:
    """Check what only shows in a Map state as a whole."""
    if is_distributed(state):
        return
    for name in ("ItemReader", "ItemBatcher", "ResultWriter"):
        if name in state:
            place.report.schema(f"Field '{name}' is not supported unless Mode is DISTRIBUTED", at)
    for name in ("Label", *_TOLERATED):
        if name in state:
            place.report.warning(
                DISTRIBUTED_ONLY_FIELD, f"Field '{name}' is not heeded unless Mode is DISTRIBUTED", at
            )


_TOLERATED: Final = (
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
)

FIELDS: Final = {
    "ItemsPath": Field(fields.reference_path, JSONPATH),
    "Items": Field(fields.items, JSONATA),
    "ItemReader": Field(_reader),
    "ItemSelector": Field(fields.object_payload),
    "ItemBatcher": Field(_batcher),
    "ResultWriter": Field(_writer),
    "MaxConcurrency": Field(fields.integer(0)),
    "MaxConcurrencyPath": Field(fields.reference_path, JSONPATH),
    "ToleratedFailureCount": Field(fields.integer(0)),
    "ToleratedFailureCountPath": Field(fields.reference_path, JSONPATH),
    "ToleratedFailurePercentage": Field(fields.number(0, 100)),
    "ToleratedFailurePercentagePath": Field(fields.reference_path, JSONPATH),
    "Label": Field(_label),
}
"""The fields of a Map state that are not every state's, except for the item processor itself."""

AT_MOST_ONE: Final = (
    ("MaxConcurrency", "MaxConcurrencyPath"),
    ("ToleratedFailureCount", "ToleratedFailureCountPath"),
    ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
    ("ItemSelector", "Parameters"),
)
