"""How a model goes live: approval, traffic, alarms and verification, planned before anything is spent.

The plan travels in the state machine's data as ``rollout``; docs/architecture.md lists it.
"""

import math
from typing import Any

from retraining.errors import SettingsError
from retraining.settings import DeploymentSettings, Settings

TRAINING = "training"
ROLLBACK = "rollback"

ALL_AT_ONCE = "all_at_once"
CANARY = "canary"
LINEAR = "linear"

REALTIME = "realtime"
SERVERLESS = "serverless"

MOST_EXECUTION_SECONDS = 28_800
"""SageMaker's longest MaximumExecutionTimeoutInSeconds; the least is 600."""

LEAST_EXECUTION_SECONDS = 600

SETTLE_SECONDS = 3_600
"""What starting and stopping instances may take, beside the waits that were asked for."""

MOST_VERIFYING_REQUESTS = 4
"""At a time: the endpoint is serving others."""

LOOK_SECONDS = 3_600
"""How often the registry is asked again while a run waits for approval."""


def plan(
    settings: Settings, endpoint: str, run_id: str, kind: str = TRAINING, serving_mode: str = ""
) -> dict[str, Any]:
    """Plan how a model goes live.

    Parameters
    ----------
    endpoint : str
        Its endpoint's name, which begins the alarms' names.
    run_id : str
        The run whose model it is: for a rollback, an earlier one.
    kind : str
        ``training`` or ``rollback``; the latter needs nobody's approval, because whoever asks for it decides.
    serving_mode : str, optional
        How the model is served, where that is settled already: an earlier model keeps its endpoint config.

    Returns
    -------
    dict
        ``kind``, ``strategy``, ``guardable`` (whether an update can shift traffic and be rolled back),
        ``deployment_config`` (SageMaker's, None where it takes none), ``alarms``, ``approval``, ``verify``,
        ``settle_seconds`` (how long the endpoint may take).

    Raises
    ------
    SettingsError
        The stack's parameters do not go together.
    """
    chosen = of(settings)
    mode = serving_mode or chosen.serving_mode
    guardable = mode == REALTIME
    alarms = _alarms(chosen, endpoint)
    waits = waiting_seconds(chosen) if guardable else 0
    return {
        "kind": kind,
        "strategy": chosen.strategy if guardable else ALL_AT_ONCE,
        "guardable": guardable,
        "deployment_config": _deployment_config(chosen, alarms, waits) if guardable else None,
        "alarms": alarms,
        "approval": _approval(chosen, kind),
        "verify": {
            "rows": chosen.verify_rows,
            "tolerance": chosen.verify_tolerance,
            "answer_path": chosen.verify_answer_path,
            "at_a_time": _at_a_time(chosen, mode),
            "s3_uri": f"s3://{settings.artifacts_bucket}/{verify_key(run_id)}",
        },
        "settle_seconds": waits + SETTLE_SECONDS,
    }


def _at_a_time(chosen: DeploymentSettings, mode: str) -> int:
    """Return how many requests may verify at a time; a serverless endpoint throttles what is too much."""
    if mode == SERVERLESS:
        return min(MOST_VERIFYING_REQUESTS, chosen.serverless_max_concurrency)
    return MOST_VERIFYING_REQUESTS


def of(settings: Settings) -> DeploymentSettings:
    """Return the settings of deployments.

    Raises
    ------
    SettingsError
        This function has none.
    """
    if settings.deployment is None:
        raise SettingsError(
            "The environment variable DEPLOYMENT_STRATEGY is not set: deploy the stack again."
        )
    return settings.deployment


def verify_key(run_id: str) -> str:
    """Return where in the artifacts bucket the rows lie that a run's model is verified with."""
    return f"runs/{run_id}/verify.jsonl"


