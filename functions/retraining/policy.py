"""The gate's policy: its fields and their bounds, and how the layers of a policy lie over each other.

A policy is made of the stack's parameters, overridden by the dataset's own policy in the ledger, overridden
by the request. ``off`` switches a bound off; ``auto`` leaves it to what suits the metric.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from retraining.errors import SettingsError
from retraining.fields import Fields, shown
from retraining.metrics import METRICS, Metric

OFF = "off"
AUTO = "auto"

SIGNIFICANCE = (OFF, "not_worse", "better")
WITHOUT_CHAMPION_PREDICTIONS = ("reject", "thresholds_only")

_LARGE = 1e9
_AUTO_SLICES = {"slice_floor": 0.5, "slice_max_drop": 0.1}
"""What ``auto`` is for a classifier: no class may collapse. For quantities there is no such number."""


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What a challenger has to fulfil.

    Attributes
    ----------
    metric : str
        What is judged by.
    value_threshold : float
        The least value of the metric, or the largest if lower is better.
    change_threshold : float
        The least gain over the champion; negative tolerates a loss.
    significance : str
        ``not_worse``: a challenger that is significantly worse is rejected; ``better``: it must be
        significantly better; ``off``.
    alpha : float
        The level of that test.
    slice_floor : float or None
        The least share of right rows in every class and slice; for quantities the largest error in every
        slice. None is off.
    slice_max_drop : float or None
        How much worse than the champion any class or slice may become, in the same unit.
    slice_min_rows : int
        Classes and slices with fewer rows are not judged.
    max_model_megabytes, max_latency_ms : float or None
        The cost of serving.
    min_holdout_rows : int
        With fewer rows there is no verdict.
    without_champion_predictions : str
        What becomes of a challenger whose champion has no predictions on this holdout: ``reject``, or
        ``thresholds_only``.
    """

    metric: str = "accuracy"
    value_threshold: float = 0.95
    change_threshold: float = 0.0
    significance: str = "not_worse"
    alpha: float = 0.05
    slice_floor: float | None = None
    slice_max_drop: float | None = None
    slice_min_rows: int = 100
    max_model_megabytes: float | None = None
    max_latency_ms: float | None = None
    min_holdout_rows: int = 1
    without_champion_predictions: str = "reject"

    @property
    def judged_by(self) -> Metric:
        """The metric itself."""
        return METRICS[self.metric]


NAMES = tuple(field.name for field in fields(GatePolicy))
SWITCHABLE = ("slice_floor", "slice_max_drop", "max_model_megabytes", "max_latency_ms")


def parse(section: Fields) -> dict[str, Any]:
    """Read overrides of a policy, each within its bounds; complaints go where the section's go.

    Returns
    -------
    dict
        The fields that were given; ``off`` and ``auto`` as they are.
    """
    found = {
        "metric": section.choice("metric", tuple(METRICS)),
        "value_threshold": section.number("value_threshold", 0, _LARGE),
        "change_threshold": section.number("change_threshold", -_LARGE, _LARGE),
        "significance": section.choice("significance", SIGNIFICANCE),
        "alpha": section.number("alpha", 0.001, 0.5),
        "slice_floor": section.number("slice_floor", 0, _LARGE, words=(OFF, AUTO)),
        "slice_max_drop": section.number("slice_max_drop", 0, _LARGE, words=(OFF, AUTO)),
        "slice_min_rows": section.whole("slice_min_rows", 1, 1_000_000_000),
        "max_model_megabytes": section.number("max_model_megabytes", 0, 1_000_000, words=(OFF,)),
        "max_latency_ms": section.number("max_latency_ms", 0, 3_600_000, words=(OFF,)),
        "min_holdout_rows": section.whole("min_holdout_rows", 1, 1_000_000_000),
        "without_champion_predictions": section.choice(
            "without_champion_predictions", WITHOUT_CHAMPION_PREDICTIONS
        ),
    }
    return {name: value for name, value in found.items() if value is not None}


def from_stack(parameters: Mapping[str, str]) -> GatePolicy:
    """Make the stack's own policy of its parameters.

    Parameters
    ----------
    parameters : mapping
        Texts by field name.

    Raises
    ------
    SettingsError
        Naming the parameters that are wrong.
    """
    problems: list[str] = []
    section = Fields("gate", {name: as_value(text) for name, text in parameters.items() if text}, problems)
    layer = parse(section)
    section.refuse_unknown()
    policy = GatePolicy()
    if not problems:
        policy = _laid_over(policy, layer, "gate", problems, is_base=True)
    if problems:
        raise SettingsError("The stack's parameters for the gate (Gate...) are wrong. " + " ".join(problems))
    return policy


def overlay(base: GatePolicy, overrides: object, path: str) -> tuple[GatePolicy, list[str]]:
    """Lay overrides over a policy.

    Parameters
    ----------
    base : GatePolicy
        The policy below.
    overrides : object
        Any JSON value; None for no overrides.
    path : str
        What the fields are called in complaints.

    Returns
    -------
    GatePolicy
        The policy with the overrides; of no use if there are complaints.
    list of str
        One sentence for every field that is wrong.
    """
    problems: list[str] = []
    section = Fields(path, {} if overrides is None else overrides, problems)
    layer = parse(section)
    section.refuse_unknown()
    return (base if problems else _laid_over(base, layer, path, problems)), problems


def as_value(text: str) -> object:
    """Return what a text means in a policy: a number if it is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip()


def _laid_over(
    base: GatePolicy, layer: Mapping[str, Any], path: str, problems: list[str], *, is_base: bool = False
) -> GatePolicy:
    """Return the policy with a layer over it; a change of metric leaves behind what was in another unit."""
    values = {name: getattr(base, name) for name in NAMES}
    metric = METRICS[layer.get("metric", base.metric)]
    before = base.judged_by
    if is_base:
        values |= dict.fromkeys(_AUTO_SLICES, AUTO)
    elif metric is not before and not (metric.proportion and before.proportion):
        if "value_threshold" not in layer:
            problems.append(
                f"The field {path}.value_threshold is missing: the metric becomes {metric.name}, and "
                f"{before.written(base.value_threshold)} was meant for {before.name}."
            )
        values["change_threshold"] = 0.0
        if metric.numeric or before.numeric:
            values |= dict.fromkeys(_AUTO_SLICES, AUTO)
    values |= layer
    for name, automatic in _AUTO_SLICES.items():
        if values[name] == AUTO:
            values[name] = None if metric.numeric else automatic
    for name in SWITCHABLE:
        if values[name] == OFF:
            values[name] = None
    _check_units(values, metric, path, problems)
    return GatePolicy(**values)


def _check_units(values: Mapping[str, Any], metric: Metric, path: str, problems: list[str]) -> None:
    """Complain of bounds that no value of the metric could have."""
    if metric.proportion:
        for name, least in (("value_threshold", 0), ("change_threshold", -1)):
            if not least <= values[name] <= 1:
                problems.append(
                    f"The field {path}.{name} is {shown(values[name])}; for {metric.name} it must be a "
                    f"number from {least} to 1."
                )
    if not metric.numeric:
        problems.extend(
            f"The field {path}.{name} is {shown(values[name])}; for {metric.name} it is a share of rows and "
            "must be a number from 0 to 1."
            for name in _AUTO_SLICES
            if values[name] is not None and values[name] > 1
        )
