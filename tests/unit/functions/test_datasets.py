"""Versions of datasets, markers, and when a batch is complete."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import datasets
from retraining.datasets import DatasetKey, StoredObject
from retraining.errors import ListingUnorderedError
from tests.unit.functions.fakes import NOON

PREFIX = "datasets/mnist/"
OBJECTS = st.lists(
    st.builds(
        StoredObject,
        key=st.text(min_size=1, max_size=30).map(lambda name: PREFIX + name),
        size=st.integers(0, 10**12),
        etag=st.text("0123456789abcdef-", min_size=1, max_size=35),
        last_modified=st.just(NOON),
    ),
    max_size=12,
    unique_by=lambda entry: entry.key,
).map(lambda objects: sorted(objects, key=lambda entry: entry.key.encode("utf-8", "surrogatepass")))
"""As Amazon S3 lists them."""


def entry(name: str, *, size: int = 1, etag: str = "e", seconds: float = 0) -> StoredObject:
    return StoredObject(PREFIX + name, size, etag, NOON + timedelta(seconds=seconds))


@given(OBJECTS)
def test_version_tells_a_listing_in_the_wrong_order(objects):
    if len(list(datasets.data_objects(objects, PREFIX))) > 1:
        with pytest.raises(ListingUnorderedError, match="general purpose bucket"):
            datasets.version(reversed(objects), PREFIX)


@given(OBJECTS.filter(bool), st.data())
def test_version_depends_on_every_object(objects, data):
    original = datasets.version(objects, PREFIX)
    position = data.draw(st.integers(0, len(objects) - 1))
    chosen = objects[position]
    counted = list(datasets.data_objects([chosen], PREFIX))
    changed = [*objects]
    changed[position] = StoredObject(chosen.key, chosen.size + 1, chosen.etag, chosen.last_modified)
    assert (datasets.version(changed, PREFIX) != original) == bool(counted)
    del changed[position]
    assert (datasets.version(changed, PREFIX) != original) == bool(counted)


def test_version_ignores_markers_folder_markers_and_times():
    plain = datasets.version([entry("a"), entry("b/c")], PREFIX)
    later = [entry("_SUCCESS"), entry("a", seconds=60), entry("b/", size=0), entry("b/c", seconds=90)]
    later.append(entry("manifest.json"))
    assert datasets.version(later, PREFIX) == plain
    assert plain.file_count == 2
    assert datasets.version([entry("a"), entry("b/_SUCCESS"), entry("b/c")], PREFIX) != plain


def test_version_cannot_be_forged_by_run_together_names():
    assert datasets.version([entry("ab", etag="c")], PREFIX) != datasets.version(
        [entry("a", etag="bc")], PREFIX
    )


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("datasets/mnist/train", DatasetKey("mnist", "train")),
        ("datasets/mnist/_SUCCESS", DatasetKey("mnist", "_SUCCESS")),
        ("datasets/mnist/a b+c%2Bü.csv", DatasetKey("mnist", "a b+c%2Bü.csv")),
        ("datasets/mnist/sub/../x", DatasetKey("mnist", "sub/../x")),
        ("datasets/mnist/", None),
        ("datasets/mnist/sub/", None),
        ("datasets/loose.csv", None),
        ("datasets//x", None),
        ("holdout/mnist/labels.csv", None),
        ("", None),
    ],
)
def test_keys_taken_apart(key, expected):
    assert datasets.parse_key(key) == expected


def test_only_files_directly_under_the_dataset_are_markers():
    assert DatasetKey("mnist", "_SUCCESS").is_marker
    assert DatasetKey("mnist", "manifest.json").is_marker
    assert not DatasetKey("mnist", "images/manifest.json").is_marker
    assert not DatasetKey("mnist", "_SUCCESS.gz").is_marker


def test_retrain_key_depends_on_each_part_and_not_on_the_order_of_hyperparameters():
    parts = ("mnist", "d", "h", "image", "", [("a", "1"), ("b", "2")])
    key = datasets.retrain_key(*parts)
    assert datasets.retrain_key(*parts[:5], [("b", "2"), ("a", "1")]) == key
    for position in range(5):
        assert datasets.retrain_key(*parts[:position], "other", *parts[position + 1 :]) != key
    assert datasets.retrain_key(*parts[:5], [("a", "1")]) != key
