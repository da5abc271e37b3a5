"""Estimators: what a training job needs, as the SageMaker SDK's users write it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from retrain.workflow.errors import EstimatorError, MissingRequiredParameterError
from retrain.workflow.estimators.inputs import Data, Uri, channels, given
from retrain.workflow.estimators.model import Model, Role, expanded_role
from retrain.workflow.estimators.renamed import renamed
from retrain.workflow.estimators.session import Session
from retrain.workflow.estimators.source import Source
from retrain.workflow.estimators.transformer import Transformer
from retrain.workflow.inputs import Format
from retrain.workflow.inputs.dynamic import Dynamic

DAY_SECONDS: Final = 24 * 60 * 60

_DEFAULTS: Final[dict[str, Any]] = {
    "volume_size": 30,
    "volume_kms_key": None,
    "max_run": DAY_SECONDS,
    "input_mode": "File",
    "output_path": None,
    "output_kms_key": None,
    "base_job_name": None,
    "sagemaker_session": None,
    "tags": None,
    "subnets": None,
    "security_group_ids": None,
    "metric_definitions": None,
    "encrypt_inter_container_traffic": False,
    "use_spot_instances": False,
    "max_wait": None,
    "checkpoint_s3_uri": None,
    "checkpoint_local_path": None,
    "enable_sagemaker_metrics": None,
    "enable_network_isolation": False,
    "environment": None,
    "max_retry_attempts": None,
    "debugger_hook_config": None,
    "rules": None,
    "profiler_config": None,
    "disable_profiler": None,
}
"""Arguments that every estimator takes, with what they are if they are not given."""


class EstimatorBase(ABC):
    """What all estimators take.

    Parameters
    ----------
    role : str or placeholder
        The role of the training job: its ARN; a name is looked up.
    instance_count : int or placeholder
        How many instances train.
    instance_type : str or placeholder
        Such as `ml.c5.xlarge`.
    volume_size : int
        Disk of each instance, in GB.
    max_run, max_wait : int
        Seconds that training, and waiting for spot instances, may take.
    output_path : str or placeholder, optional
        Where the model goes; the session's default bucket if not given.
    metric_definitions : list of dict, optional
        `[{"Name": ..., "Regex": ...}]`: metrics that are read from the log.
    use_spot_instances, checkpoint_s3_uri, environment, subnets, security_group_ids, tags, ...
        As in CreateTrainingJob.
    debugger_hook_config, rules, profiler_config : optional
        As in CreateTrainingJob; nothing of these is used unless it is given.
    """

    own_arguments: ClassVar[frozenset[str]] = frozenset()
    model_class: ClassVar[type[Model]] = Model

    def __init__(
        self,
        role: Role,
        instance_count: int | Dynamic | None,
        instance_type: str | Dynamic | None,
        arguments: dict[str, Any],
    ) -> None:
        what = type(self).__name__
        first = given({"role": role, "instance_count": instance_count, "instance_type": instance_type})
        known = {"role", "instance_count", "instance_type", *_DEFAULTS, *self.own_arguments}
        found = renamed(what, {**first, **arguments}, known)
        for name in ("role", "instance_count", "instance_type"):
            if name not in found:
                raise MissingRequiredParameterError(f"{what} needs {name}.")
        settings = {**_DEFAULTS, **found}
        self.role: Role = settings.pop("role")
        self.instance_count: Any = settings.pop("instance_count")
        self.instance_type: Any = settings.pop("instance_type")
        self.sagemaker_session: Session = settings.pop("sagemaker_session") or Session()
        self.output_path: Uri | None = settings.pop("output_path")
        self.settings = settings
        if settings["use_spot_instances"] and settings["max_wait"] is None:
            raise MissingRequiredParameterError(f"{what}: use_spot_instances needs max_wait, in seconds.")

    @property
    def tags(self) -> Any:
        """The tags of the training job."""
        return self.settings["tags"]

    @property
    def sources(self) -> list[Source]:
        """What must be uploaded before a training job can start."""
        return []

    @abstractmethod
    def training_image_uri(self) -> Uri:
        """Return the URI of the image that trains."""

    @abstractmethod
    def hyperparameters(self) -> dict[str, Any]:
        """Return the hyperparameters as the training job gets them: texts and placeholders."""

    def encoded(self, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return hyperparameters as texts, so that the program gets what was given."""
        return {str(name): _text(value) for name, value in hyperparameters.items()}

    def model_output_path(self) -> Uri:
        """Return where the model goes."""
        if self.output_path is not None:
            return self.output_path
        return f"s3://{self.sagemaker_session.default_bucket()}/"

    def training_request(self, data: Data, *, output_path: Uri | None = None) -> dict[str, Any]:
        """Return the request of CreateTrainingJob, without the job's name.

        Parameters
        ----------
        data
            The training data; see `TrainingStep`.
        output_path
            Where the model goes, if not where the estimator says.
        """
        settings = self.settings
        algorithm = {
            "TrainingImage": self.training_image_uri(),
            "TrainingInputMode": settings["input_mode"],
            "MetricDefinitions": settings["metric_definitions"],
            "EnableSageMakerMetricsTimeSeries": settings["enable_sagemaker_metrics"],
        }
        stopping = {"MaxRuntimeInSeconds": settings["max_run"], "MaxWaitTimeInSeconds": settings["max_wait"]}
        return given(
            {
                "AlgorithmSpecification": given(algorithm),
                "OutputDataConfig": given(
                    {
                        "S3OutputPath": self.model_output_path() if output_path is None else output_path,
                        "KmsKeyId": settings["output_kms_key"],
                    }
                ),
                "StoppingCondition": given(stopping),
                "ResourceConfig": given(
                    {
                        "InstanceCount": self.instance_count,
                        "InstanceType": self.instance_type,
                        "VolumeSizeInGB": settings["volume_size"],
                        "VolumeKmsKeyId": settings["volume_kms_key"],
                    }
                ),
                "RoleArn": expanded_role(self.role, self.sagemaker_session),
                "InputDataConfig": channels(data),
                "HyperParameters": self.hyperparameters() or None,
                **self._further(),
            }
        )

    def _further(self) -> dict[str, Any]:
        settings = self.settings
        retries = settings["max_retry_attempts"]
        checkpoints = {"S3Uri": settings["checkpoint_s3_uri"], "LocalPath": settings["checkpoint_local_path"]}
        return {
            "Environment": settings["environment"],
            "VpcConfig": self.vpc_config(),
            "EnableManagedSpotTraining": settings["use_spot_instances"] or None,
            "CheckpointConfig": given(checkpoints) if settings["checkpoint_s3_uri"] is not None else None,
            "EnableNetworkIsolation": settings["enable_network_isolation"] or None,
            "EnableInterContainerTrafficEncryption": settings["encrypt_inter_container_traffic"] or None,
            "RetryStrategy": None if retries is None else {"MaximumRetryAttempts": retries},
            "DebugHookConfig": settings["debugger_hook_config"] or None,
            "DebugRuleConfigurations": settings["rules"] or None,
            "ProfilerConfig": settings["profiler_config"]
            or ({"DisableProfiler": True} if settings["disable_profiler"] else None),
        }

    def vpc_config(self) -> dict[str, Any] | None:
        """Return the network that the job runs in."""
        subnets: Sequence[str] | None = self.settings["subnets"]
        groups: Sequence[str] | None = self.settings["security_group_ids"]
        if not subnets or not groups:
            return None
        return {"SecurityGroupIds": list(groups), "Subnets": list(subnets)}

    @abstractmethod
    def create_model(self, **arguments: Any) -> Model:
        """Return the model that the training makes; its `model_data` is known later."""

    def transformer(
        self, instance_count: int | Dynamic, instance_type: str | Dynamic, **arguments: Any
    ) -> Transformer:
        """Return a batch transform that uses the model; see `Transformer`."""
        arguments.setdefault("sagemaker_session", self.sagemaker_session)
        return Transformer(arguments.pop("model_name", None), instance_count, instance_type, **arguments)


