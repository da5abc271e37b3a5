"""The gate's verdicts, each with its sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import gate
from retraining.gate import Champion, Score
from retraining.plans import GatePolicy
from retraining.predictions import Finding, Joined

POLICY = GatePolicy("accuracy", 0.95, 0.0)


def joined(correct: int, rows: int = 1000) -> Joined:
    return Joined(["1"] * rows, ["1"] * correct + ["2"] * (rows - correct))


def champion(correct: int, rows: int = 1000) -> Champion:
    return Champion("mnist-0-1", Score(correct / rows, correct, rows))


def decide(correct: int, against: Champion | None = None, policy: GatePolicy = POLICY) -> gate.Decision:
    return gate.decide(policy, joined(correct), [], against)


def test_the_first_model_ever_needs_only_the_threshold():
    decision = decide(980)
    assert decision.verdict == "promote"
    assert [check.name for check in decision.checks] == ["predictions", "value_threshold"]
    assert decision.summary == (
        "Accuracy 98.00 % (980 of 1,000) reaches the required 95.00 %. There is no champion yet."
    )


def test_below_the_threshold():
    decision = decide(900)
    assert decision.verdict == "reject"
    assert decision.summary == "Accuracy 90.00 % (900 of 1,000) is below the required 95.00 %."


def test_better_than_the_champion():
    decision = decide(985, champion(980))
    assert decision.verdict == "promote"
    assert "is 0.50 points better than the champion's 98.00 %" in decision.summary
    assert decision.champion == Score(0.98, 980, 1000)


def test_equal_to_the_champion_is_not_worse():
    decision = decide(980, champion(980))
    assert decision.verdict == "promote"
    assert "is equal to the champion's 98.00 %, which is not worse, as asked." in decision.summary


def test_worse_than_the_champion():
    decision = decide(979, champion(980))
    assert decision.verdict == "reject"
    assert decision.summary == (
        "Accuracy 97.90 % is 0.10 points worse than the champion's 98.00 %, and must not be worse."
    )


def test_worse_by_exactly_what_is_tolerated():
    policy = GatePolicy("accuracy", 0.95, -0.005)
    assert decide(970, champion(975), policy).verdict == "promote"
    assert decide(969, champion(975), policy).verdict == "reject"
    assert "a loss of at most 0.50 points is tolerated" in decide(969, champion(975), policy).summary


def test_a_gain_that_was_asked_for():
    policy = GatePolicy("accuracy", 0.95, 0.01)
    assert decide(985, champion(980), policy).verdict == "reject"
    assert decide(990, champion(980), policy).verdict == "promote"


def test_both_checks_may_fail_and_both_are_told():
    decision = decide(900, champion(980))
    assert [check.passed for check in decision.checks] == [True, False, False]
    assert "is below the required" in decision.summary
    assert "worse than the champion's" in decision.summary


def test_predictions_that_cannot_be_joined_are_rejected_with_every_finding():
    findings = [
        Finding("missing", 3, "predictions.csv lacks 3 ids."),
        Finding("unknown", 1, "One is unknown."),
    ]
    decision = gate.decide(POLICY, None, findings, champion(980))
    assert decision.verdict == "reject"
    assert decision.summary == (
        "The challenger cannot be judged: predictions.csv lacks 3 ids. One is unknown."
    )
    assert [check.figure for check in decision.checks] == [3, 1]
    assert decision.as_document()["metrics"] == {"challenger": None, "champion": None}


def test_a_champion_that_cannot_be_scored_stays():
    decision = decide(999, Champion("mnist-0-1", None, "champion_predictions.csv is missing."))
    assert decision.verdict == "reject"
    assert decision.summary.endswith(
        "cannot be compared with the champion: champion_predictions.csv is missing."
    )


@given(st.integers(1, 500), st.data())
def test_promotion_means_that_every_check_passed(rows, data):
    correct, theirs = data.draw(st.integers(0, rows)), data.draw(st.integers(0, rows))
    policy = GatePolicy("accuracy", data.draw(st.floats(0, 1)), 0.0)
    decision = gate.decide(policy, joined(correct, rows), [], champion(theirs, rows))
    assert (decision.verdict == "promote") == all(check.passed for check in decision.checks)
    assert (decision.verdict == "promote") == (
        correct / rows >= policy.value_threshold - 1e-12 and correct >= theirs
    )
    assert all(check.sentence.endswith(".") for check in decision.checks)


@pytest.mark.parametrize(("value", "text"), [(0.5, "50.00 %"), (1.0, "100.00 %"), (0.98765, "98.77 %")])
def test_percent(value, text):
    assert gate.percent(value) == text
