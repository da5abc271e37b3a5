"""The ledger's conditional writes: DynamoDB's, and the fake's that stands in for them, do the same."""

import pytest

from retraining.aws.ledger import DynamoLedger
from retraining.ports import Ledger
from tests.unit.functions import stack
from tests.unit.functions.fakes import FakeLedger

T1, T2, T3 = (f"2026-01-31T12:00:0{second}.000Z" for second in (1, 2, 3))


@pytest.fixture(params=["fake", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "fake":
        return FakeLedger()
    request.getfixturevalue("aws")
    return DynamoLedger(stack.NAMES["LedgerTable"])


def trigger(result: str, **fields: object) -> dict[str, object]:
    return {"kind": "trigger", "trigger_id": "s3#e1", "started_at": T1, "result": result, **fields}


def test_a_trigger_is_announced_once(ledger):
    assert ledger.get_trigger("s3#e1") is None
    ledger.announce(trigger("waiting", reason="first"))
    ledger.announce(trigger("waiting", reason="second"))
    assert ledger.get_trigger("s3#e1")["reason"] == "first"


def test_an_intention_replaces_only_a_trigger_that_waits(ledger):
    ledger.announce(trigger("waiting"))
    assert ledger.intend(trigger("starting", run_id="r1"))["run_id"] == "r1"
    assert ledger.intend(trigger("starting", run_id="r2"))["run_id"] == "r1"
    ledger.put_trigger(trigger("started", run_id="r1"))
    assert ledger.intend(trigger("starting", run_id="r2"))["result"] == "started"


def test_only_a_trigger_that_waits_is_withdrawn(ledger):
    ledger.withdraw("s3#e1")
    ledger.announce(trigger("waiting"))
    ledger.withdraw("s3#e1")
    assert ledger.get_trigger("s3#e1") is None
    ledger.put_trigger(trigger("started"))
    ledger.withdraw("s3#e1")
    assert ledger.get_trigger("s3#e1") is not None


@pytest.mark.parametrize("identity", ["ü" * 2_000, "a b+c%2B/😀"])
def test_any_trigger_has_a_place(ledger, identity):
    ledger.put_trigger(trigger("started") | {"trigger_id": identity})
    assert ledger.get_trigger(identity)["trigger_id"] == identity
    assert ledger.get_trigger(f"{identity}x") is None


def test_a_key_is_claimed_by_one(ledger):
    assert ledger.get_key("k") is None
    assert not ledger.claim_key("k", "r2", 2, "r1")
    assert ledger.claim_key("k", "r1", 1, None)
    assert ledger.claim_key("k", "r1", 1, None), "claiming again is harmless"
    assert not ledger.claim_key("k", "r2", 1, None)
    assert not ledger.claim_key("k", "r3", 2, "r2")
    assert ledger.claim_key("k", "r2", 2, "r1")
    assert ledger.get_key("k") == {"run_id": "r2", "attempt": 2}


def test_versions_are_ordered_as_they_are_seen(ledger):
    seen = [("a", T1), ("a", T2), ("b", T2), ("a", T3)]
    assert [ledger.observe_version("mnist", *version) for version in seen] == [1, 1, 2, 3]
    assert ledger.observe_version("mnist", "b", T1) == 2, "listed before what is known"
    assert ledger.observe_version("other", "b", T1) == 1


def test_places_of_a_day_are_limited(ledger):
    assert ledger.take_day("mnist", "2026-01-31", "r1", 2)
    assert ledger.take_day("mnist", "2026-01-31", "r2", 2)
    assert ledger.take_day("mnist", "2026-01-31", "r1", 2)
    assert not ledger.take_day("mnist", "2026-01-31", "r3", 2)
    assert ledger.take_day("mnist", "2026-02-01", "r3", 2)


def test_slots_are_limited_and_can_be_freed(ledger):
    assert ledger.take_slot("mnist", "r1", 1) is None
    assert ledger.take_slot("mnist", "r1", 1) is None
    assert ledger.take_slot("mnist", "r2", 1) == {"r1"}
    ledger.free_slots("mnist", ["r1", "r9"])
    assert ledger.take_slot("mnist", "r2", 1) is None


def test_an_endpoint_is_claimed_by_one_at_a_time(ledger):
    assert ledger.get_claim("e") is None
    first, second = {"order": 1, "run_id": "r1", "turn": 1}, {"order": 2, "run_id": "r2", "turn": 2}
    assert ledger.claim_endpoint("e", first, None)
    assert not ledger.claim_endpoint("e", first, None), "somebody was first"
    assert ledger.get_claim("e") == first
    assert ledger.claim_endpoint("e", second, first)
    assert not ledger.claim_endpoint("e", {**second, "run_id": "r3"}, first)
    assert ledger.get_claim("e") == second


def test_a_champion_gives_way_to_a_later_one_only(ledger):
    champion = {"endpoint_name": "e", "run_id": "r1", "deployed_at": T2}
    assert ledger.put_champion(champion)
    assert not ledger.put_champion({**champion, "run_id": "r0", "deployed_at": T1})
    assert ledger.put_champion(champion), "writing it again is harmless"
    assert ledger.put_champion({**champion, "run_id": "r2", "deployed_at": T3})
    found = ledger.get_champion("e")
    assert found is not None
    assert found["run_id"] == "r2"


def test_only_what_is_there_can_be_kept_for_a_rollback(ledger):
    assert not ledger.pin_run("r1", "r9")
    ledger.put_run({"run_id": "r1", "outcome": "DEPLOYED"})
    assert ledger.pin_run("r1", "r9")
    found = ledger.get_run("r1")
    assert found is not None
    assert found["pinned_by"] == "r9"
    ledger.put_run({"run_id": "r1", "outcome": "DEPLOYED", "removing_at": T1})
    assert not ledger.pin_run("r1", "r9")


class TestBatches:
    def test_count_their_changes(self, ledger):
        assert ledger.get_batch("mnist") is None
        assert ledger.begin_check("mnist") is None
        first = ledger.note_changes("mnist", 3, T2, T1)
        assert (first.changes, first.seen, first.changed_at, first.event_time) == (3, 0, T2, T1)
        second = ledger.note_changes("mnist", 2, T3, T1)
        assert second.is_open
        assert ledger.get_batch("mnist") == second

    def test_remember_the_latest_time_of_an_event(self, ledger):
        ledger.note_changes("mnist", 1, T2, T2)
        assert ledger.note_changes("mnist", 1, T3, T1).event_time == T2
        assert ledger.note_changes("mnist", 1, T3, T3).event_time == T3

    def test_close_with_what_was_seen_and_never_open_again_by_an_older_closing(self, ledger):
        ledger.note_changes("mnist", 5, T1, T1)
        ledger.close_batch("mnist", 3)
        assert ledger.get_batch("mnist").is_open
        ledger.close_batch("mnist", 5)
        ledger.close_batch("mnist", 4)
        assert not ledger.get_batch("mnist").is_open

    def test_know_whether_a_look_is_on_its_way(self, ledger):
        ledger.note_changes("mnist", 1, T1, T1)
        ledger.expect_check("mnist", T2)
        assert ledger.get_batch("mnist").check_due_at == T2
        assert ledger.begin_check("mnist").check_due_at == ""
        assert ledger.get_batch("mnist").check_due_at == ""

    def test_strike_missing_files_off(self, ledger):
        ledger.note_changes("mnist", 1, T1, T1)
        assert ledger.keep_manifest("mnist", {"event_id": "m1"}, ["a", "b"], 1)
        assert ledger.note_changes("mnist", 1, T1, T1, ["b", "x"]).missing == {"a"}
        assert ledger.note_changes("mnist", 1, T1, T1, ["a"]).missing == frozenset()
        assert ledger.get_batch("mnist").manifest == {"event_id": "m1"}

    def test_do_not_keep_what_is_missing_if_something_has_come_meanwhile(self, ledger):
        ledger.note_changes("mnist", 2, T1, T1)
        assert not ledger.keep_manifest("mnist", {"event_id": "m1"}, ["a"], 1)
        assert ledger.get_batch("mnist").manifest is None
        assert ledger.keep_manifest("mnist", {"event_id": "m1"}, ["a"], None)
        assert ledger.get_batch("mnist").missing == {"a"}

    def test_may_wait_for_files_before_anything_came(self, ledger):
        assert ledger.keep_manifest("mnist", {"event_id": "m1"}, ["a"], 0)
        assert ledger.get_batch("mnist").missing == {"a"}

    def test_forget_a_manifest_only_if_it_is_the_one(self, ledger):
        ledger.keep_manifest("mnist", {"event_id": "m2"}, ["a"], None)
        ledger.forget_manifest("mnist", "m1")
        assert ledger.get_batch("mnist").manifest == {"event_id": "m2"}
        ledger.forget_manifest("mnist", "m2")
        assert ledger.get_batch("mnist").manifest is None
        ledger.keep_manifest("mnist", {"event_id": "m3"}, [], None)
        ledger.forget_manifest("mnist")
        assert ledger.get_batch("mnist").manifest is None
