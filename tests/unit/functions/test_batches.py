"""Batches: one run for what belongs together, closed by a marker, by a manifest, or by quiet."""

import json
from dataclasses import replace

import pytest

from retraining.errors import TransientAwsError
from retraining.settings import Settings
from tests.unit.functions.world import DATA, World

QUIET = 60
PATIENCE = 900


@pytest.fixture
def world(configured: Settings) -> World:
    return World(configured)


def results(world: World) -> dict[str, str]:
    return {name.partition("#")[2]: found["result"] for name, found in world.ledger.triggers.items()}


class TestQuietPeriod:
    def test_closes_a_batch_of_many_files_once(self, world):
        for number in range(5):
            world.note(world.put(f"file-{number}"))
            world.wait(QUIET - 1)
        assert world.runs == []
        (answer,) = [answer for answer in world.wait(QUIET) if answer.result != "waiting"]
        assert answer.result == "started"
        assert world.delays.messages == []
        (record,) = world.ledger.triggers.values()
        assert (record["events"], record["file_count"]) == (5, 5)

    def test_sends_one_message_at_a_time(self, world):
        for number in range(50):
            world.note(world.put(f"file-{number}"))
        assert len(world.delays.messages) == 1

    def test_counts_from_the_last_change(self, world):
        world.note(world.put("a"))
        world.wait(QUIET - 10)
        world.note(world.put("b"))
        world.wait(QUIET - 1)
        assert world.runs == []
        world.wait(1)
        assert len(world.runs) == 1

    def test_of_nothing_closes_at_once(self, world):
        world.settings = replace(world.settings, arrival=replace(world.settings.arrival, quiet_seconds=0))
        world.note(world.put("a"))
        world.wait(0)
        assert len(world.runs) == 1

    def test_says_what_it_waits_for(self, world):
        world.note(world.put("a"))
        (record,) = world.ledger.triggers.values()
        assert record["result"] == "waiting"
        assert "quiet period" in record["reason"]

    def test_is_no_reason_to_run_the_same_content_again(self, world):
        upload = world.put("a")
        world.note(upload)
        world.wait(QUIET)
        world.note(upload)
        world.note(world.put("a"))
        world.wait(QUIET)
        assert results(world) == {"mnist/0": "started", "mnist/1": "duplicate"}
        assert len(world.runs) == 1

    def test_starts_again_for_what_came_after_it(self, world):
        world.note(world.put("a"))
        world.wait(QUIET)
        world.machine.end(world.runs[0], "SUCCEEDED")
        world.note(world.put("b"))
        world.wait(QUIET)
        assert len(world.runs) == 2

    def test_is_not_lost_when_its_message_is(self, world):
        world.note(world.put("a"))
        world.delays.messages.clear()
        world._sent.clear()
        world.wait(3600)
        world.note(world.put("b"))
        world.wait(QUIET)
        assert len(world.runs) == 1


class TestChanges:
    def test_an_overwritten_file_is_one(self, world):
        world.note(world.put("a"))
        world.wait(QUIET)
        world.machine.end(world.runs[0], "SUCCEEDED")
        world.note(world.put("a", b"other"))
        world.wait(QUIET)
        assert len(world.runs) == 2

    def test_a_deleted_file_is_one(self, world):
        world.note(world.put("a"), world.put("b"))
        world.wait(QUIET)
        world.machine.end(world.runs[0], "SUCCEEDED")
        world.note(world.delete("b"))
        world.wait(QUIET)
        assert len(world.runs) == 2

    def test_deleting_everything_starts_nothing_and_bothers_nobody(self, world):
        world.put("a")
        world.note(world.delete("a"))
        world.wait(QUIET)
        assert results(world) == {"mnist/0": "empty"}
        assert world.runs == world.topic.messages == []

    def test_files_without_a_byte_are_told(self, world):
        world.note(world.put("a", b""))
        world.wait(QUIET)
        assert results(world) == {"mnist/0": "empty"}
        assert "are empty: upload them again" in world.topic.messages[0][1]


