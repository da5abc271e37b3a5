"""Verify: what the live endpoint answers, held against what the gate has judged."""

import base64
import io
import json
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import verify_endpoint.app
from retraining import verification_rows
from retraining.aws.clients import client
from retraining.errors import TransientAwsError, VerificationRowsInvalidError
from retraining.labels import canonical
from retraining.ports import EndpointAnswer
from retraining.predictions import Joined
from retraining.verification import BUDGET_SECONDS, Comparison, verify
from retraining.verification_rows import Row
from tests.unit.functions.fakes import FakeStorage, joined, joined_values
from tests.unit.functions.test_verification_rows import file_of, request

URI = "s3://artifacts/runs/mnist-1/verify.jsonl"
LABELS = [str(row % 10) for row in range(100)]

Answers = Callable[[bytes], EndpointAnswer]


AS_JUDGED = "as the gate has seen this model answer"


def answer(value: object) -> EndpointAnswer:
    return EndpointAnswer(json.dumps({"predictions": [{"label": value}]}).encode())


def labelled(body: bytes) -> EndpointAnswer:
    """What a model answers that has learned the labels: rows are asked about by their numbers."""
    return answer(int(body) % 10)


class FakeRuntime:
    """An endpoint, and what it was asked."""

    def __init__(self, answers: Answers = labelled) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self._answers = answers

    def invoke(self, endpoint_name: str, content_type: str, body: bytes) -> EndpointAnswer:
        self.asked.append((endpoint_name, content_type, body))
        return self._answers(body)


def state(rows: int = 20, at_a_time: int = 4) -> dict[str, Any]:
    wanted = {"rows": rows, "tolerance": 0.001, "answer_path": "predictions[0].label", "s3_uri": URI}
    return {"names": {"endpoint": "retrain-mnist"}, "rollout": {"verify": {**wanted, "at_a_time": at_a_time}}}


def stored(
    predictions: Joined | None = None, *requests: dict[str, Any], document: bytes | None = None
) -> FakeStorage:
    """The rows as Evaluate keeps them."""
    predictions = predictions or joined(LABELS, LABELS)
    storage = FakeStorage()
    asked = requests or tuple(
        request(str(row), body=encoded(str(row))) for row in range(predictions.truth.rows)
    )
    storage.put(
        "artifacts",
        "runs/mnist-1/verify.jsonl",
        document or verification_rows.extract(file_of(*asked), predictions),
    )
    return storage


def encoded(text: str) -> str:

    return base64.b64encode(text.encode()).decode()


def test_an_endpoint_that_answers_as_the_gate_has_seen():
    runtime = FakeRuntime()
    assert verify(state(), stored(), runtime) == {
        "agrees": True,
        "verified": True,
        "rows": 20,
        "differing": 0,
        "sentence": f"The live endpoint answers 20 rows of the holdout {AS_JUDGED}.",
    }
    assert {(endpoint, content) for endpoint, content, _ in runtime.asked} == {("retrain-mnist", "text/csv")}
    assert sorted(int(body) for *_, body in runtime.asked) == list(range(0, 100, 5))


def test_all_rows_are_asked_about_if_there_are_few():
    found = verify(
        state(rows=200), stored(joined(["1"], ["1"]), request("0", body=encoded("1"))), FakeRuntime()
    )
    assert (found["rows"], found["sentence"]) == (
        1,
        f"The live endpoint answers 1 row of the holdout {AS_JUDGED}.",
    )


def test_the_model_is_held_to_what_it_predicted_not_to_what_is_true():
    wrong = joined(LABELS, ["9"] * 100)
    found = verify(state(), stored(wrong), FakeRuntime())
    assert (found["agrees"], found["differing"]) == (False, 20)
    assert verify(state(), stored(wrong), FakeRuntime(lambda _: labelled(b"9")))["agrees"]


