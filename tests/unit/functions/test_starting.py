"""Start: whatever asks for a run, how often, and what comes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import guards, names, settings, triggers
from retraining.errors import ContendedError, TransientAwsError
from retraining.settings import Settings
from tests.unit.functions import stack
from tests.unit.functions.world import DATA, World


@pytest.fixture
def world(configured: Settings) -> World:
    found = World(configured)
    found.put("images")
    return found


def test_a_wish_starts_a_run_with_its_trigger_and_the_image_by_its_digest(world):
    answer = world.ask(world.wish("w1", kind="alarm"))
    assert answer.result == "started"
    request = world.machine.requests[answer.run_id]
    assert request["dataset"] == {"name": "mnist"}
    assert request["trigger"] == {"kind": "alarm", "id": "w1", "time": "2026-01-31T12:00:00+00:00"}
    assert request["training"]["image_uri"].startswith(f"{stack.IMAGE.rpartition(':')[0]}@sha256:")


def test_a_wish_that_is_delivered_again_is_answered_as_before(world):
    first = world.ask(world.wish())
    world.put("more")
    assert world.ask(world.wish()) == first
    assert len(world.runs) == 1


def test_two_deliveries_of_a_wish_at_a_time_agree(world, monkeypatch):
    listed = world.storage.list_objects

    def meanwhile(bucket, prefix):
        monkeypatch.setattr(world.storage, "list_objects", listed)
        assert world.ask(world.wish()).result == "started"
        return listed(bucket, prefix)

    monkeypatch.setattr(world.storage, "list_objects", meanwhile)
    answer = world.ask(world.wish())
    assert answer.result == world.ledger.triggers["event#w1"]["result"] == "started"
    assert len(world.runs) == 1


def test_what_was_about_to_be_started_is_started_and_nothing_else(world, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(world.machine, "start", fail)
        with pytest.raises(TransientAwsError):
            world.ask(world.wish())
    intended = world.ledger.triggers["event#w1"]["run_id"]
    world.put("more")
    assert world.ask(world.wish()).run_id == intended
    assert world.runs == [intended]


def test_the_same_content_is_asked_for_by_others_while_it_runs_and_after(world):
    first = world.ask(world.wish("w1"))
    second = world.ask(world.wish("w2"))
    assert (second.result, second.run_id) == ("duplicate", first.run_id)
    world.machine.end(first.run_id, "SUCCEEDED")
    third = world.ask(world.wish("w3"))
    assert (third.result, third.run_id) == ("skipped", first.run_id)
    assert first.run_id in third.reason
    assert len(world.runs) == 1


@pytest.mark.parametrize("change", ["data", "holdout", "image", "hyperparameters"])
def test_whatever_decides_how_a_run_ends_makes_another_run(world, change):
    first = world.ask(world.wish("w1"))
    world.machine.end(first.run_id, "SUCCEEDED")
    request = {}
    if change == "data":
        world.put("images", b"others")
    elif change == "holdout":
        world.storage.put(DATA, "holdout/mnist/labels.csv", b"id,label\n0,2\n")
    elif change == "image":
        world.registry.pushes["retrain-training:1.0"] = 1
    else:
        request = {"training": {"hyperparameters": {"epochs": 4}}}
    second = world.ask(world.wish("w2", **request))
    assert second.result == "started"
    assert second.run_id != first.run_id


def test_a_trigger_in_the_request_is_not_believed(world):
    forged = world.wish("w1", trigger={"kind": "manual", "id": "somebody else"})
    assert world.machine.requests[world.ask(forged).run_id]["trigger"]["id"] == "w1"


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_what_failed_is_tried_again_by_a_later_wish_only(world, status):
    early, late = world.wish("w1"), world.wish("w2")
    first = world.ask(early)
    world.clock.pass_by(60)
    world.machine.end(first.run_id, status, world.clock())
    assert world.ask(late).result == "skipped", "a wish from before the failure is no new one"
    world.clock.pass_by(1)
    second = world.ask(world.wish("w3"))
    assert second.result == "started"
    assert second.run_id == first.run_id.removesuffix("-1") + "-2"


def test_a_run_that_found_other_data_has_not_run_the_content_that_it_was_started_for(world):
    first = world.ask(world.wish("w1"))
    world.machine.end(first.run_id, "SUCCEEDED")
    world.ledger.put_run({"run_id": first.run_id, "outcome": "DEPLOYED", "retrain_key": "another"})
    assert world.ask(world.wish("w2")).result == "started"


def test_a_run_that_was_skipped_has_run_nothing(world):
    first = world.ask(world.wish("w1"))
    key = next(iter(world.ledger.keys))
    world.machine.end(first.run_id, "SUCCEEDED")
    world.ledger.put_run({"run_id": first.run_id, "outcome": "SKIPPED", "retrain_key": key})
    assert world.ask(world.wish("w2")).result == "started"


@pytest.mark.parametrize("outcome", ["DEPLOYED", "REJECTED"])
def test_a_verdict_stands(world, outcome):
    first = world.ask(world.wish("w1"))
    key = next(iter(world.ledger.keys))
    world.ledger.put_run({"run_id": first.run_id, "outcome": outcome, "retrain_key": key})
    del world.machine.states[first.run_id]  # Step Functions has forgotten it
    assert world.ask(world.wish("w2")).result == "skipped"


class TestForce:
    def test_runs_the_same_content_once_more_for_each_wish(self, world):
        world.limit(max_concurrent_runs=5)
        first = world.ask(world.wish("w1"))
        second = world.ask(world.wish("w2", force=True))
        assert world.ask(world.wish("w2", force=True)) == second
        third = world.ask(world.wish("w3", force=True))
        assert len({first.run_id, second.run_id, third.run_id}) == len(world.runs) == 3

    def test_starts_one_run_however_often_its_delivery_breaks_off(self, world, monkeypatch):
        world.ask(world.wish("w1"))
        world.limit(max_concurrent_runs=5)
        with monkeypatch.context() as broken:
            broken.setattr(world.ledger, "put_trigger", fail)
            with pytest.raises(TransientAwsError):
                world.ask(world.wish("w2", force=True))
        world.put("images", b"changed meanwhile")
        assert world.ask(world.wish("w2", force=True)).result == "started"
        assert len(world.runs) == 2


def fail(*arguments: object) -> None:
    raise TransientAwsError("DynamoDB is busy.")


def test_a_run_that_cannot_be_seen_yet_is_no_answer(world, monkeypatch):
    monkeypatch.setattr(world.machine, "start", lambda *_: False)
    monkeypatch.setattr(world.machine, "describe", lambda *_: None)
    with pytest.raises(ContendedError, match="asking again settles it"):
        world.ask(world.wish())


class TestRefusals:
    def test_a_thousand_wrong_fields_fit_into_one_message(self, world):
        answer = world.ask(world.wish(**{f"field{number}{'x' * 300}": 1 for number in range(1_000)}))
        assert answer.result == "refused"
        assert len(answer.reason) < 20_000
        assert "And 98" in answer.reason

    @pytest.mark.parametrize(
        ("request_", "said"),
        [
            ({"dataset": {"name": "mnist"}, "datset": 1}, "datset is unknown here"),
            ({"dataset": "mnist"}, "dataset is 'mnist'; it must be a JSON object"),
            (
                {"dataset": {"name": "mnist", "s3_uri": "s3://elsewhere/mnist/"}},
                "must be a folder under s3://",
            ),
            (
                {"dataset": {"name": "mnist"}, "training": {"image_uri": "evil.example.com/image:1"}},
                "AllowedImageRepositories",
            ),
            (
                {"dataset": {"name": "mnist"}, "training": {"hyperparameters": {"text": "x" * 3_000}}},
                "has 3000 characters; at most 2500",
            ),
            ({"dataset": {"name": "My Data"}}, "lower-case"),
            ({}, "dataset is missing"),
        ],
    )
    def test_say_what_is_wrong_and_start_nothing(self, world, request_, said):
        asked = world.wish()
        answer = world.ask(type(asked)(request_, asked.kind, asked.id, asked.time))
        assert (answer.result, answer.run_id) == ("refused", "")
        assert said in answer.reason
        assert world.runs == []
        (_, body, attributes) = world.topic.messages[0]
        assert said in body
        assert attributes["outcome"] == "REFUSED"

    def test_are_told_once(self, world):
        for _ in range(3):
            world.ask(world.wish("w1", unknown=1))
        assert len(world.topic.messages) == 1

    def test_are_told_by_the_next_delivery_if_the_first_one_was_cut_off(self, world, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr(world.topic, "publish", fail)
            with pytest.raises(TransientAwsError):
                world.ask(world.wish("w1", unknown=1))
        with pytest.raises(ContendedError):
            world.ask(world.wish("w1", unknown=1))
        world.clock.pass_by(11)
        assert world.ask(world.wish("w1", unknown=1)).result == "refused"
        assert world.ask(world.wish("w1", unknown=1)).result == "refused"
        assert len(world.topic.messages) == 1

    def test_an_image_that_is_not_there(self, world):
        world.registry.missing.add("retrain-training:1.0")
        answer = world.ask(world.wish())
        assert answer.result == "refused"
        assert "There is no image" in answer.reason

    def test_a_missing_holdout(self, world):
        world.put("rows.csv", dataset="fresh")
        answer = world.ask(world.wish("w1", dataset={"name": "fresh"}))
        assert answer.result == "refused"
        assert "holdout/fresh/labels.csv: upload" in answer.reason

    def test_a_dataset_without_files_is_told(self, world):
        answer = world.ask(world.wish("w1", dataset={"name": "nothing"}))
        assert answer.result == "empty"
        assert "upload the dataset first" in world.topic.messages[0][1]

    def test_what_cannot_be_found_out_decides_nothing(self, world, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr(world.registry, "digest", lambda *_, **__: fail())
            with pytest.raises(TransientAwsError):
                world.ask(world.wish())
        assert world.ledger.triggers == {}
        assert world.ask(world.wish()).result == "started"


class TestGuards:
    def test_a_run_waits_while_another_one_of_its_dataset_is_under_way(self, world):
        first = world.ask(world.wish("w1"))
        world.put("more")
        second = world.ask(world.wish("w2"))
        assert (second.result, second.run_id) == ("waiting", "")
        assert first.run_id in second.reason
        assert world.topic.messages == [], "it may be a matter of seconds"
        world.wait(60)
        assert len(world.runs) == 1
        assert [attributes["outcome"] for *_, attributes in world.topic.messages] == ["WAITING"]
        world.machine.end(first.run_id, "SUCCEEDED", world.clock())
        world.wait(120)
        assert len(world.runs) == 2
        assert world.delays.messages == []
        assert world.ledger.triggers["event#w2"]["result"] == "started"
        assert len(world.topic.messages) == 1, "waiting is told once"

    def test_a_second_delivery_that_finds_no_room_does_not_take_back_what_was_started(
        self, world, monkeypatch
    ):
        first = world.ask(world.wish("w1"))
        world.put("more")
        assert world.ask(world.wish("w2")).result == "waiting"
        sent, entered = len(world.delays.messages), guards.enter

        def meanwhile(*arguments):
            found = entered(*arguments)
            monkeypatch.setattr(guards, "enter", entered)
            world.machine.end(first.run_id, "SUCCEEDED", world.clock())
            assert world.ask(world.wish("w2")).result == "started"
            return found

        monkeypatch.setattr(guards, "enter", meanwhile)
        assert world.ask(world.wish("w2")).result == "started"
        assert world.ledger.triggers["event#w2"]["result"] == "started"
        assert (len(world.runs), len(world.delays.messages)) == (2, sent)

    def test_who_asks_again_anyway_is_not_put_into_the_queue(self, world):
        world.ask(world.wish("w1"))
        world.put("more")
        asked = world.wish("w2", kind="codepipeline")
        object.__setattr__(asked, "asks_again", True)
        assert world.ask(asked).result == "waiting"
        assert world.delays.messages == []

    def test_other_datasets_do_not_wait(self, world):
        world.ask(world.wish("w1"))
        world.put("rows", dataset="other")
        world.storage.put(DATA, "holdout/other/labels.csv", b"id,label\n")
        assert world.ask(world.wish("w2", dataset={"name": "other"})).result == "started"

    def test_what_waits_trains_on_what_is_there_when_it_is_its_turn(self, world):
        first = world.ask(world.wish("w1"))
        for number in range(3):
            world.put(f"more-{number}")
            world.ask(world.wish(f"late-{number}"))
        world.machine.end(first.run_id, "SUCCEEDED", world.clock())
        world.wait(600)
        assert len(world.runs) == 2
        results = sorted(world.ledger.triggers[f"event#late-{number}"]["result"] for number in range(3))
        assert results == ["duplicate", "duplicate", "started"]

    def test_a_day_has_so_many_runs_and_then_refuses(self, world):
        world.limit(max_runs_per_day=2, max_concurrent_runs=9)
        for number in range(3):
            world.put("images", bytes([number]))
            answer = world.ask(world.wish(f"w{number}"))
        assert answer.result == "refused"
        assert "MaxRunsPerDay allows 2 runs" in answer.reason
        assert world.topic.messages[-1][2]["outcome"] == "REFUSED"
        world.clock.pass_by(24 * 3600)
        assert world.ask(world.wish("tomorrow")).result == "started"

    def test_a_run_that_never_began_holds_no_slot(self, world):
        world.ledger.take_slot("mnist", "mnist-0123456789ab-1", 1)
        assert world.ask(world.wish()).result == "started"


class TestVersionOrder:
    def test_grows_with_each_new_version_also_with_one_that_comes_back(self, world):
        orders = []
        for content in (b"1", b"2", b"2", b"1"):
            world.clock.pass_by(1)
            world.put("images", content)
            world.ask(world.wish(f"w{len(orders)}"))
            orders.append(world.ledger.versions["mnist"][2])
        assert orders == [1, 2, 2, 3]

    def test_an_old_listing_that_is_late_is_older(self):
        ledger = World(settings.from_environment(stack.environment("StartRetrainingFunction"))).ledger
        assert ledger.observe_version("mnist", "new", "2026-01-31T12:00:05Z") == 1
        assert ledger.observe_version("mnist", "old", "2026-01-31T12:00:00Z") == 0


@given(st.text(max_size=3000), st.sampled_from(["s3", "event"]))
def test_every_id_of_a_trigger_has_a_record_of_its_own(identity, kind):
    found = triggers.trigger_id(kind, identity)
    assert len(found) < 400
    assert triggers.trigger_id(kind, identity + "x") != found


@given(st.text(min_size=1), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_forced_runs_have_names_that_step_functions_takes(identity, key):
    name = names.forced_execution_name("d" * names.DATASET_NAME_LIMIT, key, identity)
    assert len(name) <= 80
    assert names.is_name(name, 80)
