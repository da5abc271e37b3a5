"""The gate's checks: each one a figure against a bound, and a sentence about it for people."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from retraining import intervals, metrics
from retraining.labels import readable
from retraining.metrics import ACCURACY, Metric, percent
from retraining.policy import GatePolicy
from retraining.predictions import Joined
from retraining.scores import CLASS, Group, Key, Score

MEGABYTE = 1_000_000
_LEAST_P = 1e-16
_NAMED = 3
"""How many failing classes and slices a sentence names."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a verdict.

    Attributes
    ----------
    name : str
        The check, as in the policy.
    figure, bound : float or None
        What was found and what was asked; None where there is no such figure.
    passed : bool
        Whether it speaks for promotion.
    sentence : str
        The same for people.
    """

    name: str
    figure: float | None
    bound: float | None
    passed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Costs:
    """What serving the challenger would cost; None where it was not measured.

    Attributes
    ----------
    model_bytes : int or None
        Size of the model artifact.
    latency_ms : float or None
        Time for one answer, measured by somebody else than the training job.
    """

    model_bytes: int | None = None
    latency_ms: float | None = None


def every_row(rows: int) -> Check:
    """Tell that the predictions could be joined."""
    return Check("predictions", 0, 0, True, f"All {rows:,} rows of the holdout were predicted, each once.")


def min_holdout_rows(policy: GatePolicy, rows: int) -> Check:
    """Ask for enough rows to judge by."""
    bound = policy.min_holdout_rows
    passed = rows >= bound
    sentence = (
        f"The holdout's {rows:,} rows are enough: {bound:,} are required."
        if passed
        else f"The holdout has only {rows:,} rows, and a verdict requires {bound:,}."
    )
    return Check("min_holdout_rows", rows, bound, passed, sentence)


def single_class(joined: Joined) -> Check | None:
    """Refuse a holdout with one class, on which a model that always says the same is perfect."""
    classes = set(joined.truth.labels) if not joined.truth.numeric else set()
    if len(classes) != 1:
        return None
    (only,) = classes
    sentence = (
        f"Every row of the holdout has the label {readable(only)}: a model that always answers that would be "
        "perfect, so there can be no verdict. Put rows of the other classes into the holdout."
    )
    return Check("holdout_classes", 1, 2, False, sentence)


def value_threshold(policy: GatePolicy, found: Score) -> Check:
    """Compare the metric with its absolute bound."""
    metric, bound = policy.judged_by, policy.value_threshold
    value = found.values[metric.name]
    passed = metric.reaches(value, bound)
    counted = (
        f" ({found.correct:,} of {found.rows:,})" if metric is ACCURACY and found.correct is not None else ""
    )
    if metric.higher_is_better:
        relation = "reaches the required" if passed else "is below the required"
    else:
        relation = "stays within the allowed" if passed else "is above the allowed"
    sentence = f"{metric.title} {metric.written(value)}{counted} {relation} {metric.written(bound)}."
    return Check("value_threshold", value, bound, passed, sentence)


def change_threshold(policy: GatePolicy, found: Score, champion: Score) -> Check:
    """Compare the gain over the champion with the least that is asked."""
    metric, bound = policy.judged_by, policy.change_threshold
    value, theirs = found.values[metric.name], champion.values[metric.name]
    gain = metric.gain(value, theirs)
    passed = metric.reaches(value, theirs + bound if metric.higher_is_better else theirs - bound)
    size = metric.written_difference(gain)
    relation = f"{size} better than" if gain > 0 else f"{size} worse than" if gain < 0 else "equal to"
    if bound == 0:
        allowed = "which is not worse, as asked" if passed else "and must not be worse"
    elif bound > 0:
        allowed = f"a gain of at least {metric.written_difference(bound)} is asked"
    else:
        allowed = f"a loss of at most {metric.written_difference(bound)} is tolerated"
    sentence = (
        f"{metric.title} {metric.written(value)} is {relation} the champion's {metric.written(theirs)}, "
        f"{allowed}."
    )
    return Check("change_threshold", gain, bound, passed, sentence)


def significance(policy: GatePolicy, challenger: Joined, champion: Joined) -> Check:
    """Test whether the two models differ on the same rows by more than chance.

    Exact McNemar for accuracy, the paired bootstrap of the metric itself for all others.
    """
    metric = policy.judged_by
    if metric is ACCURACY:
        p_value, better, evidence = _mcnemar(challenger, champion)
    elif metric.by_row:
        p_value, better, evidence = _paired_rows(challenger, champion, metric)
    else:
        p_value, better, evidence = _paired_tables(challenger, champion, metric)
    significant = p_value < policy.alpha
    asked = policy.significance == "better"
    passed = (significant and better) if asked else not (significant and not better)
    if significant:
        said = f"significantly {'better' if better else 'worse'} than the champion"
    else:
        said = "not significantly different from the champion"
    demand = ", and must be significantly better" if asked and not passed else ""
    sentence = f"The challenger is {said}{demand}: {evidence}, {_written_p(p_value)}, level {policy.alpha:g}."
    return Check("significance", p_value, policy.alpha, passed, sentence)


def slice_floor(
    policy: GatePolicy, bound: float, groups: Mapping[Key, Group], left_out: Mapping[Key, int]
) -> Check:
    """Compare every class and slice with the floor; name those that are too small for it, with their rows."""
    metric = _group_metric(policy)
    if not groups:
        return _none_large_enough("slice_floor", policy, bound)
    worst_first = sorted(groups, key=lambda key: metric.gain(groups[key].figure, bound))
    failing = [key for key in worst_first if not metric.reaches(groups[key].figure, bound)]
    worst = groups[worst_first[0]]
    limit = f"{'floor of' if metric.higher_is_better else 'largest error allowed,'} {metric.written(bound)}"
    if failing:
        named = "; ".join(
            f"{_group_name(key)} {_group_figure(groups[key], metric)}" for key in failing[:_NAMED]
        )
        sentence = f"{_count(len(failing), len(groups))} beyond the {limit}: {named}{_more(failing)}."
    else:
        sentence = (
            f"No class or slice lies beyond the {limit}; the worst of {len(groups):,} is "
            f"{_group_name(worst_first[0])} {_group_figure(worst, metric)}."
        )
    if left_out and not failing:
        largest = sorted(left_out, key=lambda key: -left_out[key])
        named = ", ".join(f"{_group_name(key)} ({left_out[key]:,})" for key in largest[:_NAMED])
        sentence += f" Not judged, with fewer than {policy.slice_min_rows:,} rows: {named}{_more(largest)}."
    return Check("slice_floor", worst.figure, bound, not failing, sentence)


def slice_max_drop(
    policy: GatePolicy, bound: float, challenger: Mapping[Key, Group], champion: Mapping[Key, Group]
) -> Check:
    """Compare every class and slice with the champion's."""
    metric = _group_metric(policy)
    if not challenger:
        return _none_large_enough("slice_max_drop", policy, bound)
    drops = {key: -metric.gain(group.figure, champion[key].figure) for key, group in challenger.items()}
    worst_first = sorted(drops, key=lambda key: -drops[key])
    failing = [key for key in worst_first if drops[key] > bound + 1e-12]
    limit = metric.written_difference(bound)

    def told(key: Key) -> str:
        now, before = metric.written(challenger[key].figure), metric.written(champion[key].figure)
        return f"{_group_name(key)} from {before} to {now}"

    if failing:
        named = "; ".join(told(key) for key in failing[:_NAMED])
        count = _count(len(failing), len(drops))
        sentence = f"{count} worse than the champion by more than {limit}: {named}{_more(failing)}."
    elif drops[worst_first[0]] > 0:
        sentence = (
            f"No class or slice is worse than the champion by more than {limit}; the largest drop of "
            f"{len(drops):,} is {told(worst_first[0])}."
        )
    else:
        sentence = f"None of {len(drops):,} classes and slices is worse than the champion."
    return Check("slice_max_drop", drops[worst_first[0]], bound, not failing, sentence)


