"""`retrain triggers`, and what `retrain upload --watch` makes of a batch that starts nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.fakes import history, run_record, trigger_record

RUN = "mnist-0123456789ab-1"


def test_what_arrived_is_listed_newest_first_with_its_reason(retrain, stack):
    stack.ledger.records = [
        trigger_record("e1", "started", run_id=RUN, reason="New content."),
        trigger_record("e2", "refused", started_at="2026-08-01T12:05:00Z", reason="There is no holdout."),
        trigger_record("e3", "skipped", started_at="2026-08-01T12:09:00Z", dataset="other", run_id="other-1"),
    ]
    ended = retrain("triggers")
    assert ended.code == 0
    rows = [line.split() for line in ended.out.splitlines()]
    assert rows[0] == ["ARRIVED", "BY", "DATASET", "RESULT", "RUN", "WHY"]
    assert [row[4] for row in rows[1:]] == ["skipped", "refused", "started"]
    assert "There is no holdout." in ended.out
    ids = [record["trigger_id"] for record in retrain("triggers", "--dataset", "mnist", "--json").json]
    assert ids == ["s3#e2", "s3#e1"]
    assert len(retrain("triggers", "-n", "1", "--json").json) == 1


def test_nothing_has_arrived_yet(retrain, stack):
    ended = retrain("triggers")
    assert (ended.code, ended.out) == (0, "")
    assert "Nothing has arrived yet" in ended.err


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_text("1,2")
    return tmp_path / "data"


@pytest.fixture
def decided(bucket, stack, monkeypatch):
    """Let the batch that is closed next come to a decision."""
    from retrain.operations import upload

    close = upload.close_batch

    def decide(result: str, **fields: object) -> None:
        def closed(*arguments):
            stack.ledger.records.append(trigger_record("new", result, **fields))
            return close(*arguments)

        monkeypatch.setattr(upload, "close_batch", closed)

    stack.ledger.records.append(trigger_record("old", "refused"))
    return decide


def test_the_same_data_again_is_skipped_and_said_at_once(retrain, folder, decided):
    decided("skipped", run_id=RUN, reason=f"It has run already: {RUN}.")
    ended = retrain("upload", folder, "--dataset", "mnist", "--watch")
    assert ended.code == 0
    assert f"SKIPPED: It has run already: {RUN}." in ended.out


def test_a_skipped_batch_is_told_to_programs_too(retrain, folder, decided):
    decided("skipped", run_id=RUN)
    last = retrain("upload", folder, "--dataset", "mnist", "--watch", "--json").json_lines[-1]
    assert last == {"event": "skipped", "run_id": RUN, "reason": "Because."}


def test_the_same_data_while_it_is_running_is_watched(retrain, folder, decided, stack):
    stack.states.begin(RUN, history(("Prepare", "Task", {})))
    stack.ledger.records.append(run_record(RUN))
    decided("duplicate", run_id=RUN)
    ended = retrain("upload", folder, "--dataset", "mnist", "--watch")
    assert ended.code == 0
    assert f"run {RUN}" in ended.out


@pytest.mark.parametrize("result", ["refused", "empty"])
def test_what_cannot_be_trained_on_is_an_error(retrain, folder, decided, result):
    decided(result, reason="There is no holdout: upload it first.")
    ended = retrain("upload", folder, "--dataset", "mnist", "--watch")
    assert ended.code == 1
    assert "There is no holdout: upload it first." in ended.err
