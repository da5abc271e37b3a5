"""Models: what is served, named."""

from __future__ import annotations

from typing import Any

from retrain.localcloud.sagemaker.errors import InvalidRequestError, UnsupportedError
from retrain.localcloud.sagemaker.listing import listed, select
from retrain.localcloud.sagemaker.objects import S3Uri
from retrain.localcloud.sagemaker.platform import Platform, now
from retrain.localcloud.sagemaker.registry import ModelRegistry
from retrain.localcloud.sagemaker.store import Record, Store

EVENT = "SageMaker Model State Change"


class Models:
    """The operations on models.

    Parameters
    ----------
    platform, store
        The surroundings.
    registry
        For models that are made from a model package.
    """

    def __init__(self, platform: Platform, store: Store, registry: ModelRegistry) -> None:
        self._platform = platform
        self._store = store
        self._registry = registry

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer CreateModel."""
        name = parameters["ModelName"]
        containers = parameters.get("Containers") or []
        primary = parameters.get("PrimaryContainer")
        if primary and containers:
            raise InvalidRequestError("You can specify either PrimaryContainer or Containers, but not both.")
        if not primary and not containers:
            raise InvalidRequestError("Either PrimaryContainer or Containers must be specified.")
        if len(containers) > 1:
            raise UnsupportedError("CreateModel: several Containers")
        if not parameters.get("ExecutionRoleArn"):
            raise InvalidRequestError("ExecutionRoleArn must be specified.")
        self.container({"PrimaryContainer": primary or containers[0]})
        arn = self._platform.arn("model", name)
        with self._store.lock:
            if name in self._store.models:
                raise InvalidRequestError(f'Cannot create already existing model "{arn}".')
            record = {**parameters, "ModelArn": arn, "CreationTime": now()}
            self._store.models.put(name, record)
        self._platform.events.send(EVENT, {**parameters, "ModelArn": arn}, arn)
        return {"ModelArn": arn}

    def container(self, model: Record) -> dict[str, Any]:
        """Return what a model runs: Image, Environment and where its data is, a model package resolved.

        Raises
        ------
        InvalidRequestError, UnsupportedError
            If that cannot be run.
        """
        given: dict[str, Any] = dict(model.get("PrimaryContainer") or model["Containers"][0])
        if given.get("Mode", "SingleModel") != "SingleModel":
            raise UnsupportedError("CreateModel: Mode MultiModel")
        package = given.pop("ModelPackageName", None)
        if package:
            if given.get("Image") or given.get("ModelDataUrl"):
                raise InvalidRequestError("ModelPackageName cannot be combined with Image or ModelDataUrl.")
            found = self._registry.container(package)
            given = {
                **found,
                "Environment": {**found.get("Environment", {}), **(given.get("Environment") or {})},
            }
        if not given.get("Image"):
            raise InvalidRequestError(
                "Image or ModelPackageName must be specified for the primary container."
            )
        _check_model_data(given)
        return given

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer DescribeModel."""
        record = self.record(parameters["ModelName"])
        return {key: value for key, value in record.items() if key != "Tags"}

    def record(self, name: str) -> Record:
        """Return a model's record.

        Raises
        ------
        InvalidRequestError
            If there is no such model.
        """
        record = self._store.models.get(name)
        if record is None:
            raise InvalidRequestError(f'Could not find model "{self._platform.arn("model", name)}".')
        return record

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer DeleteModel; as in AWS, endpoints that serve it go on serving it."""
        with self._store.lock:
            record = self.record(parameters["ModelName"])
            self._store.models.delete(parameters["ModelName"])
        self._platform.events.send(
            EVENT, {"ModelName": record["ModelName"], "ModelArn": record["ModelArn"]}, record["ModelArn"]
        )
        return {}

    def list_all(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer ListModels."""
        chosen = select(self._store.models.all(), parameters, name="ModelName")
        return listed(chosen, parameters, "Models", ("ModelName", "ModelArn", "CreationTime"))


def _check_model_data(container: dict[str, Any]) -> None:
    url = container.get("ModelDataUrl")
    source = (container.get("ModelDataSource") or {}).get("S3DataSource")
    if url and source:
        raise InvalidRequestError("You can specify either ModelDataUrl or ModelDataSource, but not both.")
    if url:
        try:
            uri = S3Uri.parse(url)
        except ValueError as error:
            raise InvalidRequestError(f"Invalid ModelDataUrl: {error}") from error
        if not uri.key.endswith(".tar.gz"):
            raise InvalidRequestError(
                f"Invalid ModelDataUrl: {url} must name a gzipped tar archive (.tar.gz)."
            )
    if source:
        try:
            S3Uri.parse(source["S3Uri"])
        except ValueError as error:
            raise InvalidRequestError(f"Invalid ModelDataSource: {error}") from error
        if (source["S3DataType"], source["CompressionType"]) not in {
            ("S3Object", "Gzip"),
            ("S3Prefix", "None"),
        }:
            raise UnsupportedError(
                f"ModelDataSource of S3DataType {source['S3DataType']} and "
                f"CompressionType {source['CompressionType']}"
            )
