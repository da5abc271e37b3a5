"""What an ItemReader reads: listings, and objects in JSON, JSON Lines, CSV, or behind a manifest."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeAlias, cast
from urllib.parse import unquote

from retrain.states.errors import ITEM_READER_FAILED, StatesError
from retrain.states.execution.frames import Item
from retrain.states.execution.protocols import ItemStore
from retrain.states.model import Json, ReaderConfig

Member: TypeAlias = tuple[str | None, Json]
"""An item's key, if it is a member of an object, and its value."""

MOST_ITEMS: Final = 100_000_000
_DELIMITERS: Final = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
_GZIP: Final = b"\x1f\x8b"
_LISTED: Final = {
    "Etag": "ETag",
    "LastModified": "LastModified",
    "Key": "Key",
    "Size": "Size",
    "StorageClass": "StorageClass",
}
"""What an item of a listing has, in the order and spelling of Step Functions, and S3's names for it."""


class Reading:
    """Reads the items of one distributed Map.

    Parameters
    ----------
    store : ItemStore
        Where the objects are.
    resource : str
        The reader's Resource.
    where : mapping
        Its Parameters or Arguments, evaluated: Bucket, Key and VersionId, or Bucket and Prefix.
    config : ReaderConfig
        Their form.
    most : int, optional
        No more items than this.
    """

    def __init__(
        self,
        store: ItemStore,
        resource: str,
        where: Json,
        config: ReaderConfig | None,
        most: int | None,
    ) -> None:
        if not isinstance(where, Mapping) or not isinstance(where.get("Bucket"), str):
            raise _failed(f"The ItemReader needs a Bucket that is a string; it is given {where!r}.")
        self._store = store
        self._listing = resource.endswith(":listObjectsV2")
        self._where: Mapping[str, Any] = where
        self._config = config or ReaderConfig()
        self._most = MOST_ITEMS if most is None else most

    async def read(self) -> list[Item]:
        """Return the items.

        Raises
        ------
        StatesError
            States.ItemReaderFailed.
        """
        try:
            return await (self._list() if self._listing else self._get())
        except StatesError as error:
            if error.error == ITEM_READER_FAILED:
                raise
            raise _failed(f"{error.error}: {error.cause}") from error
        except (ValueError, KeyError, TypeError, csv.Error, OSError) as error:
            raise _failed(f"{type(error).__name__}: {error}") from error

    async def _list(self) -> list[Item]:
        bucket, prefix = self._where["Bucket"], str(self._where.get("Prefix") or "")
        flatten = self._config.transformation == "LOAD_AND_FLATTEN"
        found = await self._store.list_objects(bucket, prefix, None if flatten else self._most)
        if not flatten:
            return [
                (
                    None,
                    {name: each.entry[key] for name, key in _LISTED.items() if key in each.entry},
                    f"S3://{bucket}",
                )
                for each in islice(found, self._most)
            ]
        items: list[Item] = []
        for stored in found:
            key = str(stored.entry["Key"])
            if key.endswith("/"):
                continue
            items += await self._members(bucket, key, self._most - len(items))
            if len(items) >= self._most:
                break
        return items

    async def _members(self, bucket: str, key: str, most: int) -> list[Item]:
        body = await self._store.read_object(bucket, key)
        return self._taken(self._parse(body, key), bucket, key, most)

    @staticmethod
    def _taken(members: Iterator[Member], bucket: str, key: str, most: int) -> list[Item]:
        source = f"S3://{bucket}/{key}"
        return [(name, value, source) for name, value in islice(members, most)]

    async def _get(self) -> list[Item]:
        bucket, key = self._where["Bucket"], self._where.get("Key")
        if not isinstance(key, str):
            raise _failed(f"The ItemReader needs a Key that is a string; it is given {key!r}.")
        body = await self._store.read_object(bucket, key, self._where.get("VersionId"))
        if self._config.manifest_type == "ATHENA_DATA":
            return await self._athena(body)
        if self._config.input_type == "MANIFEST":
            return await self._inventory(json.loads(body))
        return self._taken(self._parse(body, key), bucket, key, self._most)

    def _parse(self, body: bytes, key: str) -> Iterator[Member]:
        form = self._config.input_type
        if form is None:
            raise _failed("The ItemReader needs a ReaderConfig with an InputType to read an object.")
        if body[:2] == _GZIP:
            body = gzip.decompress(body)
        if form == "JSON":
            return self._json(json.loads(body))
        if form == "JSONL":
            text = body.decode("utf-8-sig")
            return ((None, json.loads(line)) for line in io.StringIO(text) if line.strip())
        if form == "CSV":
            return self._csv(body)
        raise _failed(
            f"Items in the form {form} cannot be read here ({key}); JSON, JSONL, CSV and MANIFEST can."
        )

    def _json(self, document: Any) -> Iterator[Member]:
        pointer = self._config.items_pointer
        found = document if pointer is None else _at_pointer(document, pointer)
        if isinstance(found, list):
            return ((None, value) for value in found)
        if isinstance(found, dict):
            return ((key, {"Key": key, "Value": value}) for key, value in found.items())
        raise _failed("The JSON that the ItemReader reads must be an array or an object.")

    def _csv(self, body: bytes, headers: Sequence[str] | None = None) -> Iterator[Member]:
        delimiter = _DELIMITERS[self._config.csv_delimiter or "COMMA"]
        rows = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), delimiter=delimiter)
        names = headers
        if names is None and self._config.csv_header_location == "GIVEN":
            names = self._config.csv_headers
        if names is None:
            names = next(rows, [])
        return ((None, _row(names, row)) for row in rows if row)

    async def _inventory(self, manifest: Mapping[str, Any]) -> list[Item]:
        """Read the lists of an S3 inventory in CSV; its rows are the items."""
        if manifest.get("fileFormat") != "CSV":
            raise _failed(f"An S3 inventory must be in CSV; this one is in {manifest.get('fileFormat')}.")
        bucket = str(manifest["destinationBucket"]).rsplit(":", 1)[-1]
        headers = [name.strip() for name in str(manifest["fileSchema"]).split(",")]
        items: list[Item] = []
        for listed in manifest["files"]:
            body = await self._store.read_object(bucket, listed["key"])
            body = gzip.decompress(body) if body[:2] == _GZIP else body
            rows = map(_with_plain_key, self._csv(body, headers))
            items += self._taken(rows, bucket, listed["key"], self._most - len(items))
        return items

    async def _athena(self, manifest: bytes) -> list[Item]:
        """Read the data files that an UNLOAD of Athena has written, one URI a line in its manifest."""
        items: list[Item] = []
        for line in manifest.decode().split():
            bucket, _, key = line.partition("://")[2].partition("/")
            items += await self._members(bucket, key, self._most - len(items))
        return items


def _with_plain_key(member: Member) -> Member:
    """Undo S3's encoding of keys in inventories."""
    name, row = member
    fields = cast("dict[str, Json]", row)
    key = fields.get("Key")
    return name, ({**fields, "Key": unquote(key)} if isinstance(key, str) else fields)


def _row(names: Sequence[str], row: Sequence[str]) -> dict[str, Json]:
    return {name: row[at] if at < len(row) else "" for at, name in enumerate(names)}


def _at_pointer(document: Any, pointer: str) -> Any:
    """Return what a JSON pointer (RFC 6901) points at."""
    found = document
    for part in pointer.split("/")[1:]:
        token = part.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(token)] if isinstance(found, list) else found[token]
        except (KeyError, IndexError, ValueError, TypeError):
            raise _failed(f"ItemsPointer {pointer!r} points at nothing ({token!r} is not there).") from None
    return found


def _failed(cause: str) -> StatesError:
    return StatesError(ITEM_READER_FAILED, cause)
