"""Our statistics against those of scikit-learn, scipy and statsmodels."""

import math
import warnings
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as reference
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from retraining import intervals, metrics, sampling, scores
from retraining.metrics import LOG_LOSS, MAE, RMSE
from retraining.predictions import Joined
from retraining.truth import Truth
from tests.exploring import examples
from tests.unit.functions.fakes import joined, joined_values

CLOSE = 1e-9
ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=150)
QUANTITY = st.floats(-1e6, 1e6, allow_subnormal=False)


def close(ours: float, theirs: float) -> bool:
    return math.isclose(ours, theirs, rel_tol=CLOSE, abs_tol=CLOSE)


@given(ROWS)
def test_classification_agrees_with_scikit_learn(rows):
    labels, predicted = ([str(value) for value in column] for column in zip(*rows, strict=True))
    found = metrics.classification(scores.score(joined(labels, predicted)).confusion.items())
    assert close(found["accuracy"], reference.accuracy_score(labels, predicted))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes that are predicted and not there
        assert close(found["balanced_accuracy"], reference.balanced_accuracy_score(labels, predicted))
    theirs = reference.f1_score(labels, predicted, average="macro", zero_division=0)
    assert close(found["macro_f1"], theirs)


@given(ROWS)
def test_the_confusion_matrix_is_scikit_learns(rows):
    labels, predicted = ([str(value) for value in column] for column in zip(*rows, strict=True))
    document = scores.score(joined(labels, predicted)).confusion_document()
    assert document is not None
    assert document["classes"] == sorted({*labels, *predicted}, key=int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a single class
        theirs = reference.confusion_matrix(labels, predicted, labels=document["classes"])
    assert document["matrix"] == theirs.tolist()


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(sum)),
        min_size=1,
        max_size=60,
    )
)
def test_log_loss_agrees_with_scikit_learn(rows):
    probabilities = np.array([weights for _, weights in rows])
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = [str(label) for label, _ in rows]
    of_truth = [float(row[int(label)]) for row, label in zip(probabilities, labels, strict=True)]
    truth = Truth({str(row): row for row in range(len(labels))}, labels)
    found = scores.score(Joined(truth, labels, [], of_truth)).values["log_loss"]
    assert close(found, reference.log_loss(labels, probabilities, labels=["0", "1", "2"]))


@given(st.lists(st.tuples(QUANTITY, QUANTITY), min_size=1, max_size=60))
def test_errors_agree_with_scikit_learn(rows):
    values, predicted = ([float(value) for value in column] for column in zip(*rows, strict=True))
    found = scores.score(joined_values(values, predicted)).values
    assert close(found["rmse"], reference.root_mean_squared_error(values, predicted))
    assert close(found["mae"], reference.mean_absolute_error(values, predicted))


@given(st.integers(1, 10**6), st.data(), st.floats(0.5, 0.999))
def test_wilson_agrees_with_scipy_and_statsmodels(rows, data, confidence):
    successes = data.draw(st.integers(0, rows))
    low, high = intervals.wilson(successes, rows, confidence)
    theirs = stats.binomtest(successes, rows).proportion_ci(confidence, method="wilson")
    assert close(low, theirs.low)
    assert close(high, theirs.high)
    other_low, other_high = proportion_confint(successes, rows, 1 - confidence, method="wilson")
    assert close(low, other_low)
    assert close(high, other_high)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_exact_mcnemar_agrees_with_statsmodels_and_scipy(gained, lost):
    ours = intervals.mcnemar(gained, lost)
    assert close(ours, mcnemar([[7, gained], [lost, 5]], exact=True).pvalue)
    if gained + lost:
        assert close(ours, stats.binomtest(gained, gained + lost).pvalue)
    # scipy gives 0 for some of the least probabilities: whole numbers know better.
    assert math.isclose(ours, by_whole_numbers(gained, lost), rel_tol=CLOSE, abs_tol=1e-300)


def by_whole_numbers(gained: int, lost: int) -> float:
    """The exact McNemar test without a rounding before the last."""
    pairs, term, total = gained + lost, 1, 0
    for wins in range(min(gained, lost) + 1):
        total += term
        term = term * (pairs - wins) // (wins + 1)
    return float(min(Fraction(1), Fraction(2 * total, 2**pairs)))


def test_exact_mcnemar_on_a_million_rows():
    assert close(intervals.mcnemar(500_700, 499_300), stats.binomtest(500_700, 1_000_000).pvalue)
    assert intervals.mcnemar(999_000, 1_000) == 0.0


