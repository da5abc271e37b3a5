"""Datasets of a hundred thousand objects: listed page by page, in memory that does not grow with them."""

import json
import tracemalloc
from collections.abc import Iterator

from retraining import manifests, preparation, settings
from retraining.datasets import StoredObject, version
from retraining.settings import Settings
from tests.unit.functions import stack
from tests.unit.functions.fakes import NOON, FakeStorage
from tests.unit.functions.world import DATA, World

OBJECTS = 100_000
PREFIX = "datasets/mnist/"
MEBIBYTE = 1024 * 1024


def listing(count: int = OBJECTS) -> Iterator[StoredObject]:
    """A listing as S3 gives it: made entry by entry, never there as a whole."""
    for number in range(count):
        yield StoredObject(f"{PREFIX}{number:08}.png", 1_000, f"{number:032x}", NOON)


class LargeStorage(FakeStorage):
    """A bucket with a large dataset, and a holdout that is large as well."""

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        if prefix == PREFIX:
            return listing()
        if prefix == "holdout/mnist/":
            return self._holdout()
        return super().list_objects(bucket, prefix)

    def _holdout(self) -> Iterator[StoredObject]:
        for number in range(OBJECTS):
            yield StoredObject(f"holdout/mnist/{number:08}.png", 1_000, f"{number:032x}", NOON)
        yield StoredObject("holdout/mnist/labels.csv", 1_000, "e", NOON)


def test_their_version_needs_no_more_memory_than_that_of_a_small_one():
    tracemalloc.start()
    try:
        found = version(listing(), PREFIX)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.file_count == OBJECTS
    assert peak < MEBIBYTE


def test_asking_for_a_run_of_one_takes_little_memory():
    configured = settings.from_environment(stack.environment("StartRetrainingFunction"))
    world = World(configured, storage=LargeStorage())
    tracemalloc.start()
    try:
        answer = world.ask(world.wish())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.result == "started"
    assert world.ledger.triggers["event#w1"]["file_count"] == OBJECTS
    assert peak < 2 * MEBIBYTE


def test_a_manifest_of_one_fits_into_the_function():
    content = json.dumps({"files": [f"{number:08}.png" for number in range(OBJECTS)]}).encode()
    tracemalloc.start()
    try:
        named = manifests.parse(content, DATA, PREFIX)
        missing = manifests.missing(named, listing(OBJECTS - 2))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert missing == [f"{PREFIX}00099998.png", f"{PREFIX}00099999.png"]
    memory = stack.TEMPLATE["Globals"]["Function"]["MemorySize"] * MEBIBYTE
    assert peak < memory / 4


def test_the_version_of_a_holdout_is_read_in_one_pass(configured: Settings):
    found = preparation.holdout_version("mnist", configured, LargeStorage())
    assert found.file_count == OBJECTS + 1
