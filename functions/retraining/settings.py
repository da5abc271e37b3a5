"""The stack's configuration, as template.yaml hands it to each function: one typed object, read once."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from retraining.errors import SettingsError
from retraining.names import STACK_NAME_LIMIT, is_name


@dataclass(frozen=True, slots=True)
class TrainingDefaults:
    """What a run trains with when its request does not say otherwise."""

    image_uri: str
    allowed_repositories: tuple[str, ...]
    instance_type: str
    instance_count: int
    volume_gigabytes: int
    max_runtime_seconds: int
    hyperparameters: Mapping[str, str]
    source_s3_uri: str
    entry_point: str
    role_arn: str


@dataclass(frozen=True, slots=True)
class ServingDefaults:
    """How a promoted model is served."""

    instance_type: str
    instance_count: int
    wait_seconds: int


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """How many runs of one dataset there may be."""

    max_runs_per_day: int
    max_concurrent_runs: int


@dataclass(frozen=True, slots=True)
class ArrivalSettings:
    """How long a batch of uploads is waited for, and where messages are kept back.

    Attributes
    ----------
    quiet_seconds : int
        Without a marker, a batch is complete after so long without a change.
    manifest_seconds : int
        Files that a manifest names, and that are not there, are reported after so long without a change.
    delay_queue_arn, delay_queue_url : str
        Empty except in the functions that need them.
    """

    quiet_seconds: int
    manifest_seconds: int
    delay_queue_arn: str
    delay_queue_url: str


@dataclass(frozen=True, slots=True)
class DeploymentSettings:
    """How models go live, and how they are watched while they do.

    Shares are percentages, ``rollback_on_latency_ms`` is 0 for no bound, ``verify_tolerance`` is relative.
    """

    serving_mode: str
    serverless_memory_megabytes: int
    serverless_max_concurrency: int
    require_approval: bool
    approval_timeout_hours: float
    strategy: str
    canary_percent: int
    linear_step_percent: int
    baking_seconds: int
    termination_wait_seconds: int
    rollback_on_5xx_percent: float
    rollback_on_latency_ms: float
    verify_rows: int
    verify_tolerance: float
    verify_answer_path: str


GATE_VARIABLES = (
    "metric", "value_threshold", "change_threshold", "significance", "alpha", "slice_floor", "slice_max_drop",
    "slice_min_rows", "max_model_megabytes", "max_latency_ms", "min_holdout_rows",
    "without_champion_predictions",
)  # fmt: skip
"""Fields of the gate's policy, each with a variable ``GATE_<FIELD>`` and a parameter ``Gate<Field>``."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a function knows about the stack it belongs to.

    ``state_machine_arn`` is empty except in the functions that need it. ``gate`` holds the parameters of the
    gate's policy as texts, by field; `retraining.policy` understands them.
    ``deployment`` is None except in the function that plans deployments.
    ``untold_queue_url`` is empty except in the function that may have to queue what it cannot tell.
    ``keep_models`` and ``log_retention_days``, for the clean-up alone, say how many of a dataset's models are
    kept, and for how long the log of its endpoint is.
    ``report_url_hours``, for notifications alone, says how long their links to run cards hold; 0 for none.
    ``on_rejected``, for jobs of CodePipeline alone, says what becomes of one whose challenger was rejected.
    """

    stack_name: str
    data_bucket: str
    artifacts_bucket: str
    ledger_table: str
    topic_arn: str
    state_machine_arn: str
    training: TrainingDefaults
    serving: ServingDefaults
    guards: GuardSettings
    arrival: ArrivalSettings
    gate: Mapping[str, str]
    on_rejected: str = "fail"
    retrain_datasets: tuple[str, ...] = ()
    report_url_hours: int = 0
    deployment: DeploymentSettings | None = None
    keep_models: int = 0
    untold_queue_url: str = ""
    log_retention_days: int = 30


@cache
def load() -> Settings:
    """Return this function's settings; the environment is read at the first call only."""
    return from_environment(os.environ)


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read settings from environment variables.

    Raises
    ------
    SettingsError
        A variable is missing or does not parse; the message names the stack parameter to mend.
    """
    read = _Reader(environment)
    stack_name = read.text("STACK_NAME")
    if not is_name(stack_name, STACK_NAME_LIMIT):
        raise SettingsError(
            f"The stack's name {stack_name!r} cannot begin SageMaker names: deploy it under one of at most "
            f"{STACK_NAME_LIMIT} lower-case letters, digits and hyphens."
        )
    return Settings(
        stack_name=stack_name,
        data_bucket=read.text("DATA_BUCKET"),
        artifacts_bucket=read.text("ARTIFACTS_BUCKET"),
        ledger_table=read.text("LEDGER_TABLE"),
        topic_arn=read.text("TOPIC_ARN"),
        state_machine_arn=read.optional("STATE_MACHINE_ARN"),
        training=TrainingDefaults(
            image_uri=read.text("TRAINING_IMAGE_URI"),
            allowed_repositories=read.comma_list("ALLOWED_IMAGE_REPOSITORIES"),
            instance_type=read.text("TRAINING_INSTANCE_TYPE"),
            instance_count=read.whole("TRAINING_INSTANCE_COUNT"),
            volume_gigabytes=read.whole("TRAINING_VOLUME_GIGABYTES"),
            max_runtime_seconds=read.whole("TRAINING_MAX_RUNTIME_SECONDS"),
            hyperparameters=read.json_object("TRAINING_HYPERPARAMETERS"),
            source_s3_uri=read.optional("TRAINING_SOURCE_S3_URI"),
            entry_point=read.text("TRAINING_ENTRY_POINT"),
            role_arn=read.text("SAGEMAKER_ROLE_ARN"),
        ),
        serving=ServingDefaults(
            instance_type=read.text("SERVING_INSTANCE_TYPE"),
            instance_count=read.whole("SERVING_INSTANCE_COUNT"),
            wait_seconds=read.whole("ENDPOINT_WAIT_SECONDS"),
        ),
        guards=GuardSettings(
            max_runs_per_day=read.whole("MAX_RUNS_PER_DAY"),
            max_concurrent_runs=read.whole("MAX_CONCURRENT_RUNS"),
        ),
        arrival=ArrivalSettings(
            quiet_seconds=read.whole("QUIET_PERIOD_SECONDS"),
            manifest_seconds=read.whole("MANIFEST_WAIT_SECONDS"),
            delay_queue_arn=read.optional("DELAY_QUEUE_ARN"),
            delay_queue_url=read.optional("DELAY_QUEUE_URL"),
        ),
        gate={name: read.optional(f"GATE_{name.upper()}") for name in GATE_VARIABLES},
        on_rejected=read.optional("ON_REJECTED") or "fail",
        retrain_datasets=read.comma_list("RETRAIN_DATASETS"),
        report_url_hours=int(read.optional("REPORT_URL_HOURS") or 0),
        deployment=_deployment(read) if read.optional("DEPLOYMENT_STRATEGY") else None,
        keep_models=int(read.optional("KEEP_MODELS") or 0),
        untold_queue_url=read.optional("UNTOLD_QUEUE_URL"),
        log_retention_days=int(read.optional("LOG_RETENTION_DAYS") or 30),
    )


def _deployment(read: "_Reader") -> DeploymentSettings:
    return DeploymentSettings(
        serving_mode=read.text("SERVING_MODE"),
        serverless_memory_megabytes=read.whole("SERVERLESS_MEMORY_MEGABYTES"),
        serverless_max_concurrency=read.whole("SERVERLESS_MAX_CONCURRENCY"),
        require_approval=read.text("REQUIRE_APPROVAL") == "true",
        approval_timeout_hours=read.number("APPROVAL_TIMEOUT_HOURS"),
        strategy=read.text("DEPLOYMENT_STRATEGY"),
        canary_percent=read.whole("CANARY_PERCENT"),
        linear_step_percent=read.whole("LINEAR_STEP_PERCENT"),
        baking_seconds=read.whole("BAKING_SECONDS"),
        termination_wait_seconds=read.whole("TERMINATION_WAIT_SECONDS"),
        rollback_on_5xx_percent=read.number("ROLLBACK_ON_5XX_PERCENT"),
        rollback_on_latency_ms=read.number("ROLLBACK_ON_LATENCY_MS"),
        verify_rows=read.whole("VERIFY_ROWS"),
        verify_tolerance=read.number("VERIFY_TOLERANCE"),
        verify_answer_path=read.text("VERIFY_ANSWER_PATH"),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    environment: Mapping[str, str]

    def optional(self, name: str) -> str:
        return self.environment.get(name, "").strip()

    def text(self, name: str) -> str:
        value = self.optional(name)
        if not value:
            raise SettingsError(f"The environment variable {name} is not set: deploy the stack again.")
        return value

    def whole(self, name: str) -> int:
        value = self.text(name)
        try:
            return int(value)
        except ValueError:
            raise SettingsError(f"{name} must be a whole number, not {value!r}.") from None

    def number(self, name: str) -> float:
        value = self.text(name)
        try:
            return float(value)
        except ValueError:
            raise SettingsError(f"{name} must be a number, not {value!r}.") from None

    def comma_list(self, name: str) -> tuple[str, ...]:
        return tuple(entry.strip() for entry in self.optional(name).split(",") if entry.strip())

    def json_object(self, name: str) -> dict[str, str]:
        text = self.optional(name) or "{}"
        try:
            value = json.loads(text)
        except ValueError as error:
            raise SettingsError(f'{name} must be a JSON object such as {{"epochs": "3"}}: {error}.') from None
        if not isinstance(value, dict):
            raise SettingsError(f'{name} must be a JSON object such as {{"epochs": "3"}}, not {text!r}.')
        return {key: item if isinstance(item, str) else json.dumps(item) for key, item in value.items()}
