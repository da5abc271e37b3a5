"""Going back is as careful as going live: what served before answers again, nothing from before returns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.rollbacks.conftest import Team


def test_back_and_back_again_by_the_answers(
    team: Team, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = {mark: team.run(mark) for mark in "abc"}
    assert [run["outcome"] for run in runs.values()] == ["DEPLOYED"] * 3
    assert team.answer() == "c"
    late = team.begin("d", waits_for=tmp_path / "go")

    assert team.retrain("rollback", "--dataset", team.dataset) == 0
    assert f"The model of the run {runs['b']['run_id']} serves again" in capsys.readouterr().out
    assert team.answer() == "b"
    assert team.people.serving(team.endpoint) == runs["b"]["endpoint_config_name"]

    assert team.retrain("rollback", "--dataset", team.dataset, "--json") == 0
    ended = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert ended["record"]["rollback"]["from_run_id"] == runs["b"]["run_id"]
    assert ended["record"]["deployment"]["guarded_by_alarms"] is True
    assert ended["record"]["serving"]["run_id"] == runs["a"]["run_id"]
    assert team.answer() == "a"

    assert team.retrain("rollback", "--dataset", team.dataset) == 1
    assert "There is nothing to go back to" in capsys.readouterr().err
    # Whoever starts the state machine by hand is told so, too.
    record = team.end(team.people.start({"dataset": {"name": team.dataset}, "rollback": {"to": None}}))
    assert record["outcome"] == "FAILED"
    assert "There is nothing to go back to" in record["reason"]
    assert team.answer() == "a"

    # What began before the rollbacks does not undo them.
    (tmp_path / "go").touch()
    record = team.end(late)
    assert record["outcome"] == "SKIPPED"
    assert "was to go back to an earlier model" in record["reason"]
    assert team.answer() == "a"

    # A named run need not be one that served before this one.
    assert team.retrain("rollback", "--dataset", team.dataset, "--to", runs["c"]["run_id"]) == 0
    assert team.answer() == "c"


def test_of_two_runs_that_finish_in_the_wrong_order_the_newer_stays(team: Team, tmp_path: Path) -> None:
    older = team.begin("old", waits_for=tmp_path / "go")
    team.people.wait_until(lambda: _trains(team, older), seconds=30, what="the older run's training")
    assert team.run("new")["outcome"] == "DEPLOYED"
    (tmp_path / "go").touch()
    record = team.end(older)
    assert record["outcome"] == "SKIPPED"
    assert "is of a newer version of the dataset" in record["reason"]
    assert team.answer() == "new"


def _trains(team: Team, execution: str) -> bool:
    """Whether a run's training job has fetched its data, so that the next version does not change them."""
    name = execution.rpartition(":")[2]
    listed = team.people.aws("sagemaker").list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    jobs = [job["TrainingJobName"] for job in listed]
    return any(
        team.people.aws("sagemaker").describe_training_job(TrainingJobName=job)["SecondaryStatus"]
        == "Training"
        for job in jobs
    )
