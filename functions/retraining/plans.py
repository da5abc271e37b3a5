"""A request and the stack's defaults, merged: what exactly will be trained, judged and served."""

from collections.abc import Mapping
from dataclasses import dataclass

from retraining import images, policy, requests
from retraining.errors import PolicyError, ProgramError, RequestError, SettingsError
from retraining.policy import GatePolicy
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


def request_policy(settings: Settings) -> RequestPolicy:
    """Return what this stack lets a request ask for."""
    return RequestPolicy(
        data_bucket=settings.data_bucket,
        artifacts_bucket=settings.artifacts_bucket,
        default_image_uri=settings.training.image_uri,
        allowed_repositories=settings.training.allowed_repositories,
    )


def training_plan(request: RetrainRequest, settings: Settings, program: object = None) -> TrainingPlan:
    """Fill what a request leaves open from the dataset's own program, and that from the stack's parameters.

    Parameters
    ----------
    program : object
        What the ledger has for the dataset, None if nothing.

    Raises
    ------
    ProgramError
        What the ledger has is unusable.
    SettingsError
        A stack parameter that the plan falls back to is unusable.
    """
    asked, defaults = request.training, settings.training
    own, problems = requests.parse_training(program, request_policy(settings), "program")
    if problems:
        raise ProgramError(request.dataset, problems)
    image_uri = asked.image_uri or own.image_uri or defaults.image_uri
    if images.parse(image_uri) is None:
        raise SettingsError(
            f"The stack's parameter TrainingImageUri is {image_uri!r}; it must be repository:tag or "
            "repository@sha256:digest."
        )
    source = asked.source_s3_uri or own.source_s3_uri or defaults.source_s3_uri
    if source and not requests.is_source(source, settings.artifacts_bucket):
        raise SettingsError(
            f"The stack's parameter TrainingSourceS3Uri is {source!r}; it must be a .tar.gz under "
            f"s3://{settings.artifacts_bucket}/{requests.SOURCES_PREFIX}."
        )
    return TrainingPlan(
        image_uri=image_uri,
        source_s3_uri=source,
        # A file's name says something about the archive that it is in, and about no other.
        entry_point=asked.entry_point
        or ("" if asked.source_s3_uri else own.entry_point)
        or defaults.entry_point,
        hyperparameters={**defaults.hyperparameters, **own.hyperparameters, **asked.hyperparameters},
        instance_type=asked.instance_type or own.instance_type or defaults.instance_type,
        instance_count=asked.instance_count or own.instance_count or defaults.instance_count,
        volume_gigabytes=defaults.volume_gigabytes,
        max_runtime_seconds=defaults.max_runtime_seconds,
        use_spot=asked.use_spot or own.use_spot,
    )


def gate_policy(request: RetrainRequest, settings: Settings, dataset_policy: object) -> GatePolicy:
    """Lay a request's overrides over the dataset's own policy, and that over the stack's parameters.

    Parameters
    ----------
    dataset_policy : object
        What the ledger has for the dataset, None if nothing.

    Raises
    ------
    SettingsError, PolicyError, RequestError
        Something is wrong in the stack's parameters, the ledger, or the request.
    """
    base = standing_policy(request.dataset, settings, dataset_policy)
    found, problems = policy.overlay(base, dict(request.gate), "gate")
    if problems:
        raise RequestError(problems)
    return found


def standing_policy(dataset: str, settings: Settings, dataset_policy: object) -> GatePolicy:
    """Return the policy of a dataset as it is without a request's overrides.

    Raises
    ------
    SettingsError, PolicyError
        Something is wrong in the stack's parameters, or in the ledger.
    """
    base = policy.from_stack(settings.gate)
    found, problems = policy.overlay(base, dataset_policy, f"POLICY#{dataset}")
    if problems:
        raise PolicyError(problems)
    return found