class Estimator(EstimatorBase):
    """Trains with any image.

    Parameters
    ----------
    image_uri : str or placeholder
        The image.
    role, instance_count, instance_type, ...
        See `EstimatorBase`.
    hyperparameters : dict, optional
        What the image's program is given; values become texts.
    """

    own_arguments = frozenset({"image_uri", "hyperparameters"})

    def __init__(
        self,
        image_uri: Uri | None = None,
        role: Role | None = None,
        instance_count: int | Dynamic | None = None,
        instance_type: str | Dynamic | None = None,
        *,
        hyperparameters: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> None:
        if image_uri is not None:
            arguments["image_uri"] = image_uri
        super().__init__(role, instance_count, instance_type, arguments)  # type: ignore[arg-type]
        image = self.settings.get("image_uri")
        if image is None:
            raise MissingRequiredParameterError("Estimator needs image_uri: the image that trains.")
        self.image_uri: Uri = image
        self._hyperparameters = dict(hyperparameters or {})

    def set_hyperparameters(self, **hyperparameters: Any) -> None:
        """Add or change hyperparameters."""
        self._hyperparameters |= hyperparameters

    def training_image_uri(self) -> Uri:
        """Return the URI of the image that trains."""
        return self.image_uri

    def hyperparameters(self) -> dict[str, Any]:
        """Return the hyperparameters as texts."""
        return self.encoded(self._hyperparameters)

    def create_model(self, **arguments: Any) -> Model:
        """Return the model, served by the same image unless `image_uri` says another."""
        arguments.setdefault("image_uri", self.image_uri)
        arguments.setdefault("role", self.role)
        arguments.setdefault("sagemaker_session", self.sagemaker_session)
        arguments.setdefault("vpc_config", self.vpc_config())
        return Model(**arguments)


def _text(value: Any) -> Any:
    if isinstance(value, Dynamic):
        return value if value.type in {None, str} else Format("{}", value)
    return value if isinstance(value, str) else str(value)


def as_estimator(value: Any, what: str) -> EstimatorBase:
    """Return an estimator, or say what was given in its place.

    Raises
    ------
    EstimatorError
        It is none; such as one of the SageMaker SDK.
    """
    if isinstance(value, EstimatorBase):
        return value
    raise EstimatorError(
        f"{what} takes an estimator of retrain.workflow.estimators, such as PyTorch or Estimator; "
        f"not {type(value).__module__}.{type(value).__name__}."
    )
