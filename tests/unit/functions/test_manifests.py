"""manifest.json: read as generously as it is written, and nothing outside of its dataset."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import manifests
from retraining.datasets import StoredObject
from retraining.errors import ManifestError
from tests.unit.functions.fakes import NOON

PREFIX = "datasets/mnist/"
URI = f"s3://data/{PREFIX}"


def keys(document: object) -> list[str]:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return [key.removeprefix(PREFIX) for key in manifests.parse(content, "data", PREFIX)]


@pytest.mark.parametrize(
    "document",
    [
        {"files": ["a", "b/c"]},
        {"files": [{"key": "a"}, {"name": "b/c", "size": 7, "rows": 100}], "created": "yesterday"},
        {"entries": [{"url": f"{URI}a", "mandatory": True}, {"url": f"{URI}b/c", "mandatory": True}]},
        {"objects": [f"{PREFIX}a", "./b/c"]},
        ["a", {"path": "b/c"}],
        [{"prefix": URI}, "a", "b/c"],
        [{"prefix": f"{URI}b/"}, "c", {"prefix": URI}, "a"],
        b'{"source-ref": "%ba", "label": 1}\n\n{"source-ref": "%bb/c", "label": 2}\n'
        % (URI.encode(), URI.encode()),
        b'\xef\xbb\xbf{"files": ["a", "b/c"]}',
        {"files": ["a", "b/c", "a", "manifest.json", "_SUCCESS"]},
    ],
)
def test_ways_to_name_files(document):
    assert sorted(keys(document)) == ["a", "b/c"]


def test_an_augmented_manifest_of_one_line():
    assert keys(f'{{"source-ref": "{URI}a", "label": 1}}'.encode()) == ["a"]


def test_no_files_are_files_that_are_all_there():
    assert keys({"files": []}) == []


@pytest.mark.parametrize("name", ["a b.csv", "a+b%2Bc.csv", "ü/😀", "..", "../x", "x" * 1000, "datasets/a"])
def test_keys_are_taken_as_they_are(name):
    assert keys({"files": [name]}) == [name]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not in UTF-8"),
        (b"7", "is no list of files"),
        (b'"a"', "is no list of files"),
        (b"[" * 100_000, "is not JSON"),
        ({}, "has no list of files"),
        ({"files": "a"}, "has no list of files"),
        ({"files": ["a"], "entries": ["b"]}, "has no list of files"),
        ({"files": [7]}, "names no file: '7'"),
        ({"files": [{"size": 7}]}, "names no file"),
        ({"files": [{"key": 7}]}, "names no file"),
        ({"files": ["s3://other/datasets/mnist/a"]}, "which is not under s3://data/datasets/mnist/"),
        ({"files": ["s3://data/datasets/mnist2/a"]}, "which is not under"),
        ([{"prefix": "s3://other/"}, "a"], "which is not under"),
        ({"files": ["folder/"]}, "which is a folder"),
        ({"files": [""]}, "which is a folder"),
    ],
)
def test_what_is_no_manifest_says_what_is_wrong_and_what_to_do(document, said):
    with pytest.raises(ManifestError, match="or _SUCCESS in its place") as refused:
        keys(document)
    assert said in str(refused.value)


def test_a_manifest_of_too_many_entries_is_refused():
    with pytest.raises(ManifestError, match="more than 1,000,000 commas and lines"):
        manifests.parse(b'["a"' + b',"a"' * 1_000_001 + b"]", "data", PREFIX)


def test_a_manifest_of_great_size_is_refused():
    with pytest.raises(ManifestError, match="larger than 32 MiB"):
        manifests.parse(b" " * (manifests.MOST_BYTES + 1), "data", PREFIX)


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["files", "key"]), inner),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_anything_is_a_manifest_or_a_clear_error(content):
    try:
        found = manifests.parse(content, "data", PREFIX)
    except ManifestError:
        return
    assert all(key.startswith(PREFIX) for key in found)


def entry(name: str, size: int = 1, etag: str = "e") -> StoredObject:
    return StoredObject(PREFIX + name, size, etag, NOON)


def missing(document: object, *listing: StoredObject) -> list[str]:
    named = manifests.parse(json.dumps(document).encode(), "data", PREFIX)
    return [key.removeprefix(PREFIX) for key in manifests.missing(named, listing)]


def test_what_is_missing():
    assert missing(["c", "a", "b"], entry("b"), entry("x")) == ["a", "c"]
    assert missing(["a"], entry("a")) == []


@pytest.mark.parametrize(
    ("named", "is_there"),
    [
        ({"key": "a", "size": 1}, True),
        ({"key": "a", "size": 2}, False),
        ({"key": "a", "etag": '"E"'}, True),
        ({"key": "a", "md5": "f"}, False),
        ({"key": "a", "size": "unknown"}, True),
    ],
)
def test_size_and_entity_tag_tell_versions_of_a_file_apart(named, is_there):
    assert (missing([named], entry("a")) == []) == is_there
