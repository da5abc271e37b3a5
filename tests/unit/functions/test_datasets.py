"""Versions of datasets, markers, and when a batch is complete."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import datasets
from retraining.datasets import DatasetKey, StoredObject
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
)


def entry(name: str, *, size: int = 1, etag: str = "e", seconds: float = 0) -> StoredObject:
    return StoredObject(PREFIX + name, size, etag, NOON + timedelta(seconds=seconds))


@given(OBJECTS, st.randoms())
def test_version_does_not_depend_on_the_order_of_the_listing(objects, random):
    shuffled = list(objects)
    random.shuffle(shuffled)
    assert datasets.version(objects, PREFIX) == datasets.version(shuffled, PREFIX)


@given(OBJECTS.filter(bool), st.data())
def test_version_depends_on_every_object(objects, data):
    original = datasets.version(objects, PREFIX)
    position = data.draw(st.integers(0, len(objects) - 1))
    chosen = objects[position]
    counted = datasets.data_objects([chosen], PREFIX)
    changed = [*objects]
    changed[position] = StoredObject(chosen.key, chosen.size + 1, chosen.etag, chosen.last_modified)
    assert (datasets.version(changed, PREFIX) != original) == bool(counted)
    del changed[position]
    assert (datasets.version(changed, PREFIX) != original) == bool(counted)


def test_version_ignores_markers_folder_markers_and_times():
    plain = datasets.version([entry("a"), entry("b/c")], PREFIX)
    extras = [entry("_SUCCESS"), entry("manifest.json"), entry("b/", size=0)]
    later = [entry("a", seconds=60), entry("b/c", seconds=90), *extras]
    assert datasets.version(later, PREFIX) == plain
    assert plain.file_count == 2
    assert datasets.version([entry("a"), entry("b/c"), entry("b/_SUCCESS")], PREFIX) != plain


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


def test_the_newest_upload_closes_its_batch_and_no_older_one_does():
    listing = [entry("a", seconds=0), entry("b", seconds=10), entry("c", seconds=20)]
    closing = [
        seconds
        for seconds in (0, 10, 20)
        if datasets.closes_batch(NOON + timedelta(seconds=seconds), listing)
    ]
    assert closing == [20]


def test_a_marker_that_came_later_closes_the_batch_instead():
    assert not datasets.closes_batch(NOON, [entry("a"), entry("_SUCCESS", seconds=5)])
    assert datasets.closes_batch(
        NOON + timedelta(seconds=9), [entry("_SUCCESS", seconds=5), entry("a", seconds=9)]
    )


def test_a_multipart_upload_that_began_early_and_ended_last_closes_its_batch():
    # Its listed time is that of its beginning; only its event knows when it was complete.
    listing = [entry("large", seconds=0), entry("small", seconds=30)]
    assert datasets.closes_batch(NOON + timedelta(seconds=50), listing)


def test_an_upload_is_not_newer_than_its_own_event_by_fractions_of_a_second():
    assert datasets.closes_batch(NOON, [entry("a", seconds=0.7)])


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=20))
def test_at_least_one_upload_closes_every_batch(times):
    listing = [entry(str(number), seconds=seconds) for number, seconds in enumerate(times)]
    closing = [
        t
        for t in times
        if datasets.closes_batch((NOON + timedelta(seconds=t)).replace(microsecond=0), listing)
    ]
    assert max(times) in closing


def test_retrain_key_depends_on_each_part_and_not_on_the_order_of_hyperparameters():
    parts = ("mnist", "d", "h", "image", "", [("a", "1"), ("b", "2")])
    key = datasets.retrain_key(*parts)
    assert datasets.retrain_key(*parts[:5], [("b", "2"), ("a", "1")]) == key
    for position in range(5):
        assert datasets.retrain_key(*parts[:position], "other", *parts[position + 1 :]) != key
    assert datasets.retrain_key(*parts[:5], [("a", "1")]) != key
