"""`retrain program` and `retrain start`: a dataset's own program, and a run without an upload."""

import io
import json
import tarfile

import pytest

from tests.unit.cli.fakes import OUTPUTS

ARTIFACTS = OUTPUTS["ArtifactsBucketName"]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "wines"
    (folder / "parts").mkdir(parents=True)
    (folder / "train.py").write_text("import parts.model")
    (folder / "parts" / "model.py").write_text("")
    return folder


@pytest.fixture
def s3(stack):
    client = stack.client("s3")
    client.create_bucket(Bucket=ARTIFACTS)
    return client


def test_a_program_is_uploaded_and_written_down(retrain, stack, s3, folder):
    given = ["--hyperparameter", "c=0.5", "--instance-count", 2]
    training = retrain("program", "set", "wines", folder, *given, "--json").json["training"]
    (record,) = stack.ledger.records
    assert (record["pk"], record["sk"], record["training"]) == ("PROGRAM#wines", "PROGRAM", training)
    source = training.pop("source_s3_uri")
    assert training == {"entry_point": "train.py", "hyperparameters": {"c": "0.5"}, "instance_count": 2}
    key = source.removeprefix(f"s3://{ARTIFACTS}/")
    assert key.startswith("sources/wines/")
    with tarfile.open(fileobj=io.BytesIO(s3.get_object(Bucket=ARTIFACTS, Key=key)["Body"].read())) as archive:
        assert sorted(archive.getnames()) == ["parts/model.py", "train.py"]

    shown = retrain("program", "show", "wines")
    assert f"source_s3_uri\t{source}" in shown.out
    assert "hyperparameters\tc=0.5" in shown.out
    assert retrain("program", "show", "wines", "--json").json["training"]["instance_count"] == 2


def test_a_changed_program_is_another_one_and_the_same_is_not(retrain, stack, s3, folder):
    def source():
        return retrain("program", "set", "wines", folder, "--json").json["training"]["source_s3_uri"]

    first = source()
    assert source() == first
    (folder / "parts" / "model.py").write_text("depth = 3")
    assert source() != first, "models of the first one are served by it"


def test_the_stacks_program_comes_back(retrain, stack, s3, folder):
    retrain("program", "set", "wines", folder)
    assert "by the stack's parameters" in retrain("program", "remove", "wines").out
    assert stack.ledger.records == []
    assert retrain("program", "show", "wines", "--json").json == {"dataset": "wines", "training": None}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["wines", "nowhere"], "nowhere is no folder"),
        (["wines", ".", "--entry-point", "fit.py"], "holds no Python file fit.py: --entry-point says"),
        (["Wines", "."], "cannot name a dataset"),
        (["wines", ".", "--hyperparameter", "c"], "'c' is no hyperparameter: write name=value"),
    ],
)
def test_what_is_no_program_changes_nothing(retrain, stack, s3, folder, monkeypatch, arguments, said):
    monkeypatch.chdir(folder)
    ended = retrain("program", "set", *arguments)
    assert (ended.code, stack.ledger.records) == (2, [])
    assert said in ended.err


def test_a_run_is_started_by_hand(retrain, stack, monkeypatch):
    started = []
    monkeypatch.setattr(stack.states, "start_execution", lambda **call: started.append(call), raising=False)
    run_id = retrain("start", "--dataset", "wines", "--force", "--hyperparameter", "c=2", "--json").json[
        "run_id"
    ]
    (call,) = started
    assert (call["name"], call["stateMachineArn"]) == (run_id, OUTPUTS["StateMachineArn"])
    request = json.loads(call["input"])
    assert request.pop("trigger")["kind"] == "manual"
    assert request == {
        "dataset": {"name": "wines"},
        "force": True,
        "training": {"hyperparameters": {"c": "2"}},
    }
    assert retrain("start", "--dataset", "Wines").code == 2
    assert len(started) == 1