class TestSuccess:
    def test_closes_a_batch_at_once(self, world):
        world.note(world.put("a"), world.put("b"))
        answer = world.close(world.put("_SUCCESS"))
        assert answer.result == "started"
        assert world.wait(3600) == []
        assert [record["closed_by"] for record in world.ledger.triggers.values()] == ["_SUCCESS"]

    def test_that_is_delivered_again_decides_nothing(self, world):
        world.note(world.put("a"))
        marker = world.put("_SUCCESS")
        world.close(marker)
        assert world.close(marker) is None
        assert len(world.runs) == 1

    def test_may_overtake_the_files_of_its_batch(self, world):
        late = world.put("a")
        assert world.close(world.put("_SUCCESS")).result == "started"
        world.note(late)
        world.wait(QUIET)
        assert len(world.runs) == 1
        assert set(results(world).values()) == {"started", "duplicate"}

    def test_of_an_empty_dataset_is_told(self, world):
        assert world.close(world.put("_SUCCESS")).result == "empty"
        assert "upload the dataset first" in world.topic.messages[0][1]

    def test_that_is_deleted_is_no_change(self, world):
        world.put("_SUCCESS")
        assert world.close(world.delete("_SUCCESS")) is None
        assert world.delays.messages == []

    def test_keeps_what_was_noted_while_it_was_handled(self, world, monkeypatch):
        world.note(world.put("a"))
        listed = world.storage.list_objects

        def while_listing(bucket, prefix):
            yield from list(listed(bucket, prefix))
            if prefix.startswith("datasets/"):
                monkeypatch.setattr(world.storage, "list_objects", listed)
                world.note(world.put("b"))

        monkeypatch.setattr(world.storage, "list_objects", while_listing)
        world.close(world.put("_SUCCESS"))
        world.machine.end(world.runs[0], "SUCCEEDED")
        world.wait(QUIET)
        assert len(world.runs) == 2


def manifest(world: World, *files: object):
    return world.put("manifest.json", json.dumps({"files": list(files)}).encode())


