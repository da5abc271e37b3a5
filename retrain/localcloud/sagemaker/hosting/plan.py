"""How an endpoint is brought to another config: what DeploymentConfig asks for, checked as AWS does.

The rules are those of "Deployment guardrails" in SageMaker's developer guide and of the API's reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from retrain.localcloud.sagemaker.errors import InvalidRequestError, UnsupportedError
from retrain.localcloud.sagemaker.hosting.server import ServerSpec

_SIZES = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
_LEAST_PERCENT = {"CANARY": 0.0, "LINEAR": 10.0}
_MOST_PERCENT = 50.0
_WORDS = {
    "CANARY": "Value must be less than or equal to 50% of the variant's total instance count.",
    "LINEAR": "Value must be 10-50% of the variant's total instance count.",
}


@dataclass(frozen=True)
class DeploymentPlan:
    """A blue/green deployment.

    Attributes
    ----------
    kind
        ALL_AT_ONCE, CANARY or LINEAR.
    shares
        Which share of the traffic green gets in each step; the last is 1.
    bake_seconds
        How long every step is watched.
    termination_wait_seconds
        How long after the last step blue is kept ready, and green still watched.
    limit_seconds
        How long all of it may take; None for any time.
    alarms
        Names of the alarms that bring blue back.
    guarded
        Whether a DeploymentConfig was given: AWS asks more of such an update.
    """

    kind: str = "ALL_AT_ONCE"
    shares: tuple[float, ...] = (1.0,)
    bake_seconds: float = 0.0
    termination_wait_seconds: float = 0.0
    limit_seconds: float | None = None
    alarms: tuple[str, ...] = ()
    guarded: bool = False

    @classmethod
    def of(cls, config: dict[str, Any] | None, specs: Sequence[ServerSpec]) -> DeploymentPlan:
        """Read a DeploymentConfig; None is AWS's default, all at once.

        Parameters
        ----------
        config
            The request's.
        specs
            The variants that are to be deployed; sizes are shares of their instances.

        Raises
        ------
        UnsupportedError
            For rolling updates.
        InvalidRequestError
            If it contradicts itself.
        """
        if not config:
            return cls()
        policy = config.get("BlueGreenUpdatePolicy")
        if config.get("RollingUpdatePolicy"):
            if policy:
                raise InvalidRequestError(
                    "Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified in "
                    "DeploymentConfig."
                )
            raise UnsupportedError("DeploymentConfig: RollingUpdatePolicy", "Use BlueGreenUpdatePolicy.")
        alarms = _alarms(config.get("AutoRollbackConfiguration") or {})
        if not policy:
            return cls(alarms=alarms, guarded=True)
        routing = policy["TrafficRoutingConfiguration"]
        wait, termination = routing["WaitIntervalInSeconds"], policy.get("TerminationWaitInSeconds", 0)
        limit = policy.get("MaximumExecutionTimeoutInSeconds")
        if limit is not None and limit <= wait + termination:
            raise InvalidRequestError(
                f"MaximumExecutionTimeoutInSeconds ({limit}) must be larger than the total waiting time "
                f"specified in TerminationWaitInSeconds ({termination}) and WaitIntervalInSeconds ({wait})."
            )
        return cls(
            kind=routing["Type"],
            shares=_shares(routing, specs),
            bake_seconds=float(wait),
            termination_wait_seconds=float(termination),
            limit_seconds=float(limit) if limit is not None else None,
            alarms=alarms,
            guarded=True,
        )

    def check_update(self, serving: Sequence[ServerSpec], target: Sequence[ServerSpec]) -> None:
        """Check what AWS asks of both configs of an update, and more of one with a DeploymentConfig.

        Raises
        ------
        InvalidRequestError
            If instances are to become serverless; with a DeploymentConfig also if one is serverless, or if
            their variants have other names.
        """
        if not self.guarded:
            # The other way round AWS takes it.
            if any(spec["serverless"] for spec in target) and not any(spec["serverless"] for spec in serving):
                raise InvalidRequestError("An instance-based endpoint cannot be updated to a serverless one.")
            return
        if any(spec["serverless"] for spec in (*serving, *target)):
            raise InvalidRequestError(
                "DeploymentConfig is not supported for endpoints with serverless production variants."
            )
        before, after = (sorted(spec["variant"] for spec in specs) for specs in (serving, target))
        if before != after:
            raise InvalidRequestError(
                "With DeploymentConfig, the new endpoint configuration must have the same variant names as "
                f"the current one: found {', '.join(after)}, not {', '.join(before)}."
            )


def _alarms(rollback: dict[str, Any]) -> tuple[str, ...]:
    names = [alarm.get("AlarmName") for alarm in rollback.get("Alarms") or []]
    if not all(names):
        raise InvalidRequestError("AutoRollbackConfiguration: AlarmName must be specified for every alarm.")
    return tuple(dict.fromkeys(str(name) for name in names))


def _shares(routing: dict[str, Any], specs: Sequence[ServerSpec]) -> tuple[float, ...]:
    kind = routing["Type"]
    wanted = _SIZES.get(kind)
    for size in _SIZES.values():
        if size != wanted and routing.get(size):
            raise InvalidRequestError(f"{size} cannot be specified with traffic routing type {kind}.")
    if wanted is None:
        return (1.0,)
    if not routing.get(wanted):
        raise InvalidRequestError(f"{wanted} must be specified with traffic routing type {kind}.")
    share = _share(routing[wanted], specs, wanted)
    if not _LEAST_PERCENT[kind] <= share * 100 <= _MOST_PERCENT:
        raise InvalidRequestError(f"Invalid {wanted}: {_WORDS[kind]}")
    if kind == "CANARY":
        return (share, 1.0)
    steps: list[float] = []
    while (reached := share * (len(steps) + 1)) < 1.0 - 1e-9:
        steps.append(round(reached, 9))
    return (*steps, 1.0)


def _share(size: dict[str, Any], specs: Sequence[ServerSpec], name: str) -> float:
    if size["Type"] == "CAPACITY_PERCENT":
        return float(size["Value"]) / 100
    counts = {spec["instances"] for spec in specs}
    if len(counts) > 1:
        raise UnsupportedError(
            f"{name} of type INSTANCE_COUNT with variants of different instance counts",
            "Use CAPACITY_PERCENT.",
        )
    return float(size["Value"]) / (counts.pop() if counts else 1)