def test_differing_rows_are_named():
    found = verify(state(), stored(), FakeRuntime(lambda body: labelled(b"3" if body == b"20" else body)))
    assert found["sentence"] == (
        f"The live endpoint does not answer {AS_JUDGED}: 1 of 20 rows of the holdout differ. "
        "row 20: 3 instead of 0."
    )
    found = verify(state(), stored(), FakeRuntime(lambda _: labelled(b"7")))
    assert (
        "20 of 20 rows of the holdout differ. The first: row 0: 7 instead of 0; row 5: 7" in found["sentence"]
    )
    assert found["sentence"].count("instead") == 3


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            EndpointAnswer(b"", "the model answered with status 500: one in so many"),
            "with status 500: one in so",
        ),
        (EndpointAnswer(b""), "the answer is not JSON"),
        (EndpointAnswer(b"<html>"), "the answer is not JSON"),
        (EndpointAnswer(b"\xff"), "the answer is not JSON"),
        (EndpointAnswer(b"[" * 100_000), "the answer is not JSON"),
        (EndpointAnswer(b"7"), "the answer has nothing at predictions[0].label"),
        (EndpointAnswer(b'{"predictions": []}'), "the answer has nothing at predictions[0].label"),
        (EndpointAnswer(b'{"predictions": [{"label": null}]}'), "nothing at predictions[0].label"),
        (EndpointAnswer(b'{"predictions": [{"label": [7]}]}'), "[7] is no label"),
        (EndpointAnswer(b'{"predictions": [{"label": NaN}]}'), "NaN instead of"),
        (EndpointAnswer(json.dumps({"predictions": [{"label": "x\n" * 99}]}).encode()), "x?x?x?"),
    ],
)
def test_what_is_no_answer_differs(answer, why):
    found = verify(state(), stored(), FakeRuntime(lambda _: answer))
    assert (found["agrees"], found["verified"], found["differing"]) == (False, True, 20)
    assert why in found["sentence"]
    assert "\n" not in found["sentence"]
    assert len(found["sentence"]) < 1000


@given(st.text() | st.integers() | st.floats())
def test_equal_labels_are_equal_however_they_are_written(label):
    expected = canonical(str(label))
    if expected is None:
        return
    row = Row("0", "text/csv", b"", expected)
    for spelling in (str(label), label, f" {label} "):
        answer = EndpointAnswer(json.dumps([spelling]).encode())
        assert Comparison("[0]", 0.0).difference(row, answer) == ""
    other = EndpointAnswer(json.dumps([f"{label}x"]).encode())
    assert Comparison("[0]", 0.0).difference(row, other)


@pytest.mark.parametrize(("expected", "answer", "same"), [("True", "true", True), ("false", "true", False)])
def test_truth_is_spelt_either_way(expected, answer, same):
    difference = Comparison("a", 0.0).difference(
        Row("0", "", b"", expected), EndpointAnswer(f'{{"a": {answer}}}'.encode())
    )
    assert (difference == "") == same


@pytest.mark.parametrize(
    ("answer", "difference"),
    [
        (b"[200.19]", ""),
        (b'["200.19"]', ""),
        (b"[200.21]", "200.21 instead of 200"),
        (b"[-200]", "-200 instead of 200"),
        (b"[true]", "true is no number"),
        (b"[[200]]", "[200] is no number"),
        (b"[NaN]", "NaN is no number"),
        (b"[1e999]", "Infinity is no number"),
    ],
)
def test_quantities_may_be_off_by_the_tolerance(answer, difference):
    row = Row("0", "text/csv", b"", 200.0)
    assert Comparison("[0]", 0.001).difference(row, EndpointAnswer(answer)) == difference


def test_a_quantity_near_zero_is_held_against_the_largest():
    values = [0.0, 1000.0]
    asked = [request(str(row), body=encoded(str(values[row]))) for row in range(2)]
    storage = stored(joined_values(values, values), *asked)

    def answers(off: float) -> Answers:
        return lambda body: EndpointAnswer(
            json.dumps({"predictions": [{"label": float(body) + off}]}).encode()
        )

    assert verify(state(), storage, FakeRuntime(answers(0.0009)))["agrees"]
    found = verify(state(), storage, FakeRuntime(answers(0.0011)))
    assert (found["differing"], "row 0: 0.0011 instead of 0" in found["sentence"]) == (1, True)


