"""A request and the stack's defaults, merged: what exactly will be trained, judged and served."""

from collections.abc import Mapping
from dataclasses import dataclass

from retraining import images, requests
from retraining.errors import SettingsError
from retraining.requests import RequestPolicy, RetrainRequest
from retraining.settings import Settings


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Everything that a training job is made from, apart from its data and its name.

    ``hyperparameters`` are the model's own; those of script mode are added when the job is built.
    """

    image_uri: str
    source_s3_uri: str
    entry_point: str
    hyperparameters: Mapping[str, str]
    instance_type: str
    instance_count: int
    volume_gigabytes: int
    max_runtime_seconds: int
    use_spot: bool

    @property
    def source(self) -> str:
        """The program, as far as it is not the image's own; empty when it is."""
        return f"{self.source_s3_uri}#{self.entry_point}" if self.source_s3_uri else ""


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """Bounds of the gate.

    Attributes
    ----------
    metric : str
        What is compared; so far ``accuracy``.
    value_threshold : float
        The least value of the metric.
    change_threshold : float
        The least gain over the champion; negative tolerates a loss.
    """

    metric: str
    value_threshold: float
    change_threshold: float


def request_policy(settings: Settings) -> RequestPolicy:
    """Return what this stack lets a request ask for."""
    return RequestPolicy(
        data_bucket=settings.data_bucket,
        artifacts_bucket=settings.artifacts_bucket,
        default_image_uri=settings.training.image_uri,
        allowed_repositories=settings.training.allowed_repositories,
    )


def training_plan(request: RetrainRequest, settings: Settings) -> TrainingPlan:
    """Fill what a request leaves open from the stack's parameters.

    Raises
    ------
    SettingsError
        A stack parameter that the plan falls back to is unusable.
    """
    asked, defaults = request.training, settings.training
    image_uri = asked.image_uri or defaults.image_uri
    if images.parse(image_uri) is None:
        raise SettingsError(
            f"The stack's parameter TrainingImageUri is {image_uri!r}; it must be repository:tag or "
            "repository@sha256:digest."
        )
    source = asked.source_s3_uri or defaults.source_s3_uri
    if source and not requests.is_source(source, settings.artifacts_bucket):
        raise SettingsError(
            f"The stack's parameter TrainingSourceS3Uri is {source!r}; it must be a .tar.gz under "
            f"s3://{settings.artifacts_bucket}/{requests.SOURCES_PREFIX}."
        )
    return TrainingPlan(
        image_uri=image_uri,
        source_s3_uri=source,
        entry_point=asked.entry_point or defaults.entry_point,
        hyperparameters={**defaults.hyperparameters, **asked.hyperparameters},
        instance_type=asked.instance_type or defaults.instance_type,
        instance_count=asked.instance_count or defaults.instance_count,
        volume_gigabytes=defaults.volume_gigabytes,
        max_runtime_seconds=defaults.max_runtime_seconds,
        use_spot=asked.use_spot,
    )


def gate_policy(request: RetrainRequest, settings: Settings) -> GatePolicy:
    """Fill what a request leaves open of the gate's policy from the stack's parameters."""
    value, change = request.gate.value_threshold, request.gate.change_threshold
    return GatePolicy(
        metric=settings.gate.metric,
        value_threshold=settings.gate.value_threshold if value is None else value,
        change_threshold=settings.gate.change_threshold if change is None else change,
    )