def max_model_megabytes(bound: float, costs: Costs) -> Check:
    """Compare the artifact's size with the largest allowed."""
    if costs.model_bytes is None:
        sentence = f"The model's size could not be found out; at most {bound:g} MB are allowed."
        return Check("max_model_megabytes", None, bound, False, sentence)
    size = costs.model_bytes / MEGABYTE
    passed = size <= bound
    written = f"{size:,.1f}" if size >= 100 else f"{size:.3g}"
    sentence = f"The model's {written} MB {'stay within' if passed else 'exceed'} the allowed {bound:g} MB."
    return Check("max_model_megabytes", size, bound, passed, sentence)


def max_latency_ms(bound: float, costs: Costs) -> Check:
    """Compare the measured latency with the longest allowed; what nobody measured is no proof."""
    if costs.latency_ms is None:
        sentence = (
            f"The challenger's latency was not measured, and at most {bound:g} ms are allowed: a training "
            "job's own word is not taken for it. Switch the bound off to go without."
        )
        return Check("max_latency_ms", None, bound, False, sentence)
    passed = costs.latency_ms <= bound
    relation = "stays within" if passed else "exceeds"
    sentence = f"The challenger's latency of {costs.latency_ms:.3g} ms {relation} the allowed {bound:g} ms."
    return Check("max_latency_ms", costs.latency_ms, bound, passed, sentence)