class TestNothingToVerifyWith:
    @pytest.mark.parametrize(
        ("wanted", "storage", "why"),
        [
            (state(rows=0), stored(), "the stack's parameter VerifyRows is 0"),
            (state(), FakeStorage(), f"there is no {URI}"),
            (
                state(),
                stored(document=verification_rows.extract(None, joined([], []))),
                "the training program left no verify.jsonl",
            ),
            (
                state(),
                stored(None, request("x")),
                "of verify.jsonl, these rows were ignored: 1 unknown to the holdout (x)",
            ),
        ],
    )
    def test_is_said_and_no_made_up_success(self, wanted, storage, why):
        runtime = FakeRuntime()
        assert verify(wanted, storage, runtime) == {
            "agrees": True,
            "verified": False,
            "rows": 0,
            "differing": 0,
            "sentence": f"The live endpoint was not verified: {why}.",
        }
        assert runtime.asked == []

    def test_what_was_ignored_is_said_beside_the_result(self):
        found = verify(state(), stored(None, request("x"), request("1", body=encoded("1"))), FakeRuntime())
        assert (found["agrees"], found["rows"]) == (True, 1)
        assert found["sentence"].endswith(
            " Note: of verify.jsonl, these rows were ignored: 1 unknown to the holdout (x)."
        )


def test_rows_that_somebody_changed_verify_nothing():
    with pytest.raises(
        VerificationRowsInvalidError, match=r"verify\.jsonl is not as Evaluate writes it .*start"
    ):
        verify(state(), stored(document=b"{}"), FakeRuntime())


def test_an_endpoint_that_cannot_be_asked_is_no_disagreement():
    def throttled(_: bytes) -> EndpointAnswer:
        raise TransientAwsError("Slow down.")

    with pytest.raises(TransientAwsError):
        verify(state(), stored(), FakeRuntime(throttled))


def test_a_slow_model_is_asked_as_long_as_there_is_time():
    now = 0.0

    def slow(body: bytes) -> EndpointAnswer:
        nonlocal now
        now += BUDGET_SECONDS / 2
        return labelled(body)

    one_at_a_time = state(at_a_time=1)
    found = verify(one_at_a_time, stored(), FakeRuntime(slow), clock=lambda: now)
    assert (found["agrees"], found["rows"]) == (True, 3)
    assert found["sentence"].endswith(" There was no time for 17 more.")


@pytest.mark.parametrize("most", [4, 2])
def test_so_many_requests_at_a_time(most):
    """As many as may wait for each other meet; none is left over that would break the barrier."""
    together = threading.Barrier(most, timeout=10)
    under_way: list[int] = []
    lock = threading.Lock()
    found: list[int] = []

    def meet(body: bytes) -> EndpointAnswer:
        with lock:
            under_way.append(1)
            found.append(len(under_way))
        together.wait()
        with lock:
            under_way.pop()
        return labelled(body)

    assert verify(state(at_a_time=most), stored(), FakeRuntime(meet))["agrees"]
    assert max(found) == most


def test_the_handler_counts_and_keeps_rows_out_of_the_log(aws, execution, monkeypatch, capsys):
    log = io.StringIO()
    monkeypatch.setattr(verify_endpoint.app.logger.registered_handler, "stream", log)
    client("s3").create_bucket(Bucket="artifacts")
    content = stored().read("artifacts", "runs/mnist-1/verify.jsonl")
    client("s3").put_object(Bucket="artifacts", Key="runs/mnist-1/verify.jsonl", Body=content)
    payload = {"id": execution.arn, "name": execution.name, "started_at": execution.started_at}
    found = verify_endpoint.app.handler({"execution": payload, "input": state()}, SimpleNamespace())
    # What moto answers is no JSON.
    assert (found["differing"], "the answer is not JSON" in found["sentence"]) == (20, True)
    (line,) = log.getvalue().splitlines()
    assert json.loads(line)["correlation_id"] == execution.name
    assert (json.loads(line)["differing"], "row 5" in line) == (20, False)
    counted = [json.loads(text) for text in capsys.readouterr().out.splitlines() if '"_aws"' in text]
    assert [count["EndpointsDiffering"] for count in counted] == [[1.0]]


def test_rows_may_have_their_answers_elsewhere():
    rows = [request("0", body=encoded("0"), answer_path="[0]"), request("1", body=encoded("1"))]
    runtime = FakeRuntime(lambda body: EndpointAnswer(b'["0"]') if body == b"0" else labelled(body))
    assert verify(state(), stored(None, *rows), runtime)["agrees"]


def test_an_answer_of_another_form_is_told_with_the_remedy():
    told = verify(state(), stored(), FakeRuntime(lambda _: EndpointAnswer(b'["0"]')))["sentence"]
    assert "the answer has nothing at predictions[0].label" in told
    assert "verify.jsonl (answer_path)" in told
    assert "VerifyAnswerPath" in told
