"""Telling how a run ended: each channel once, whatever fails in between."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import announcements, run_metrics, telling
from retraining.errors import AccessRefusedError, AwsError, TransientAwsError
from retraining.telling import Found, Told
from tests.unit.functions.fakes import FakeChannels, FakeLedger
from tests.unit.functions.states import EXECUTION, RUN_ID, evaluated_state, prepared_state

LATER = "2026-01-31T12:10:00.000Z"
URI = f"s3://artifacts/runs/{RUN_ID}/run.json"
ALL = (telling.COUNTED, telling.ANNOUNCED, telling.PUBLISHED)
RECORD: dict[str, Any] = {
    "run_id": RUN_ID,
    "execution_arn": EXECUTION.arn,
    "outcome": "REJECTED",
    "reason": "Too bad.",
    "dataset": "mnist",
    "started_at": "2026-01-31T12:00:00.000Z",
    "finished_at": LATER,
    "cost_estimate": {"usd": 0.25, "billable_seconds": 90},
    "decision": {"checks": [{"name": "value_threshold", "passed": False, "sentence": "Too low."}]},
}


@pytest.fixture
def told() -> FakeChannels:
    return FakeChannels()


def tell(told: FakeChannels, *, written: bool = True, **changes: Any) -> Told:
    return telling.tell(Found({**RECORD, **changes}, written), URI, (), told.channels)


def failing(error: AwsError) -> Callable[..., None]:
    def fail(*arguments: object) -> None:
        raise error

    return fail


def counts(told: FakeChannels) -> tuple[int, int, int]:
    return len(told.counted), len(told.bus.events), len(told.topic.messages)


def test_everybody_is_told_once(told):
    assert tell(told).done == ALL
    again = tell(told)
    assert (again.done, again.subject) == ((), "Retrain mnist: the challenger was rejected")
    assert counts(told) == (1, 1, 1)


@pytest.mark.parametrize("silent", ["bus", "topic"])
def test_one_that_cannot_be_told_is_told_later_and_the_others_are_not_told_again(told, silent, monkeypatch):
    method = {"bus": "put", "topic": "publish"}[silent]
    with monkeypatch.context() as broken:
        broken.setattr(getattr(told, silent), method, failing(AccessRefusedError("No.")))
        for _ in range(3):
            with pytest.raises(AccessRefusedError):
                tell(told)
        assert sum(counts(told)) == 2
    (mark,) = tell(told).done
    assert mark == {"bus": telling.ANNOUNCED, "topic": telling.PUBLISHED}[silent]
    assert counts(told) == (1, 1, 1)


def test_an_error_that_trying_again_may_mend_is_the_one_that_is_raised(told, monkeypatch):
    monkeypatch.setattr(told.bus, "put", failing(AccessRefusedError("No.")))
    monkeypatch.setattr(told.topic, "publish", failing(TransientAwsError("Not now.")))
    with pytest.raises(TransientAwsError):
        tell(told)


@pytest.mark.parametrize(("method", "said"), [("get", "told already"), ("put", "could not be marked")])
def test_without_the_ledger_everybody_is_told_all_the_same(told, method, said, monkeypatch):
    monkeypatch.setattr(told.marks, method, failing(TransientAwsError("The ledger is busy.")))
    found = tell(told)
    assert counts(told) == (1, 1, 1)
    assert all(said in trouble for trouble in found.troubles)
    assert found.troubles


def test_a_redriven_run_ends_and_is_told_again(told):
    tell(told)
    assert tell(told, outcome="DEPLOYED", finished_at="2026-01-31T15:00:00.000Z").done == ALL
    assert counts(told) == (2, 2, 2)


def test_a_run_without_a_record_is_told_once_though_its_time_is_told_differently(told):
    tell(told, written=False)
    assert tell(told, written=False, finished_at="2026-01-31T12:11:00.000Z").done == ()
    assert "could not be written to the ledger" in told.topic.messages[0][1]


class TestFinding:
    def find(self, ledger: FakeLedger, state: dict[str, Any], outcome: str = "FAILED") -> Found:
        return telling.find(state, EXECUTION, outcome, LATER, ledger, "retrain")

    def test_the_ledger_has_the_whole_record(self):
        ledger = FakeLedger()
        ledger.put_run(RECORD)
        state = {"record": {"run": {"run_id": "other"}}, "cleanup": {"removed": {"runs": 1}, "warnings": []}}
        found = self.find(ledger, state)
        assert found == Found({**RECORD, "cleanup": state["cleanup"]}, written=True)

    def test_a_ledger_that_cannot_be_read_is_replaced_by_what_record_has_returned(self, monkeypatch):
        ledger = FakeLedger()
        monkeypatch.setattr(ledger, "get_run", failing(TransientAwsError("Busy.")))
        assert self.find(ledger, {"record": {"run": RECORD}}) == Found(RECORD, written=True)
        with pytest.raises(TransientAwsError):
            self.find(ledger, {})

    def test_a_run_that_could_not_be_recorded_is_made_of_its_state(self):
        found = self.find(FakeLedger(), evaluated_state("reject"), "REJECTED")
        assert not found.written
        assert (found.record["outcome"], found.record["dataset"]) == ("REJECTED", "mnist")

    def test_without_its_state_of_what_prepare_has_written(self):
        ledger = FakeLedger()
        ledger.put_run({**RECORD, "outcome": "RUNNING", "file_count": 2, "finished_at": None, "reason": None})
        found = self.find(ledger, {}, "REJECTED")
        assert not found.written
        assert (found.record["dataset"], found.record["file_count"]) == ("mnist", 2)
        assert (found.record["outcome"], found.record["finished_at"]) == ("REJECTED", LATER)

    def test_and_without_anything_of_its_name(self):
        found = self.find(FakeLedger(), {})
        assert (found.record["run_id"], found.record["dataset"]) == (RUN_ID, None)


class TestEvents:
    def test_the_record_is_whole(self):
        (found,) = self.put(RECORD)
        assert found == ("Retrain Finished", {**RECORD, "record_s3_uri": URI, "left_out": []})

    @given(st.integers(0, 300_000), st.integers(0, 100), st.sampled_from(["a", "ä", "\U0001f642", '"', "\n"]))
    def test_it_fits_on_the_bus_however_long_the_record_is(self, cause, parameters, letter):
        long = {
            **RECORD,
            "error": {"name": "E", "cause": letter * cause},
            "hyperparameters": {f"p{number}": letter * 2_500 for number in range(parameters)},
        }
        text = announcements.detail(long, URI)
        assert len(text.encode()) <= announcements.DETAIL_LIMIT
        assert '"outcome": "REJECTED"' in text

    def test_it_says_what_is_left_out(self):
        (found,) = self.put({**RECORD, "hyperparameters": {"prompt": "x" * 300_000}})
        assert (found[1]["hyperparameters"], found[1]["left_out"]) == (None, ["hyperparameters"])
        assert found[1]["decision"] == RECORD["decision"]

    def put(self, record: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        told = FakeChannels()
        telling.tell(Found(record, written=True), URI, (), told.channels)
        return told.bus.events


class TestFigures:
    def test_what_a_run_counts_for(self):
        figures = run_metrics.of_run(RECORD)
        assert [(figure.name, figure.value, dict(figure.dimensions)) for figure in figures] == [
            ("Runs", 1, {"outcome": "REJECTED"}),
            ("RunSeconds", 600, {}),
            ("TrainingCostUsd", 0.25, {}),
            ("GateChecks", 1, {"check": "value_threshold", "result": "failed"}),
        ]

    @pytest.mark.parametrize(
        "state", [{}, {"error": {"Error": "RequestError", "Cause": ""}}, prepared_state()]
    )
    def test_a_run_of_which_little_is_known_counts_too(self, state):
        found = telling.find(state, EXECUTION, "FAILED", LATER, FakeLedger(), "retrain").record
        names = [figure.name for figure in run_metrics.of_run(found)]
        assert names == ["Runs", "RunSeconds"]
