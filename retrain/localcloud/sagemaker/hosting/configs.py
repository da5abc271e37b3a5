"""Endpoint configs: which models an endpoint serves, and how the requests are shared out."""

from __future__ import annotations

from typing import Any

from retrain.localcloud.sagemaker.errors import InvalidRequestError, UnsupportedError
from retrain.localcloud.sagemaker.hosting.models import Models
from retrain.localcloud.sagemaker.hosting.server import ServerSpec
from retrain.localcloud.sagemaker.listing import listed, select
from retrain.localcloud.sagemaker.platform import Platform, now
from retrain.localcloud.sagemaker.store import Record, Store

EVENT = "SageMaker Endpoint Config State Change"


class EndpointConfigs:
    """The operations on endpoint configs.

    Parameters
    ----------
    platform, store
        The surroundings.
    models
        The models that configs name.
    """

    def __init__(self, platform: Platform, store: Store, models: Models) -> None:
        self._platform = platform
        self._store = store
        self._models = models

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer CreateEndpointConfig."""
        name = parameters["EndpointConfigName"]
        if (parameters.get("DataCaptureConfig") or {}).get("EnableCapture"):
            raise UnsupportedError("CreateEndpointConfig: DataCaptureConfig.EnableCapture")
        variants = parameters["ProductionVariants"]
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) < len(names):
            raise InvalidRequestError(f"Production variant names must be unique, found {', '.join(names)}.")
        for variant in variants:
            _check_variant(variant)
            self._models.record(variant["ModelName"])
        arn = self._platform.arn("endpoint-config", name)
        with self._store.lock:
            if name in self._store.endpoint_configs:
                raise InvalidRequestError(f'Cannot create already existing endpoint configuration "{arn}".')
            record = {**parameters, "EndpointConfigArn": arn, "CreationTime": now()}
            self._store.endpoint_configs.put(name, record)
        self._platform.events.send(EVENT, {**parameters, "EndpointConfigArn": arn}, arn)
        return {"EndpointConfigArn": arn}

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer DescribeEndpointConfig."""
        record = self.record(parameters["EndpointConfigName"])
        return {key: value for key, value in record.items() if key != "Tags"}

    def record(self, name: str) -> Record:
        """Return a config's record.

        Raises
        ------
        InvalidRequestError
            If there is no such config.
        """
        record = self._store.endpoint_configs.get(name)
        if record is None:
            arn = self._platform.arn("endpoint-config", name)
            raise InvalidRequestError(f'Could not find endpoint configuration "{arn}".')
        return record

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer DeleteEndpointConfig; as in AWS, an endpoint that uses it goes on serving."""
        with self._store.lock:
            self.record(parameters["EndpointConfigName"])
            self._store.endpoint_configs.delete(parameters["EndpointConfigName"])
        return {}

    def list_all(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer ListEndpointConfigs."""
        chosen = select(self._store.endpoint_configs.all(), parameters, name="EndpointConfigName")
        fields = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
        return listed(chosen, parameters, "EndpointConfigs", fields)

    def servers(self, name: str) -> list[ServerSpec]:
        """Return what has to run for a config: one server per variant.

        An endpoint keeps this, so that it can be served again when the config or its models were deleted.

        Raises
        ------
        InvalidRequestError
            If the config, or a model that it names, does not exist.
        """
        specs: list[ServerSpec] = []
        for variant in self.record(name)["ProductionVariants"]:
            model = self._models.record(variant["ModelName"])
            container = self._models.container(model)
            source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
            specs.append(
                {
                    "variant": variant["VariantName"],
                    "model": variant["ModelName"],
                    "image": container["Image"],
                    "environment": container.get("Environment") or {},
                    "model_data": container.get("ModelDataUrl") or source.get("S3Uri"),
                    "packed": source.get("CompressionType", "Gzip") == "Gzip",
                    "weight": variant.get("InitialVariantWeight", 1.0),
                    "instances": variant.get("InitialInstanceCount", 1),
                    "serverless": variant.get("ServerlessConfig"),
                    "startup_seconds": variant.get("ContainerStartupHealthCheckTimeoutInSeconds"),
                    "role": model.get("ExecutionRoleArn"),
                }
            )
        return specs


def _check_variant(variant: dict[str, Any]) -> None:
    where = f"Production variant {variant['VariantName']!r}"
    if not variant.get("ModelName"):
        raise UnsupportedError(f"{where} without ModelName (inference components)")
    if bool(variant.get("ServerlessConfig")) == bool(variant.get("InstanceType")):
        raise InvalidRequestError(f"{where} must have either InstanceType or ServerlessConfig.")
    if variant.get("InstanceType") and not variant.get("InitialInstanceCount"):
        raise InvalidRequestError(f"{where}: InitialInstanceCount must be specified with InstanceType.")
