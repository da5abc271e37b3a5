"""The gate's verdicts, each with its sentence."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retraining import gate, metrics, predictions
from retraining.checks import Costs
from retraining.gate import Champion
from retraining.policy import GatePolicy
from retraining.predictions import Finding, Joined
from retraining.truth import read_truth
from tests.exploring import examples
from tests.unit.functions.fakes import joined, joined_values, labels_csv, predictions_csv

POLICY = GatePolicy("accuracy", 0.95, 0.0)
CLASSES = 10


def truth(rows: int = 1000) -> list[str]:
    return [str(row % CLASSES) for row in range(rows)]


def wrong(labels: list[str], rows: range | list[int]) -> list[str]:
    """Predictions that are wrong on these rows."""
    found = list(labels)
    for row in rows:
        found[row] = str((int(labels[row]) + 1) % CLASSES)
    return found


def model(mistakes: range | list[int], rows: int = 1000) -> Joined:
    return joined(truth(rows), wrong(truth(rows), mistakes))


def champion(mistakes: range | list[int], rows: int = 1000) -> Champion:
    return Champion("mnist-0-1", model(mistakes, rows))


def judge(
    challenger: Joined, against: Champion | None = None, policy: GatePolicy = POLICY, **costs
) -> gate.Decision:
    return gate.decide(policy, challenger, [], against, Costs(**costs))


def sentence(decision: gate.Decision, name: str) -> str:
    (check,) = [check for check in decision.checks if check.name == name]
    return f"{'passed' if check.passed else 'failed'}: {check.sentence}"


def test_the_first_model_ever_needs_only_the_threshold():
    decision = judge(model(range(20)))
    assert decision.verdict == "promote"
    assert [check.name for check in decision.checks] == ["predictions", "min_holdout_rows", "value_threshold"]
    assert decision.summary == (
        "Accuracy 98.00 % (980 of 1,000) reaches the required 95.00 %. There is no champion yet."
    )


def test_below_the_threshold():
    decision = judge(model(range(100)))
    assert decision.verdict == "reject"
    assert decision.summary == "Accuracy 90.00 % (900 of 1,000) is below the required 95.00 %."


def test_better():
    decision = judge(model(range(15)), champion(range(35)))
    assert decision.verdict == "promote"
    assert decision.summary == (
        "Accuracy 98.50 % (985 of 1,000) reaches the required 95.00 %. Accuracy 98.50 % is 2.00 points "
        "better "
        "than the champion's 96.50 %, which is not worse, as asked. The challenger is significantly better "
        "than "
        "the champion: 20 rows won and 0 lost (exact McNemar test), p = 1.9e-06, level 0.05."
    )
    assert decision.champion is not None
    assert (decision.champion.correct, decision.champion.rows) == (965, 1000)


def test_equal():
    decision = judge(model(range(20)), champion(range(20)))
    assert decision.verdict == "promote"
    assert sentence(decision, "change_threshold") == (
        "passed: Accuracy 98.00 % is equal to the champion's 98.00 %, which is not worse, as asked."
    )
    assert sentence(decision, "significance") == (
        "passed: The challenger is not significantly different from the champion: 0 rows won and 0 lost "
        "(exact "
        "McNemar test), p = 1, level 0.05."
    )


def test_worse():
    decision = judge(model(range(21)), champion(range(20)))
    assert decision.verdict == "reject"
    assert decision.summary == (
        "Accuracy 97.90 % is 0.10 points worse than the champion's 98.00 %, and must not be worse."
    )


def test_worse_by_less_than_tolerated():
    policy = GatePolicy("accuracy", 0.95, -0.005)
    decision = judge(model(range(25)), champion(range(20)), policy)
    assert decision.verdict == "promote"
    assert sentence(decision, "change_threshold") == (
        "passed: Accuracy 97.50 % is 0.50 points worse than the champion's 98.00 %, a loss of at most 0.50 "
        "points "
        "is tolerated."
    )
    assert judge(model(range(26)), champion(range(25, 45)), policy).verdict == "reject"


def test_significantly_worse_although_above_every_threshold():
    policy = GatePolicy("accuracy", 0.95, -0.02)
    decision = judge(model(range(30)), champion(range(12)), policy)
    assert decision.verdict == "reject"
    assert decision.summary == (
        "The challenger is significantly worse than the champion: 0 rows won and 18 lost (exact McNemar "
        "test), "
        "p = 7.6e-06, level 0.05."
    )
    tolerant = GatePolicy("accuracy", 0.95, -0.02, significance="off")
    assert judge(model(range(30)), champion(range(12)), tolerant).verdict == "promote"


def test_better_but_not_significantly_although_that_was_asked():
    policy = GatePolicy("accuracy", 0.95, 0.0, significance="better")
    decision = judge(model(range(18)), champion(range(20)), policy)
    assert decision.verdict == "reject"
    assert decision.summary == (
        "The challenger is not significantly different from the champion, and must be significantly better: "
        "2 rows "
        "won and 0 lost (exact McNemar test), p = 0.5, level 0.05."
    )
    assert judge(model(range(10)), champion(range(20)), policy).verdict == "promote"


def test_a_gain_that_was_asked_for():
    policy = GatePolicy("accuracy", 0.95, 0.01)
    decision = judge(model(range(15)), champion(range(20)), policy)
    assert decision.summary == (
        "Accuracy 98.50 % is 0.50 points better than the champion's 98.00 %, a gain of at least 1.00 points "
        "is asked."
    )
    assert judge(model(range(10)), champion(range(20)), policy).verdict == "promote"


SEVENS = [row for row in range(1000) if row % CLASSES == 7]


def test_better_overall_but_one_class_collapses():
    policy = GatePolicy("accuracy", 0.9, 0.0, slice_floor=0.5, slice_max_drop=0.1)
    scattered = [row for row in range(1000) if row % CLASSES != 7][::10]  # the champion's mistakes: 90 rows
    decision = judge(model(SEVENS[:60]), champion(scattered), policy)
    assert decision.verdict == "reject"
    assert sentence(decision, "change_threshold").startswith("passed: Accuracy 94.00 % is 3.00 points better")
    assert decision.summary == (
        "1 of 10 classes and slices is beyond the floor of 50.00 %: class 7 with 40.00 % of 100 rows right. "
        "1 of 10 classes and slices is worse than the champion by more than 10.00 points: class 7 from "
        "100.00 % to "
        "40.00 %."
    )


def test_slices_that_hold():
    policy = GatePolicy("accuracy", 0.9, 0.0, slice_floor=0.5, slice_max_drop=0.1)
    decision = judge(model(SEVENS[:5]), champion(SEVENS[1:8]), policy)
    assert decision.verdict == "promote"
    assert sentence(decision, "slice_floor") == (
        "passed: No class or slice lies beyond the floor of 50.00 %; the worst of 10 is class 7 with 95.00 % "
        "of 100 "
        "rows right."
    )
    assert (
        sentence(decision, "slice_max_drop")
        == "passed: None of 10 classes and slices is worse than the champion."
    )
    decision = judge(model(SEVENS[:5]), champion([0, 1, 2, 3, 4, 5]), policy)
    assert sentence(decision, "slice_max_drop") == (
        "passed: No class or slice is worse than the champion by more than 10.00 points; the largest drop of "
        "10 is "
        "class 7 from 100.00 % to 95.00 %."
    )


def test_slices_of_the_truth_are_judged_like_classes():
    labels, sites = truth(), ["Berlin" if row < 200 else "Oslo" for row in range(1000)]
    policy = GatePolicy("accuracy", 0.8, 0.0, slice_floor=0.8, slice_min_rows=150)
    decision = judge(joined(labels, wrong(labels, range(60)), site=sites), None, policy)
    assert decision.summary == (
        "1 of 2 classes and slices is beyond the floor of 80.00 %: slice site=Berlin with 70.00 % of 200 "
        "rows right."
    )
    assert [entry["value"] for entry in decision.details()["groups"]] == ["Berlin", "Oslo"]


def test_what_is_too_small_to_be_judged_is_named():
    sites = ["Berlin" if row < 20 else "Oslo" for row in range(1000)]
    policy = GatePolicy("accuracy", 0.8, 0.0, slice_floor=0.8, slice_min_rows=101)
    decision = judge(joined(truth(), truth(), site=sites), None, policy)
    assert sentence(decision, "slice_floor").endswith(
        "Not judged, with fewer than 101 rows: class 0 (100), class 1 (100), class 2 (100); and 8 more."
    )


def test_slices_that_are_too_small_are_not_judged():
    policy = GatePolicy("accuracy", 0.9, 0.0, slice_floor=0.9, slice_min_rows=101)
    decision = judge(model(SEVENS[:60]), None, policy)
    assert decision.verdict == "promote"
    assert sentence(decision, "slice_floor") == (
        "passed: No class or slice has the 101 rows that it takes to judge it."
    )


def test_many_failing_slices_are_counted():
    policy = GatePolicy("accuracy", 0.1, 0.0, slice_floor=0.9)
    decision = judge(model(range(500)), None, policy)
    assert decision.summary.startswith(
        "10 of 10 classes and slices are beyond the floor of 90.00 %: class 0 with"
    )
    assert decision.summary.endswith("; and 7 more.")


def test_too_few_rows():
    policy = GatePolicy("accuracy", 0.95, 0.0, min_holdout_rows=500)
    decision = judge(model(range(0), rows=80), champion(range(4), rows=80), policy)
    assert decision.verdict == "reject"
    assert decision.summary == "The holdout has only 80 rows, and a verdict requires 500."
    assert [check.name for check in decision.checks] == ["predictions", "min_holdout_rows"]
    assert decision.as_document()["metrics"]["challenger"] is None


def test_a_model_that_is_too_big():
    policy = GatePolicy("accuracy", 0.95, 0.0, max_model_megabytes=20)
    decision = judge(model(range(20)), None, policy, model_bytes=25_300_000)
    assert decision.summary == "The model's 25.3 MB exceed the allowed 20 MB."
    assert judge(model(range(20)), None, policy, model_bytes=20_000_000).verdict == "promote"
    decision = judge(model(range(20)), None, policy)
    assert decision.summary == "The model's size could not be found out; at most 20 MB are allowed."


def test_a_latency_that_nobody_measured_is_no_proof():
    policy = GatePolicy("accuracy", 0.95, 0.0, max_latency_ms=50)
    decision = judge(model(range(20)), None, policy)
    assert decision.summary == (
        "The challenger's latency was not measured, and at most 50 ms are allowed: a training job's own word "
        "is not "
        "taken for it. Switch the bound off to go without."
    )
    assert judge(model(range(20)), None, policy, latency_ms=12.5).verdict == "promote"
    decision = judge(model(range(20)), None, policy, latency_ms=80)
    assert decision.summary == "The challenger's latency of 80 ms exceeds the allowed 50 ms."


def test_a_champion_without_predictions_on_this_holdout():
    unknown = Champion("mnist-0-1", None, "champion_predictions.csv is missing.")
    decision = judge(model(range(1)), unknown)
    assert decision.verdict == "reject"
    assert decision.summary == (
        "The challenger cannot be compared with the champion: champion_predictions.csv is missing."
    )
    policy = GatePolicy(
        "accuracy", 0.95, 0.0, slice_max_drop=0.1, without_champion_predictions="thresholds_only"
    )
    decision = judge(model(range(1)), unknown, policy)
    assert decision.verdict == "promote"
    assert decision.summary == (
        "Accuracy 99.90 % (999 of 1,000) reaches the required 95.00 %. There is nothing to compare with: "
        "champion_predictions.csv is missing. The policy lets thresholds alone decide "
        "(without_champion_predictions is thresholds_only)."
    )
    assert judge(model(range(90)), unknown, policy).verdict == "reject"


def test_a_holdout_of_a_single_class():
    decision = judge(joined(["7"] * 300, ["7"] * 300))
    assert decision.verdict == "reject"
    assert decision.summary == (
        "Every row of the holdout has the label 7: a model that always answers that would be perfect, so "
        "there can "
        "be no verdict. Put rows of the other classes into the holdout."
    )


LABELS = truth(300)
SHUFFLED = LABELS.copy()
Random(3).shuffle(SHUFFLED)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            predictions_csv(LABELS[:250], LABELS[:250]),
            "predictions.csv lacks 50 of the holdout's ids; the first: 250,",
        ),
        (predictions_csv(LABELS, LABELS) + b"3,3,3\n", "predictions.csv has 1 id too often; the first: 3."),
        (
            predictions_csv(LABELS, ["nan", *LABELS[1:]]),
            "has 1 row without a usable prediction; the first: 0 (nan).",
        ),
        (
            predictions_csv(["5", *LABELS[1:]], LABELS),
            "claims 1 label in contradiction to the holdout; the first: 0 (claimed 5, true 0).",
        ),
        (
            predictions_csv(SHUFFLED, SHUFFLED),
            "labels in contradiction to the holdout; the first: 0 (claimed",
        ),
        (predictions_csv([*LABELS, "1"], [*LABELS, "1"]), "has 1 id unknown to the holdout; the first: 300."),
        (b"", "predictions.csv is empty."),
        (b"x,y\n1,2\n", "predictions.csv lacks the column id, label, prediction; its first line is 'x,y'."),
    ],
    ids=["cut short", "repeated", "NaN", "other labels", "shuffled", "unknown", "empty", "wrong shape"],
)
def test_predictions_that_cannot_be_judged(data, said):
    found, findings = predictions.join(data, read_truth(labels_csv(LABELS), "labels.csv"), "predictions.csv")
    decision = gate.decide(POLICY, found, findings, champion(range(5)))
    assert decision.verdict == "reject"
    assert decision.summary.startswith("The challenger cannot be judged: predictions.csv ")
    assert said in decision.summary


def test_predictions_shuffled_with_their_true_labels_are_simply_bad():
    found, findings = predictions.join(
        predictions_csv(LABELS, SHUFFLED), read_truth(labels_csv(LABELS), "labels.csv"), "predictions.csv"
    )
    decision = gate.decide(POLICY, found, findings, None)
    assert decision.summary.startswith("Accuracy ")
    assert "is below the required 95.00 %." in decision.summary


def test_every_finding_is_told():
    findings = [
        Finding("missing", 3, "predictions.csv lacks 3 ids."),
        Finding("unknown", 1, "One is unknown."),
    ]
    decision = gate.decide(POLICY, None, findings, champion(range(20)))
    assert decision.summary == "The challenger cannot be judged: predictions.csv lacks 3 ids. One is unknown."
    assert [check.figure for check in decision.checks] == [3, 1]
    metrics_document = decision.as_document()["metrics"]
    assert (metrics_document["challenger"], metrics_document["champion"]) == (None, None)


QUANTITIES = [float(row) for row in range(1000)]


def predictor(error: float, seed: int = 1, rows: int = 1000) -> Joined:
    random = Random(seed)
    return joined_values(QUANTITIES[:rows], [value + random.gauss(0, error) for value in QUANTITIES[:rows]])


def test_a_metric_where_lower_is_better():
    policy = GatePolicy("rmse", 2.5, 0.0)
    decision = judge(predictor(1), Champion("c", predictor(2, seed=2)), policy)
    assert decision.verdict == "promote"
    assert decision.summary == (
        "RMSE 1.003 stays within the allowed 2.5. RMSE 1.003 is 1.002 better than the champion's 2.005, "
        "which is not "
        "worse, as asked. The challenger is significantly better than the champion: the mean squared error "
        "differs by "
        "-3.02 (paired bootstrap in its normal limit, 1,000 rows), p < 1e-16, level 0.05."
    )
    decision = judge(predictor(2, seed=2), Champion("c", predictor(1)), policy)
    assert sentence(decision, "change_threshold").startswith(
        "failed: RMSE 2.005 is 1.002 worse than the champion's"
    )
    assert sentence(decision, "significance").startswith("failed: The challenger is significantly worse")
    assert judge(predictor(3), None, policy).summary == "RMSE 3.01 is above the allowed 2.5."
    assert decision.as_document()["metrics"]["metric"] == "rmse"


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_small_holdouts_of_quantities_are_resampled(metric):
    policy = GatePolicy(metric, 10, -10)
    decision = judge(predictor(2, rows=200), Champion("c", predictor(1, seed=2, rows=200)), policy)
    assert sentence(decision, "significance").startswith("failed: The challenger is significantly worse")
    assert "(paired bootstrap, 200 rows)" in decision.summary


def test_slices_of_quantities_have_their_errors_bounded():
    half = ["low" if row < 500 else "high" for row in range(1000)]
    values = [value + (9 if value < 500 else 1) for value in QUANTITIES]
    policy = GatePolicy("mae", 10, 0.0, slice_floor=5, slice_max_drop=2)
    theirs = joined_values(QUANTITIES, [value + 6 for value in QUANTITIES], half=half)
    decision = judge(joined_values(QUANTITIES, values, half=half), Champion("c", theirs), policy)
    assert decision.summary == (
        "1 of 2 classes and slices is beyond the largest error allowed, 5: slice half=low with MAE 9 over "
        "500 rows. "
        "1 of 2 classes and slices is worse than the champion by more than 2: slice half=low from 6 to 9."
    )


@pytest.mark.parametrize("metric", ["macro_f1", "balanced_accuracy"])
def test_other_metrics_of_classes_are_tested_by_the_paired_bootstrap(metric):
    policy = GatePolicy(metric, 0.9, -0.1)
    decision = judge(model(SEVENS[:50]), champion(range(10)), policy)
    assert decision.verdict == "reject"
    assert decision.summary.startswith(
        "The challenger is significantly worse than the champion: the difference lies between -"
    )
    assert decision.summary.endswith("points (paired bootstrap), p = 0.001, level 0.05.")
    assert judge(model(range(10, 20)), champion(range(10)), policy).verdict == "promote"


def test_log_loss_is_judged_by_the_probabilities():
    labels = truth()
    sure = Joined(joined(labels, labels).truth, labels, [], [0.9] * 1000)
    unsure = Joined(sure.truth, labels, [], [0.6, 0.8] * 500)
    policy = GatePolicy("log_loss", 0.5, -0.9)
    assert judge(sure, Champion("c", unsure), policy).verdict == "promote"
    decision = judge(unsure, Champion("c", sure), policy)
    assert decision.summary.startswith(
        "The challenger is significantly worse than the champion: the mean loss differs by +0.262"
    )


def test_labels_from_files_cannot_break_a_sentence():
    labels = ["a\nb" + "x" * 200, "c"] * 200
    decision = judge(joined(labels, ["c"] * 400), None, GatePolicy("accuracy", 0.5, slice_floor=0.5))
    assert "class a?bxxx" in decision.summary
    assert decision.summary.isprintable()
    assert len(decision.summary) < 300


def test_the_document_keeps_what_records_had_before():
    document = judge(model(range(20)), champion(range(30))).as_document()
    assert {name: document["metrics"]["challenger"][name] for name in ("accuracy", "correct", "rows")} == {
        "accuracy": 0.98,
        "correct": 980,
        "rows": 1000,
    }
    low, high = document["metrics"]["challenger"]["intervals"]["accuracy"]
    assert low < 0.98 < high


def test_details_have_the_confusion_and_every_class():
    details = judge(model(SEVENS[:5]), champion(range(1))).details()
    assert details["confusion"]["challenger"]["matrix"][7] == [0, 0, 0, 0, 0, 0, 0, 95, 5, 0]
    assert [entry["value"] for entry in details["groups"]] == [str(label) for label in range(10)]
    assert details["groups"][7]["challenger"] == 0.95
    assert details["groups"][0]["champion"] == 0.99


@settings(max_examples=examples(50))
@given(st.integers(20, 300), st.data())
def test_promotion_means_that_every_check_passed(rows, data):
    ours, theirs = (data.draw(st.lists(st.integers(0, rows - 1), unique=True)) for _ in range(2))
    policy = GatePolicy("accuracy", data.draw(st.floats(0, 1)), 0.0)
    decision = judge(model(ours, rows), champion(theirs, rows), policy)
    assert (decision.verdict == "promote") == all(check.passed for check in decision.checks)
    assert (decision.verdict == "promote") == (
        1 - len(ours) / rows >= policy.value_threshold - 1e-12 and len(ours) <= len(theirs)
    )
    assert all(check.sentence.endswith(".") for check in decision.checks)


@pytest.mark.parametrize(("value", "text"), [(0.5, "50.00 %"), (1.0, "100.00 %"), (0.98765, "98.77 %")])
def test_percent(value, text):
    assert metrics.percent(value) == text