class TestManifest:
    def test_closes_a_batch_at_once_if_all_files_are_there(self, world):
        world.note(world.put("a"), world.put("b"))
        assert world.close(manifest(world, "a", {"key": "b"})).result == "started"

    def test_waits_for_missing_files_and_closes_with_the_last_of_them(self, world):
        world.note(world.put("a"))
        answer = world.close(manifest(world, "a", "b", "c"))
        assert answer.result == "waiting"
        assert answer.reason == "manifest.json names 3 files, and 2 are missing: b, c."
        world.wait(QUIET + 1)
        assert world.runs == [], "the quiet period does not close what a manifest says is not complete"
        world.note(world.put("c"))
        assert world.runs == []
        world.note(world.put("b"))
        assert len(world.runs) == 1
        assert "started" in results(world).values()
        world.wait(3600)
        assert len(world.runs) == 1
        assert world.topic.messages == []

    def test_waits_for_more_missing_files_than_the_ledger_remembers(self, world):
        names = [f"file-{number:04}" for number in range(250)]
        world.close(manifest(world, *names))
        for name in names:
            world.note(world.put(name))
        assert len(world.runs) == 1

    def test_reports_missing_files_once_and_closes_when_they_come_after_all(self, world):
        world.note(world.put("a"))
        world.close(manifest(world, "a", "b"))
        world.wait(3 * PATIENCE)
        assert [attributes["outcome"] for *_, attributes in world.topic.messages] == ["REFUSED"]
        assert "names 2 files, and 1 is missing: b." in world.topic.messages[0][1]
        assert world.runs == []
        world.note(world.put("b"))
        assert len(world.runs) == 1

    def test_tells_a_new_version_of_a_file_from_the_one_before(self, world):
        world.note(world.put("a", b"old"))
        assert world.close(manifest(world, {"key": "a", "size": 5})).result == "waiting"
        world.note(world.put("a", b"newer"))
        assert len(world.runs) == 1

    def test_gives_way_to_success(self, world):
        world.note(world.put("a"))
        world.close(manifest(world, "a", "b"))
        assert world.close(world.put("_SUCCESS")).result == "started"
        world.wait(3 * PATIENCE)
        assert world.topic.messages == []

    def test_a_late_deletion_of_an_earlier_manifest_leaves_the_new_one_alone(self, world):
        world.note(world.put("a"))
        manifest(world, "a")
        late = world.delete("manifest.json")
        assert world.close(manifest(world, "a", "b")).result == "waiting"
        assert world.close(late).result == "waiting"
        world.wait(QUIET * 3)
        assert world.runs == [], "b is still missing"
        world.note(world.put("b"))
        world.wait(QUIET)
        assert len(world.runs) == 1

    def test_that_is_deleted_leaves_the_batch_to_the_quiet_period(self, world):
        world.note(world.put("a"))
        world.close(manifest(world, "a", "b"))
        world.close(world.delete("manifest.json"))
        world.wait(PATIENCE + QUIET)
        assert len(world.runs) == 1

    def test_that_is_replaced_counts_as_it_is_then(self, world):
        world.note(world.put("a"))
        world.close(manifest(world, "a", "b"))
        assert world.close(manifest(world, "a")).result == "started"

    def test_that_cannot_be_read_is_told_and_closes_nothing(self, world):
        world.note(world.put("a"))
        answer = world.close(world.put("manifest.json", b"{"))
        assert answer.result == "refused"
        assert "manifest.json is not JSON" in world.topic.messages[0][1]
        world.wait(3 * PATIENCE)
        assert world.runs == []
        assert world.close(manifest(world, "a")).result == "started"

    def test_that_is_gone_before_it_is_read(self, world):
        event = manifest(world, "a")
        world.storage.delete(DATA, "datasets/mnist/manifest.json")
        assert world.close(event) is None

    def test_does_not_miss_what_comes_while_it_is_read(self, world, monkeypatch):
        event = manifest(world, "a", "b")
        listed = world.storage.list_objects

        def while_listing(bucket, prefix):
            yield from list(listed(bucket, prefix))
            monkeypatch.setattr(world.storage, "list_objects", listed)
            world.note(world.put("a"), world.put("b"))

        monkeypatch.setattr(world.storage, "list_objects", while_listing)
        assert world.close(event).result == "started"

    def test_that_never_finds_a_quiet_moment_is_looked_at_again_soon(self, world, monkeypatch):
        event = manifest(world, "a", "z")
        listed = world.storage.list_objects

        def busy(bucket, prefix):
            yield from list(listed(bucket, prefix))
            world.note(world.put(f"other-{world.events}"))

        monkeypatch.setattr(world.storage, "list_objects", busy)
        assert world.close(event).result == "waiting"
        monkeypatch.setattr(world.storage, "list_objects", listed)
        world.put("a")
        world.put("z")
        world.wait(QUIET)
        assert len(world.runs) == 1


def test_a_crash_between_a_decision_and_the_batch_keeps_what_came_meanwhile(world, monkeypatch):
    world.note(world.put("a"))
    with monkeypatch.context() as broken:
        broken.setattr(world.ledger, "close_batch", fail)
        with pytest.raises(TransientAwsError):
            world.wait(QUIET)
    world.machine.end(world.runs[0], "SUCCEEDED")
    world.note(world.put("b"))
    world.wait(2 * QUIET)
    assert len(world.runs) == 2


def test_a_marker_ends_what_a_look_had_begun_and_a_crash_broke_off(world, monkeypatch):
    world.note(world.put("a"))
    with monkeypatch.context() as broken:
        broken.setattr(world.machine, "start", fail)
        with pytest.raises(TransientAwsError):
            world.wait(QUIET)
    assert results(world) == {"mnist/0": "starting"}
    assert world.close(world.put("_SUCCESS", b"")).result == "duplicate"
    world.wait(2 * QUIET)
    assert results(world)["mnist/0"] == "started"
    assert len(world.runs) == 1


def fail(*arguments: object) -> None:
    raise TransientAwsError("DynamoDB is busy.")


def test_a_dataset_under_a_name_that_cannot_be_one_is_told(world):
    world.note(world.put("rows.csv", dataset="My Data"))
    world.wait(QUIET)
    assert results(world) == {"My Data/0": "refused"}
    assert "lower-case" in world.topic.messages[0][1]
    assert world.runs == []
