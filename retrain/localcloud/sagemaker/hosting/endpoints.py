"""The operations on endpoints."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

from retrain.localcloud.sagemaker.errors import DeploymentError, InvalidRequestError, UnsupportedError
from retrain.localcloud.sagemaker.hosting import records
from retrain.localcloud.sagemaker.hosting.configs import EndpointConfigs
from retrain.localcloud.sagemaker.hosting.deployment import LiveEndpoint, Update
from retrain.localcloud.sagemaker.hosting.plan import DeploymentPlan
from retrain.localcloud.sagemaker.listing import listed, select
from retrain.localcloud.sagemaker.platform import Platform, now
from retrain.localcloud.sagemaker.store import Record, Store

_LISTEN_SECONDS = 60.0
_CUT_OFF = "The update was cut off: the local cloud was stopped."


class Endpoints:
    """Endpoints, and what runs for them.

    Parameters
    ----------
    platform, store
        The surroundings.
    configs
        What endpoints serve.
    """

    def __init__(self, platform: Platform, store: Store, configs: EndpointConfigs) -> None:
        self._platform = platform
        self._store = store
        self._configs = configs
        self._live: dict[str, LiveEndpoint] = {}

    def resume(self) -> None:
        """Serve again what the last server of the local cloud served when it ended.

        An update that was under way begins anew, as the executions that wait for it go on; one that was being
        rolled back is.
        """
        for record in self._store.endpoints.all():
            name, status = record["EndpointName"], record["EndpointStatus"]
            if status == "Deleting":
                self._store.endpoints.delete(name)
                continue
            if status == "Failed":
                continue
            update: Update | None = record.get("_update") if status == "Updating" else None
            if update is None and status not in ("InService", "Creating"):
                with self._store.endpoints.edit(name) as edited:
                    edited["FailureReason"] = edited.pop("_reason", None) or _CUT_OFF
            live = self._live[name] = LiveEndpoint(self._platform, self._store, name)
            specs = record.get("_serving") or record["_target"]
            live.begin_return(record["EndpointConfigName"], specs, self._wait_until_listening, update)

    def _wait_until_listening(self) -> None:
        """Models come from S3, which answers once the server that this belongs to listens."""
        deadline = time.monotonic() + _LISTEN_SECONDS
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self._platform.context.port), timeout=1.0):
                    return
            except OSError:
                if time.monotonic() > deadline:
                    raise DeploymentError("The local cloud does not listen.") from None
                time.sleep(0.05)

    def live(self, name: str) -> LiveEndpoint | None:
        """Return what runs for an endpoint."""
        return self._live.get(name)

    def status(self, name: str) -> str | None:
        """Return an endpoint's status, None if there is no such endpoint."""
        record = self._store.endpoints.get(name)
        return record["EndpointStatus"] if record is not None else None

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer CreateEndpoint."""
        name, config_name = parameters["EndpointName"], parameters["EndpointConfigName"]
        arn = self._platform.arn("endpoint", name)
        with self._store.lock:
            if name in self._store.endpoints:
                raise InvalidRequestError(f'Cannot create already existing endpoint "{arn}".')
            specs = self._configs.servers(config_name)
            # Kept for updates that retain it; coming up for the first time, there is nothing to go back to.
            DeploymentPlan.of(parameters.get("DeploymentConfig"), specs).check_update(specs, specs)
            self._store.endpoints.put(name, records.new(parameters, arn, specs))
            records.update(
                self._platform,
                self._store,
                name,
                "Creating",
                **records.pending(config_name, specs, now(), "Creating", "Launching {count} instance(s)."),
            )
            live = self._live[name] = LiveEndpoint(self._platform, self._store, name)
        live.begin_creation(config_name, specs)
        return {"EndpointArn": arn}

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer UpdateEndpoint."""
        name, config_name = parameters["EndpointName"], parameters["EndpointConfigName"]
        if parameters.get("RetainAllVariantProperties"):
            raise UnsupportedError("UpdateEndpoint: RetainAllVariantProperties")
        with self._store.lock:
            record = self._settled(name)
            if record["EndpointStatus"] == "Failed":
                raise InvalidRequestError(
                    f'Cannot update endpoint "{record["EndpointArn"]}" in status Failed. '
                    "Delete it and create it again."
                )
            specs = self._configs.servers(config_name)
            deployment = _deployment_config(parameters, record)
            plan = DeploymentPlan.of(deployment, specs)
            plan.check_update(record["_serving"], specs)
            self._check_alarms(plan)
            update: Update = {"config_name": config_name, "specs": specs, "deployment": deployment}
            changes: dict[str, Any] = {
                "FailureReason": None,
                "LastDeploymentConfig": deployment,
                "_update": update,
                **records.pending(config_name, specs, now(), "Creating", "Launching {count} instance(s)."),
            }
            records.update(self._platform, self._store, name, "Updating", **changes)
            self._live[name].begin_update(update)
        return {"EndpointArn": record["EndpointArn"]}

    def _check_alarms(self, plan: DeploymentPlan) -> None:
        """Refuse alarms that would never bring blue back, or do so at once."""
        states = self._platform.monitoring.alarm_states(plan.alarms)
        missing = [name for name in plan.alarms if name not in states]
        if missing:
            raise InvalidRequestError(
                "The following alarms in AutoRollbackConfiguration could not be found: " + ", ".join(missing)
            )
        in_alarm = [name for name in plan.alarms if states[name] == "ALARM"]
        if in_alarm:
            raise InvalidRequestError(
                "The following alarms in AutoRollbackConfiguration are in ALARM state: " + ", ".join(in_alarm)
            )

    def update_weights(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer UpdateEndpointWeightsAndCapacities; capacities are recorded alone."""
        name = parameters["EndpointName"]
        with self._store.lock:
            record = self._settled(name)
            specs = {spec["variant"]: spec for spec in record.get("_serving") or []}
            for wanted in parameters["DesiredWeightsAndCapacities"]:
                spec = specs.get(wanted["VariantName"])
                if spec is None:
                    raise InvalidRequestError(
                        f'Endpoint "{record["EndpointArn"]}" has no production variant '
                        f"{wanted['VariantName']!r}."
                    )
                spec["weight"] = wanted.get("DesiredWeight", spec["weight"])
                spec["instances"] = wanted.get("DesiredInstanceCount", spec["instances"])
            changes = records.serving(record["EndpointConfigName"], list(specs.values()))
            records.update(self._platform, self._store, name, "InService", **changes)
            self._live[name].set_weights({variant: spec["weight"] for variant, spec in specs.items()})
        return {"EndpointArn": record["EndpointArn"]}

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer DeleteEndpoint."""
        name = parameters["EndpointName"]
        with self._store.lock:
            self._settled(name)
            records.update(self._platform, self._store, name, "Deleting")
            live = self._live.pop(name, None) or LiveEndpoint(self._platform, self._store, name)
            live.begin_deletion()
        return {}

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer DescribeEndpoint."""
        return records.describe(self.record(parameters["EndpointName"]))

    def record(self, name: str) -> Record:
        """Return an endpoint's record.

        Raises
        ------
        InvalidRequestError
            If there is no such endpoint.
        """
        record = self._store.endpoints.get(name)
        if record is None:
            raise InvalidRequestError(f'Could not find endpoint "{self._platform.arn("endpoint", name)}".')
        return record

    def _settled(self, name: str) -> Record:
        record = self.record(name)
        if record["EndpointStatus"] not in ("InService", "Failed", "OutOfService"):
            raise InvalidRequestError(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')
        return record

    def list_all(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer ListEndpoints."""
        chosen = select(self._store.endpoints.all(), parameters, name="EndpointName", status="EndpointStatus")
        fields = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
        return listed(chosen, parameters, "Endpoints", fields)

    def shutdown(self, seconds: float) -> None:
        """End all servers; their endpoints are served again by the next server of the local cloud."""
        closing = [
            threading.Thread(target=live.close, args=(seconds,), daemon=True) for live in self._live.values()
        ]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()


def _deployment_config(parameters: dict[str, Any], record: Record) -> dict[str, Any] | None:
    """Return the DeploymentConfig that an update goes by."""
    given: dict[str, Any] | None = parameters.get("DeploymentConfig")
    if not parameters.get("RetainDeploymentConfig"):
        return given
    if given:
        raise InvalidRequestError("DeploymentConfig cannot be specified when RetainDeploymentConfig is true.")
    last: dict[str, Any] | None = record.get("LastDeploymentConfig")
    return last