@pytest.mark.parametrize(
    ("trials", "probability"), [(20, 0.1), (20, 0.97), (50, 0.5), (1000, 0.3), (10**6, 0.9)]
)
def test_binomial_draws_have_the_distribution(trials, probability):
    random = Random(1)
    drawn = np.array([sampling.binomial(random, trials, probability) for _ in range(4000)])
    assert ((drawn >= 0) & (drawn <= trials)).all()
    edges = np.unique(stats.binom.ppf(np.linspace(0.1, 0.9, 9), trials, probability))
    expected = np.diff([0, *stats.binom.cdf(edges, trials, probability), 1]) * len(drawn)
    observed = np.diff([0, *[(drawn <= edge).sum() for edge in edges], len(drawn)])
    kept = expected > 0
    assert stats.chisquare(observed[kept], expected[kept]).pvalue > 1e-3


@given(st.lists(st.integers(1, 500), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_a_resample_has_as_many_rows(counts, random):
    drawn = sampling.multinomial(random, counts)
    assert sum(drawn) == sum(counts)
    assert len(drawn) == len(counts)
    assert min(drawn) >= 0


def test_binomial_of_nothing():
    random = Random(1)
    assert [
        sampling.binomial(random, trials, chance) for trials, chance in [(0, 0.3), (5, 0.0), (5, 1.0)]
    ] == [0, 0, 5]


def simulated(rows: int = 400) -> tuple[list[str], list[str], list[str]]:
    generator = np.random.default_rng(5)
    labels = generator.integers(0, 4, rows)
    ours, theirs = (
        np.where(generator.random(rows) < 0.8, labels, generator.integers(0, 4, rows)) for _ in range(2)
    )
    return tuple([str(value) for value in column] for column in (labels, ours, theirs))


def test_the_bootstrap_of_counts_is_that_of_rows():
    labels, predicted, _ = simulated()
    found = scores.score(joined(labels, predicted)).spans["macro_f1"]
    generator, values = np.random.default_rng(6), []
    for _ in range(1000):
        rows = generator.integers(0, len(labels), len(labels))
        values.append(reference.f1_score(np.array(labels)[rows], np.array(predicted)[rows], average="macro"))
    theirs = np.percentile(values, [2.5, 97.5])
    assert np.allclose(found, theirs, atol=0.006)


def test_the_interval_of_a_mean_is_scipys_bootstrap():
    errors = np.random.default_rng(7).normal(0, 2, 400)
    found = scores.score(joined_values([0.0] * 400, errors.tolist())).spans["rmse"]
    theirs = stats.bootstrap(
        ((errors**2),), lambda values, axis: np.sqrt(values.mean(axis=axis)), method="percentile", rng=8
    ).confidence_interval
    assert np.allclose(found, theirs, atol=0.02)


@pytest.mark.parametrize("rows", [intervals.ROW_LIMIT, 4 * intervals.ROW_LIMIT])
@pytest.mark.parametrize("shift", [0.0, 0.02, 0.1, 0.3])
def test_the_paired_test_of_means_agrees_with_the_paired_t_test(rows, shift):
    differences = np.random.default_rng(9).normal(shift, 1, rows)
    theirs = stats.ttest_1samp(differences, 0).pvalue
    assert math.isclose(intervals.mean_test(differences.tolist()), theirs, abs_tol=0.05)


def test_means_without_spread():
    assert intervals.mean_test([0.0] * 9) == 1.0
    assert intervals.mean_test([0.5] * 9) == 0.0
    assert intervals.mean_interval([2.0]) == (2.0, 2.0)


def test_chance_is_seeded():
    labels, predicted, _ = simulated()
    assert scores.score(joined(labels, predicted)) == scores.score(joined(labels, predicted))


def test_a_table_of_very_many_cells_is_resampled_less_often():
    counts = dict.fromkeys(range(20_000), 1)
    (values,) = intervals.bootstrap_counts(counts, lambda table: [sum(count for _, count in table)])
    assert len(values) == intervals.FEWEST_RESAMPLES


@settings(max_examples=examples(30))
@given(st.sampled_from([RMSE, MAE, LOG_LOSS]))
def test_losses_are_of_their_kind_only(metric):
    wrong = joined(["1"], ["1"])
    if metric is LOG_LOSS:
        with pytest.raises(ValueError, match="log_loss is no mean"):
            metrics.losses(wrong, metric)
    else:
        assert metrics.losses(wrong, metric) == []
