"""When an alarm goes off: the cases of AWS's documentation, and what is always so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.localcloud.cloudwatch.evaluation import Judgement, judge

NOW = 1_800_000_000.0


def mean(points: Any) -> float:
    return sum(point["Value"] for point in points) / len(points)


def alarm(**changes: Any) -> dict[str, Any]:
    return {
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "missing",
        **changes,
    }


def points(pattern: str, period: float = 60.0) -> list[dict[str, Any]]:
    """One period for each sign, the newest last: X breaches, 0 does not, - has no data."""
    length = len(pattern)
    return [
        {"Timestamp": NOW - (length - number - 0.5) * period, "Value": {"X": 2.0, "0": 0.0}[sign]}
        for number, sign in enumerate(pattern)
        if sign != "-"
    ]


def state(pattern: str, treatment: str, **changes: Any) -> str:
    """The state that follows; KEEP where the alarm is to keep its own."""
    found = judge(alarm(TreatMissingData=treatment, **changes), points(pattern), NOW, mean)
    return found.state if found is not None else "KEEP"


TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize(
    ("pattern", "needed", "states"),
    [
        # "M out of N" and missing data, from "Configuring how CloudWatch alarms treat missing data".
        ("XXX", 3, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("X0X", 3, ("OK", "OK", "OK", "OK")),
        ("0--", 3, ("OK", "OK", "OK", "OK")),
        ("---", 3, ("INSUFFICIENT_DATA", "KEEP", "ALARM", "OK")),
        ("X--", 3, ("ALARM", "KEEP", "ALARM", "OK")),
        ("X0X", 2, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0-X", 2, ("OK", "OK", "ALARM", "OK")),
        ("--0", 2, ("OK", "OK", "ALARM", "OK")),
        ("-X-", 2, ("ALARM", "KEEP", "ALARM", "OK")),
        ("-XX", 2, ("ALARM", "ALARM", "ALARM", "ALARM")),
    ],
)
def test_missing_data_is_treated_as_the_alarm_says(
    pattern: str, needed: int, states: tuple[str, ...]
) -> None:
    found = tuple(state(pattern, treatment, DatapointsToAlarm=needed) for treatment in TREATMENTS)
    assert found == states


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"),
    [
        ("GreaterThanThreshold", "OK", "OK", "ALARM"),
        ("GreaterThanOrEqualToThreshold", "OK", "ALARM", "ALARM"),
        ("LessThanThreshold", "ALARM", "OK", "OK"),
        ("LessThanOrEqualToThreshold", "ALARM", "ALARM", "OK"),
    ],
)
def test_the_threshold_is_compared_as_the_operator_says(
    operator: str, below: str, at: str, above: str
) -> None:
    for value, wanted in ((0.9, below), (1.0, at), (1.1, above)):
        found = judge(
            alarm(ComparisonOperator=operator, EvaluationPeriods=1),
            [{"Timestamp": NOW, "Value": value}],
            NOW,
            mean,
        )
        assert found is not None
        assert found.state == wanted


def test_what_just_happened_counts_at_once_and_what_is_past_does_not() -> None:
    one = alarm(EvaluationPeriods=1)
    just = [{"Timestamp": NOW, "Value": 5.0}]
    old = [{"Timestamp": NOW - 61.0, "Value": 0.0}]
    found = judge(one, [*old, *just], NOW, mean)
    assert found == Judgement(
        "ALARM",
        "Threshold Crossed: 1 out of the last 1 datapoint [5 (15/01/27 08:00:00)] was greater than the "
        "threshold (1) (minimum 1 datapoint for OK -> ALARM transition).",
    )
    found = judge(one, [*old, *just], NOW + 60.0, mean)
    assert found is not None
    assert found.state == "INSUFFICIENT_DATA"


def test_a_period_may_begin_later() -> None:
    one = alarm(EvaluationPeriods=1, TreatMissingData="notBreaching")
    sent = [{"Timestamp": NOW - 10.0, "Value": 0.0}, {"Timestamp": NOW - 1.0, "Value": 1.5}]
    assert judge(one, sent, NOW, mean).state == "OK"  # type: ignore[union-attr]
    assert judge(one, sent, NOW, mean, since=NOW - 5.0).state == "ALARM"  # type: ignore[union-attr]
    assert judge(one, sent, NOW, mean, since=NOW).state == "OK"  # type: ignore[union-attr]


def test_only_data_of_the_alarms_unit_counts() -> None:
    sent = [{"Timestamp": NOW, "Value": 5.0, "Unit": "Seconds"}]
    found = judge(alarm(EvaluationPeriods=1, Unit="Count"), sent, NOW, mean)
    assert found is not None
    assert found.state == "INSUFFICIENT_DATA"


def test_an_alarm_whose_comparison_is_unknown_keeps_its_state() -> None:
    assert judge(alarm(ComparisonOperator="LessThanLowerThreshold"), points("XXX"), NOW, mean) is None


@given(
    pattern=st.text("X0-", min_size=1, max_size=6),
    needed=st.integers(1, 6),
    treatment=st.sampled_from(TREATMENTS),
)
def test_more_bad_data_never_makes_an_alarm_better(pattern: str, needed: int, treatment: str) -> None:
    changes = {"EvaluationPeriods": len(pattern), "DatapointsToAlarm": min(needed, len(pattern))}
    if state(pattern, treatment, **changes) == "ALARM":
        worse = pattern.replace("0", "X", 1)
        assert state(worse, treatment, **changes) == "ALARM"
