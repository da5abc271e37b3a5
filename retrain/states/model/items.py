"""Where a Map state has its items from, how it groups them, and where it writes its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from retrain.states.model.values import ABSENT, Absent, Given, Json

Mode: TypeAlias = Literal["INLINE", "DISTRIBUTED"]
ExecutionType: TypeAlias = Literal["STANDARD", "EXPRESS"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorConfig:
    """How an item processor runs its iterations; `execution_type` is given in distributed mode only."""

    mode: Mode = "INLINE"
    execution_type: ExecutionType | None = None
    given: Given = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderConfig:
    """The form of what an ItemReader reads; numbers may be JSONata strings in a JSONata state.

    Attributes
    ----------
    input_type
        `CSV`, `JSON`, `JSONL`, `PARQUET` or `MANIFEST`; None for a listing of objects.
    transformation
        `LOAD_AND_FLATTEN` reads the objects of a listing; `NONE` or None gives the listing itself.
    csv_header_location
        `FIRST_ROW`, or `GIVEN` with `csv_headers`.
    csv_delimiter
        `COMMA`, `PIPE`, `SEMICOLON`, `SPACE` or `TAB`.
    items_pointer
        JSON pointer (RFC 6901) to the array in a JSON object.
    manifest_type
        `ATHENA_DATA` or `S3_INVENTORY`.
    max_items
        No more items than this are read.
    """

    input_type: str | None = None
    transformation: str | None = None
    csv_header_location: str | None = field(default=None, metadata={"name": "CSVHeaderLocation"})
    csv_headers: tuple[str, ...] | None = field(default=None, metadata={"name": "CSVHeaders"})
    csv_delimiter: str | None = field(default=None, metadata={"name": "CSVDelimiter"})
    items_pointer: str | None = None
    manifest_type: str | None = None
    max_items: int | str | None = None
    max_items_path: str | None = None
    given: Given = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReader:
    """What a distributed Map reads its items from.

    Attributes
    ----------
    resource
        Such as `arn:aws:states:::s3:getObject` or `arn:aws:states:::s3:listObjectsV2`.
    parameters
        JSONPath: a payload template, not evaluated.
    arguments
        JSONata: what `parameters` is in JSONPath, not evaluated.
    """

    resource: str
    reader_config: ReaderConfig | None = None
    parameters: Json | Absent = ABSENT
    arguments: Json | Absent = ABSENT
    given: Given = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemBatcher:
    """How many items one iteration of a distributed Map gets; numbers may be JSONata strings.

    Attributes
    ----------
    batch_input
        What goes into every batch beside its items, not evaluated.
    max_items_per_batch
        Items at most.
    max_input_bytes_per_batch
        Size at most, in bytes.
    """

    batch_input: Json | Absent = ABSENT
    max_items_per_batch: int | str | None = None
    max_items_per_batch_path: str | None = None
    max_input_bytes_per_batch: int | str | None = None
    max_input_bytes_per_batch_path: str | None = None
    given: Given = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultWriter:
    """Where a distributed Map writes the results of its iterations, and how.

    Attributes
    ----------
    resource
        `arn:aws:states:::s3:putObject`; None to only change the form of the results.
    writer_config
        `Transformation` (`NONE`, `COMPACT`, `FLATTEN`) and `OutputType` (`JSON`, `JSONL`), as given.
    """

    resource: str | None = None
    writer_config: Mapping[str, str] | None = None
    parameters: Json | Absent = ABSENT
    arguments: Json | Absent = ABSENT
    given: Given = field(default=(), repr=False, compare=False)
