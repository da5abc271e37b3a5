"""Hyperparameter tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from retrain.workflow.errors import EstimatorError, MissingRequiredParameterError
from retrain.workflow.estimators.estimator import EstimatorBase, as_estimator
from retrain.workflow.estimators.inputs import Data, given


class ParameterRange:
    """The values that a hyperparameter may take, between two bounds."""

    kind: ClassVar[str]

    def __init__(self, min_value: float, max_value: float, scaling_type: str = "Auto") -> None:
        if not min_value < max_value:
            raise EstimatorError(
                f"{type(self).__name__}: the least value, {min_value}, must be below the greatest, "
                f"{max_value}."
            )
        self.min_value = min_value
        self.max_value = max_value
        self.scaling_type = scaling_type

    def request(self, name: str) -> dict[str, Any]:
        """Return the range as CreateHyperParameterTuningJob takes it."""
        return {
            "Name": name,
            "MinValue": str(self.min_value),
            "MaxValue": str(self.max_value),
            "ScalingType": self.scaling_type,
        }


class ContinuousParameter(ParameterRange):
    """Any number between two."""

    kind = "ContinuousParameterRanges"


class IntegerParameter(ParameterRange):
    """Any whole number between two."""

    kind = "IntegerParameterRanges"


class CategoricalParameter(ParameterRange):
    """One of several values."""

    kind = "CategoricalParameterRanges"

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = list(values) if isinstance(values, list | tuple) else [values]
        if not self.values:
            raise EstimatorError("CategoricalParameter needs values.")

    def request(self, name: str) -> dict[str, Any]:
        """Return the range as CreateHyperParameterTuningJob takes it."""
        return {"Name": name, "Values": [str(value) for value in self.values]}


class HyperparameterTuner:
    """What a tuning job needs.

    Parameters
    ----------
    estimator : Estimator or Framework
        What is trained, again and again.
    objective_metric_name : str
        The metric that is to become best.
    hyperparameter_ranges : dict
        Name to `ContinuousParameter`, `IntegerParameter` or `CategoricalParameter`.
    metric_definitions : list of dict, optional
        How metrics are read from the log.
    strategy : str
        `Bayesian`, `Random`, `Grid` or `Hyperband`.
    objective_type : str
        `Maximize` or `Minimize`.
    max_jobs, max_parallel_jobs : int
        How many trainings in all, and at the same time.
    tags, base_tuning_job_name, early_stopping_type, warm_start_config : optional
        As in CreateHyperParameterTuningJob.
    """

    def __init__(
        self,
        estimator: EstimatorBase,
        objective_metric_name: str,
        hyperparameter_ranges: Mapping[str, ParameterRange],
        metric_definitions: Sequence[Mapping[str, str]] | None = None,
        strategy: str = "Bayesian",
        objective_type: str = "Maximize",
        max_jobs: int | None = 1,
        max_parallel_jobs: int = 1,
        tags: Any = None,
        base_tuning_job_name: str | None = None,
        early_stopping_type: str = "Off",
        warm_start_config: Mapping[str, Any] | None = None,
    ) -> None:
        self.estimator = as_estimator(estimator, "HyperparameterTuner")
        if not hyperparameter_ranges:
            raise MissingRequiredParameterError("HyperparameterTuner needs hyperparameter_ranges.")
        for name, each in hyperparameter_ranges.items():
            if not isinstance(each, ParameterRange):
                raise EstimatorError(
                    f"The range of '{name}' is a ContinuousParameter, an IntegerParameter or a "
                    f"CategoricalParameter; not {each!r}."
                )
        self.ranges = dict(hyperparameter_ranges)
        self.metric_definitions = metric_definitions
        self.tags = tags
        self.base_tuning_job_name = base_tuning_job_name
        self._config = given(
            {
                "Strategy": strategy,
                "HyperParameterTuningJobObjective": {
                    "Type": objective_type,
                    "MetricName": objective_metric_name,
                },
                "ResourceLimits": given(
                    {"MaxNumberOfTrainingJobs": max_jobs, "MaxParallelTrainingJobs": max_parallel_jobs}
                ),
                "TrainingJobEarlyStoppingType": early_stopping_type,
            }
        )
        self._warm_start = warm_start_config

    def request(self, data: Data) -> dict[str, Any]:
        """Return the request of CreateHyperParameterTuningJob, without the job's name."""
        training = self.estimator.training_request(data)
        fixed = training.pop("HyperParameters", {})
        # What tuning cannot hand on to its training jobs.
        for name in ("DebugHookConfig", "DebugRuleConfigurations", "ProfilerConfig"):
            training.pop(name, None)
        algorithm = dict(training["AlgorithmSpecification"])
        if self.metric_definitions is not None:
            algorithm["MetricDefinitions"] = list(self.metric_definitions)
        algorithm.pop("EnableSageMakerMetricsTimeSeries", None)
        ranges: dict[str, Any] = {}
        for name, each in self.ranges.items():
            ranges.setdefault(each.kind, []).append(each.request(name))
        static = {name: value for name, value in fixed.items() if name not in self.ranges}
        return given(
            {
                "HyperParameterTuningJobConfig": {**self._config, "ParameterRanges": ranges},
                "TrainingJobDefinition": {
                    **training,
                    "AlgorithmSpecification": algorithm,
                    **({"StaticHyperParameters": static} if static else {}),
                },
                "WarmStartConfig": self._warm_start,
            }
        )