def _mcnemar(challenger: Joined, champion: Joined) -> tuple[float, bool, str]:
    labels = challenger.truth.labels
    ours = map(str.__eq__, labels, challenger.predicted)
    theirs = map(str.__eq__, labels, champion.predicted)
    table = Counter(zip(ours, theirs, strict=True))
    gained, lost = table[True, False], table[False, True]
    p_value = intervals.mcnemar(gained, lost)
    return p_value, gained > lost, f"{gained:,} rows won and {lost:,} lost (exact McNemar test)"


def _paired_rows(challenger: Joined, champion: Joined, metric: Metric) -> tuple[float, bool, str]:
    ours, theirs = metrics.losses(challenger, metric), metrics.losses(champion, metric)
    differences = [one - other for one, other in zip(ours, theirs, strict=True)]
    difference = metrics.mean(differences)
    loss = "squared error" if metric is metrics.RMSE else "loss" if metric is metrics.LOG_LOSS else "error"
    limit = " in its normal limit" if len(ours) > intervals.ROW_LIMIT else ""
    evidence = f"the mean {loss} differs by {difference:+.3g} (paired bootstrap{limit}, {len(ours):,} rows)"
    return intervals.mean_test(differences), difference < 0, evidence


def _paired_tables(challenger: Joined, champion: Joined, metric: Metric) -> tuple[float, bool, str]:
    table = Counter(zip(challenger.truth.labels, challenger.predicted, champion.predicted, strict=True))

    def difference(cells: list[tuple[tuple[str, str, str], int]]) -> list[float]:
        ours: Counter[tuple[str, str]] = Counter()
        theirs: Counter[tuple[str, str]] = Counter()
        for (true, one, other), count in cells:
            ours[true, one] += count
            theirs[true, other] += count
        mine, its = metrics.classification(ours.items()), metrics.classification(theirs.items())
        return [mine[metric.name] - its[metric.name]]

    (observed,) = difference(list(table.items()))
    (resampled,) = intervals.bootstrap_counts(table, difference, intervals.TEST_RESAMPLES)
    low, high = intervals.percentiles(resampled)
    evidence = f"the difference lies between {low * 100:+.2f} and {high * 100:+.2f} points (paired bootstrap)"
    return intervals.crossing(resampled), observed > 0, evidence


def _group_metric(policy: GatePolicy) -> Metric:
    return policy.judged_by if policy.judged_by.numeric else ACCURACY


def _group_name(key: Key) -> str:
    column, value = key
    text = readable(value) or "(empty)"
    return f"class {text}" if column == CLASS else f"slice {readable(column)}={text}"


def _group_figure(group: Group, metric: Metric) -> str:
    if metric is ACCURACY:
        return f"with {percent(group.figure)} of {group.rows:,} rows right"
    return f"with {metric.title} {metric.written(group.figure)} over {group.rows:,} rows"


def _count(failing: int, of: int) -> str:
    return f"{failing:,} of {of:,} classes and slices {'is' if failing == 1 else 'are'}"


def _more(failing: list[Key]) -> str:
    return f"; and {len(failing) - _NAMED:,} more" if len(failing) > _NAMED else ""


def _none_large_enough(name: str, policy: GatePolicy, bound: float) -> Check:
    sentence = f"No class or slice has the {policy.slice_min_rows:,} rows that it takes to judge it."
    return Check(name, None, bound, True, sentence)


def _written_p(p_value: float) -> str:
    if p_value < _LEAST_P:
        return f"p < {_LEAST_P:g}"
    return f"p = {p_value:.2g}" if p_value >= 1e-4 else f"p = {p_value:.1e}"
