"""Every run leaves a card, and people find it: by the link that they are sent, and by the command."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.request import urlopen

import pytest

from retrain import cli
from retrain.localcloud import process
from tests.integration.outcomes.conftest import People, Told, dataset_files, holdout_files

DATASET = "carded"


@pytest.fixture(scope="module")
def runs(people: People) -> dict[str, Told]:
    """A run that deploys, and one that fails."""
    people.put_holdout(DATASET, holdout_files())
    good = people.upload(DATASET, dataset_files())
    assert good.attributes["outcome"] == "DEPLOYED", good.body
    bad = people.upload(DATASET, {**dataset_files(200), "train-labels-idx1-ubyte": b""})
    assert bad.attributes["outcome"] == "FAILED", bad.body
    return {"DEPLOYED": good, "FAILED": bad}


def linked(told: Told) -> str:
    """Follow the link of a notification."""
    link = re.search(r"^  run card   (http\S+)$", told.body, re.MULTILINE)
    assert link, told.body
    with urlopen(link[1]) as answer:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        return str(answer.read().decode())


@pytest.mark.parametrize("outcome", ["DEPLOYED", "FAILED"])
def test_the_link_in_a_notification_leads_to_the_card(runs: dict[str, Told], outcome: str) -> None:
    told = runs[outcome]
    html = linked(told)
    assert f"<title>{outcome}: {DATASET}, run {told.run['run_id']}</title>" in html
    assert 'class="missing"' not in html
    assert f"Report{outcome.title()}" in html


def test_a_card_shows_what_the_run_went_through(runs: dict[str, Told]) -> None:
    html = linked(runs["DEPLOYED"])
    for part in ("CreateEndpoint", "train_loss", "holdout_accuracy", "Confusions", "not taken"):
        assert part in html
    assert "EvaluateChallenger" not in html  # functions' names and data of the states stay in the history
    failed = linked(runs["FAILED"])
    assert "States.TaskFailed" in failed
    assert "train-labels-idx1-ubyte is empty" in failed


def test_the_command_saves_a_card_and_writes_one_anew(
    runs: dict[str, Told],
    people: People,
    local_cloud: process.LocalCloud,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {**process.environment(local_cloud), "RETRAIN_STACK_NAME": "people"}.items():
        monkeypatch.setenv(name, value)
    run_id, file = str(runs["DEPLOYED"].run["run_id"]), tmp_path / "card.html"

    def saved(*more: str) -> list[str]:
        """Save the card, and give the states that it draws."""
        code = cli.run(["report", run_id, "--save", str(file), *more])
        assert code == 0, capsys.readouterr()
        return re.findall(r'</i><b>([^<]*)</b><span class="kind">', file.read_text())

    assert saved()[-1] == "ReportDeployed"  # as it was when the state machine had the card written
    assert saved("--anew")[-3:] == ["ReportDeployed", "NotifyDeployed", "Deployed"]
    bucket, key = people.outputs["ArtifactsBucketName"], f"runs/{run_id}/report.html"
    people.aws("s3").delete_object(Bucket=bucket, Key=key)
    assert saved()
    assert people.aws("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 10_000
