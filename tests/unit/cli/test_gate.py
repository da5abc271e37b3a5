"""`retrain gate`: the policy, verdicts explained, verdicts replayed."""

import json
from decimal import Decimal

import pytest

from tests.unit.cli.fakes import DECISION, OUTPUTS, run_record

POLICY = {"metric": "accuracy", "value_threshold": 0.95, "slice_floor": None}
EVALUATION = {
    "run_id": "mnist-1",
    **DECISION,
    "metrics": {
        "metric": "accuracy",
        "challenger": {"accuracy": 0.9861, "rows": 100, "intervals": {"accuracy": [0.97, 0.99]}},
        "champion": {"accuracy": 0.98},
    },
    "groups": [
        {"column": "class", "value": "7", "rows": 90, "challenger": 0.5, "interval": None, "champion": 0.9},
        {"column": "site", "value": "", "rows": 10, "challenger": 1.0, "interval": None, "champion": None},
    ],
    "confusion": {"challenger": {"classes": ["1", "7"], "matrix": [[9, 1], [5, 85]]}, "champion": None},
}


def standing(**overrides):
    return {"dataset": "mnist", "stack": POLICY, "overrides": overrides, "gate": POLICY | overrides}


@pytest.fixture
def judged(stack):
    """A run with an evaluation."""
    stack.ledger.records.append(run_record("mnist-1"))
    s3 = stack.client("s3")
    s3.create_bucket(Bucket=OUTPUTS["ArtifactsBucketName"])
    key, body = "runs/mnist-1/evaluation.json", json.dumps(EVALUATION).encode()
    s3.put_object(Bucket=OUTPUTS["ArtifactsBucketName"], Key=key, Body=body)
    return stack


def test_show_prints_fields_and_where_they_come_from(stack, retrain):
    stack.gate.answers = [standing(value_threshold=0.9)]
    ended = retrain("gate", "show", "--dataset", "mnist")
    assert ended.out.splitlines() == [
        "FIELD\tVALUE\tFROM",
        "metric\taccuracy\tstack",
        "value_threshold\t0.9\tdataset mnist",
        "slice_floor\toff\tstack",
    ]
    assert stack.gate.asked == [{"policy": {"dataset": "mnist"}}]


def test_show_as_json(stack, retrain):
    stack.gate.answers = [standing()]
    assert retrain("gate", "show", "--json").json == standing()


def test_set_tries_before_it_writes(stack, retrain):
    stack.gate.answers = [standing(alpha=0.01, metric="macro_f1"), standing(alpha=0.01, value_threshold=0.9)]
    assert retrain("gate", "set", "mnist", "value_threshold=0.9", "metric=").code == 0
    wanted = {"alpha": 0.01, "value_threshold": 0.9}
    assert stack.gate.asked[-1] == {"policy": {"dataset": "mnist", "gate": wanted}}
    (record,) = stack.ledger.records
    assert (record["pk"], record["sk"]) == ("POLICY#mnist", "POLICY")
    assert record["gate"] == {"alpha": Decimal("0.01"), "value_threshold": Decimal("0.9")}


def test_set_writes_nothing_that_the_gate_refuses(stack, retrain):
    stack.gate.answers = [standing(), {"errorType": "PolicyError", "errorMessage": "The field is wrong."}]
    ended = retrain("gate", "set", "mnist", "alpha=7")
    assert (ended.code, ended.err) == (1, "retrain: The field is wrong.\n")
    assert not stack.ledger.records


@pytest.mark.parametrize("setting", ["alpha", "=7"])
def test_settings_that_set_nothing(stack, retrain, setting):
    ended = retrain("gate", "set", "mnist", setting)
    assert ended.code == 2
    assert f"'{setting}' sets nothing: write field=value" in ended.err


def test_explain(judged, retrain):
    out = retrain("gate", "explain").out
    assert "verdict promote  The challenger is good enough." in out
    assert "accuracy\t0.9861\t0.97 to 0.99\t0.98" in out
    assert "class 7\t90\t0.5\t0.9" in out
    assert "site=(empty)\t10\t1\t-" in out
    assert "MOST CONFUSED\tTAKEN FOR\tROWS\n7\t1\t5\n1\t7\t1\n" in out
    assert retrain("gate", "explain", "mnist-1", "--json").json == EVALUATION


def test_explain_a_run_that_was_not_judged(judged, retrain):
    judged.ledger.records.append(run_record("mnist-2"))
    ended = retrain("gate", "explain", "mnist-2")
    assert ended.code == 1
    assert "The run mnist-2 was never judged" in ended.err


def test_replay(judged, retrain):
    recorded = {"verdict": "reject", "summary": "", "gate": POLICY}
    judged.gate.answers = [{**EVALUATION, "recorded": recorded}]
    out = retrain("gate", "replay", "mnist-1", "--set", "alpha=0.01", "--set", "slice_floor=off").out
    assert "run mnist-1  the verdict becomes promote; it was reject" in out
    (asked,) = judged.gate.asked
    assert asked == {"replay": {"run_id": "mnist-1", "gate": {"alpha": 0.01, "slice_floor": "off"}}}


def test_replay_that_changes_nothing(judged, retrain):
    answer = {**EVALUATION, "recorded": {"verdict": "promote", "summary": "", "gate": POLICY}}
    judged.gate.answers = [answer, answer]
    assert "the verdict stays promote" in retrain("gate", "replay").out
    assert retrain("gate", "replay", "--json").json == answer


def test_a_gate_that_fails_without_words(judged, retrain):
    judged.gate.answers = [{"errorMessage": ""}]
    assert "The gate failed without saying why." in retrain("gate", "replay").err
