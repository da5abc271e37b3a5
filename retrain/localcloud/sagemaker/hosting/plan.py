"""How an endpoint is brought to another config: what DeploymentConfig asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from retrain.localcloud.sagemaker.errors import InvalidRequestError, UnsupportedError


@dataclass(frozen=True)
class DeploymentPlan:
    """A blue/green deployment that switches all at once.

    Attributes
    ----------
    bake_seconds
        How long blue is kept ready after the switch before the update counts as good.
    termination_wait_seconds
        How long after that blue is ended.
    """

    bake_seconds: int = 0
    termination_wait_seconds: int = 0

    @classmethod
    def of(cls, config: dict[str, Any] | None) -> DeploymentPlan:
        """Read a DeploymentConfig; None is AWS's default, all at once.

        Raises
        ------
        UnsupportedError
            For canary and linear traffic, rolling updates, and rollback by alarms.
        InvalidRequestError
            If it contradicts itself.
        """
        if not config:
            return cls()
        if config.get("RollingUpdatePolicy"):
            raise UnsupportedError("DeploymentConfig: RollingUpdatePolicy")
        if (config.get("AutoRollbackConfiguration") or {}).get("Alarms"):
            raise UnsupportedError("DeploymentConfig: AutoRollbackConfiguration.Alarms")
        policy = config.get("BlueGreenUpdatePolicy")
        if not policy:
            return cls()
        routing = policy["TrafficRoutingConfiguration"]
        if routing["Type"] != "ALL_AT_ONCE":
            raise UnsupportedError(
                f"DeploymentConfig: TrafficRoutingConfiguration.Type {routing['Type']}", "Use ALL_AT_ONCE."
            )
        if routing.get("CanarySize") or routing.get("LinearStepSize"):
            raise InvalidRequestError(
                "CanarySize and LinearStepSize cannot be specified with Type ALL_AT_ONCE."
            )
        return cls(routing["WaitIntervalInSeconds"], policy.get("TerminationWaitInSeconds", 0))