def production_variants(settings: Settings, variant: str, model: str) -> list[dict[str, Any]]:
    """Return the production variants of an endpoint config: one, always of the same name."""
    chosen = of(settings)
    served: dict[str, Any] = {"VariantName": variant, "ModelName": model, "InitialVariantWeight": 1}
    if chosen.serving_mode == SERVERLESS:
        served["ServerlessConfig"] = {
            "MemorySizeInMB": chosen.serverless_memory_megabytes,
            "MaxConcurrency": chosen.serverless_max_concurrency,
        }
    else:
        served["InstanceType"] = settings.serving.instance_type
        served["InitialInstanceCount"] = settings.serving.instance_count
    return [served]


def waiting_seconds(chosen: DeploymentSettings) -> int:
    """Return how long an update takes by design: baking after each shift of traffic, then the termination."""
    shifts = 1
    if chosen.strategy == CANARY:
        shifts = 2
    elif chosen.strategy == LINEAR:
        shifts = math.ceil(100 / chosen.linear_step_percent)
    return shifts * chosen.baking_seconds + chosen.termination_wait_seconds


def alarm_names(endpoint: str) -> tuple[str, str]:
    """Return the names of an endpoint's rollback alarms: on errors, and on latency."""
    return f"{endpoint}-5xx", f"{endpoint}-latency"


def _alarms(chosen: DeploymentSettings, endpoint: str) -> dict[str, dict[str, Any]]:
    errors, latency = alarm_names(endpoint)
    return {
        "errors": {
            "name": errors,
            "description": (
                f"More than {chosen.rollback_on_5xx_percent:g} % of the requests to the endpoint {endpoint} "
                "end in a 5xx error. While it is being updated, the update is rolled back."
            ),
            "threshold": chosen.rollback_on_5xx_percent / 100,
        },
        "latency": {
            "wanted": chosen.rollback_on_latency_ms > 0,
            "name": latency,
            "description": (
                f"The slowest hundredth of the answers of {endpoint}'s model takes more than "
                f"{chosen.rollback_on_latency_ms:g} ms. While it is being updated, the update is rolled back."
            ),
            # CloudWatch has ModelLatency in microseconds.
            "threshold": chosen.rollback_on_latency_ms * 1_000,
        },
    }


def _deployment_config(
    chosen: DeploymentSettings, alarms: dict[str, dict[str, Any]], waits: int
) -> dict[str, Any]:
    longest = waits + SETTLE_SECONDS
    if longest > MOST_EXECUTION_SECONDS:
        raise SettingsError(
            f"With DeploymentStrategy {chosen.strategy}, BakingSeconds {chosen.baking_seconds} and "
            f"TerminationWaitSeconds {chosen.termination_wait_seconds} an update waits {waits:,} seconds; "
            f"with the start of instances SageMaker allows {MOST_EXECUTION_SECONDS:,}. Lower BakingSeconds, "
            "or take larger steps (LinearStepPercent)."
        )
    routing: dict[str, Any] = {
        "Type": chosen.strategy.upper(),
        "WaitIntervalInSeconds": chosen.baking_seconds,
    }
    if chosen.strategy == CANARY:
        routing["CanarySize"] = {"Type": "CAPACITY_PERCENT", "Value": chosen.canary_percent}
    if chosen.strategy == LINEAR:
        routing["LinearStepSize"] = {"Type": "CAPACITY_PERCENT", "Value": chosen.linear_step_percent}
    watched = [alarms["errors"], *([alarms["latency"]] if alarms["latency"]["wanted"] else [])]
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": chosen.termination_wait_seconds,
            "MaximumExecutionTimeoutInSeconds": max(LEAST_EXECUTION_SECONDS, longest),
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm["name"]} for alarm in watched]},
    }


def _approval(chosen: DeploymentSettings, kind: str) -> dict[str, Any]:
    required = chosen.require_approval and kind == TRAINING
    # Step Functions counts whole seconds, and a heartbeat must be shorter than its time-out.
    timeout = max(2, round(chosen.approval_timeout_hours * 3_600))
    return {
        "required": required,
        "status": "PendingManualApproval" if required else "Approved",
        "timeout_seconds": timeout,
        "look_seconds": max(1, min(LOOK_SECONDS, timeout // 2)),
    }
