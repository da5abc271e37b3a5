"""The gate's policy: layers, bounds, and what a change of metric means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import policy
from retraining.errors import SettingsError
from retraining.policy import GatePolicy
from retraining.settings import GATE_VARIABLES
from tests.unit.functions import stack

DEFAULTS = {
    name: stack.environment("PrepareTrainingFunction")[f"GATE_{name.upper()}"] for name in GATE_VARIABLES
}
STACK = policy.from_stack(DEFAULTS)


def overlaid(**overrides: object) -> GatePolicy:
    found, problems = policy.overlay(STACK, overrides, "gate")
    assert not problems
    return found


def complaints(overrides: object) -> str:
    return " ".join(policy.overlay(STACK, overrides, "gate")[1])


def test_the_template_has_a_parameter_for_every_field():
    assert policy.NAMES == GATE_VARIABLES
    for name in GATE_VARIABLES:
        assert f"Gate{name.title().replace('_', '')}" in stack.TEMPLATE["Parameters"]


def test_the_stack_asks_for_what_suits_a_classifier():
    assert (
        GatePolicy("accuracy", 0.95, 0.0, slice_floor=0.5, slice_max_drop=0.1, min_holdout_rows=100) == STACK
    )


def test_of_quantities_no_slice_bounds_are_guessed():
    found = policy.from_stack(DEFAULTS | {"metric": "rmse", "value_threshold": "4"})
    assert (found.value_threshold, found.slice_floor, found.slice_max_drop) == (4.0, None, None)


def test_the_template_and_the_functions_know_the_same_choices():
    parameters = stack.TEMPLATE["Parameters"]
    assert parameters["GateMetric"]["AllowedValues"] == list(policy.METRICS)
    assert parameters["GateSignificance"]["AllowedValues"] == list(policy.SIGNIFICANCE)
    without = parameters["GateWithoutChampionPredictions"]["AllowedValues"]
    assert without == list(policy.WITHOUT_CHAMPION_PREDICTIONS)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "value_threshold",
            "high",
            "gate.value_threshold is 'high'; it must be a number from 0 to 1,000,000,000",
        ),
        (
            "value_threshold",
            "2",
            "gate.value_threshold is 2.0; for accuracy it must be a number from 0 to 1.",
        ),
        ("metric", "auc", "gate.metric is 'auc'; it must be one of accuracy, balanced_accuracy"),
        ("slice_floor", "1.5", "gate.slice_floor is 1.5; for accuracy it is a share of rows"),
        ("slice_min_rows", "0.5", "gate.slice_min_rows is 0.5; it must be a whole number from 1"),
    ],
)
def test_stack_parameters_that_are_wrong(name, value, said):
    with pytest.raises(SettingsError) as caught:
        policy.from_stack(DEFAULTS | {name: value})
    assert said in str(caught.value)


def test_fields_are_overridden_one_by_one():
    found = overlaid(value_threshold=0.5, slice_floor="off", max_model_megabytes=20, significance="better")
    assert (found.value_threshold, found.slice_floor, found.max_model_megabytes) == (0.5, None, 20.0)
    assert (found.metric, found.slice_max_drop, found.significance) == ("accuracy", 0.1, "better")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ([], "The field gate is []; it must be a JSON object."),
        ({"alfa": 0.1}, "The field gate.alfa is unknown here; known are alpha, change_threshold"),
        ({"alpha": 0}, "The field gate.alpha is 0; it must be a number from 0.001 to 0.5."),
        ({"alpha": True}, "The field gate.alpha is True; it must be a number"),
        (
            {"change_threshold": -3},
            "gate.change_threshold is -3.0; for accuracy it must be a number from -1 to 1.",
        ),
        ({"slice_max_drop": "none"}, "must be a number from 0 to 1,000,000,000 or off or auto."),
        (
            {"max_latency_ms": "auto"},
            "gate.max_latency_ms is 'auto'; it must be a number from 0 to 3,600,000 or off.",
        ),
        ({"significance": "very"}, "it must be one of off, not_worse, better."),
        ({"min_holdout_rows": 0}, "it must be a whole number from 1 to"),
        ({"without_champion_predictions": "hope"}, "it must be one of reject, thresholds_only."),
        (
            {"metric": "rmse"},
            "gate.value_threshold is missing: the metric becomes rmse, and 95.00 % was meant for accuracy.",
        ),
    ],
)
def test_overrides_that_are_wrong(overrides, said):
    assert said in complaints(overrides)


def test_all_faults_are_told_at_once():
    said = complaints({"alpha": 2, "metric": "auc", "colour": "red"})
    assert said.count("The field gate.") == 3


def test_another_metric_of_the_same_unit_keeps_the_bounds():
    found = overlaid(metric="macro_f1")
    assert (found.value_threshold, found.slice_floor) == (0.95, 0.5)


def test_a_metric_in_another_unit_leaves_the_bounds_behind():
    base, _ = policy.overlay(STACK, {"change_threshold": 0.01}, "gate")
    found, problems = policy.overlay(base, {"metric": "rmse", "value_threshold": 3.5}, "gate")
    assert not problems
    assert (found.value_threshold, found.change_threshold) == (3.5, 0.0)
    assert (found.slice_floor, found.slice_max_drop) == (None, None)
    found, _ = policy.overlay(base, {"metric": "log_loss", "value_threshold": 0.4}, "gate")
    assert (found.slice_floor, found.change_threshold) == (0.5, 0.0)


def test_nothing_over_a_policy_is_the_policy():
    assert policy.overlay(STACK, None, "gate") == (STACK, [])


@given(
    st.dictionaries(
        st.sampled_from([*policy.NAMES, "x"]), st.none() | st.booleans() | st.floats() | st.text()
    )
)
def test_no_overrides_crash(overrides):
    found, problems = policy.overlay(STACK, overrides, "gate")
    assert isinstance(found, GatePolicy)
    assert all(problem.endswith(".") for problem in problems)
