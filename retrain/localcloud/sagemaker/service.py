"""The front door: requests in AWS's protocols, checked and handed to the part that they are for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from retrain.localcloud.sagemaker import protocol
from retrain.localcloud.sagemaker.errors import ApiError, MalformedRequestError, UnsupportedError
from retrain.localcloud.sagemaker.features import refuse_unsupported
from retrain.localcloud.sagemaker.hosting.configs import EndpointConfigs
from retrain.localcloud.sagemaker.hosting.endpoints import Endpoints
from retrain.localcloud.sagemaker.hosting.models import Models
from retrain.localcloud.sagemaker.hosting.runtime import Runtime
from retrain.localcloud.sagemaker.platform import Platform
from retrain.localcloud.sagemaker.protocol import Answer
from retrain.localcloud.sagemaker.registry import ModelRegistry
from retrain.localcloud.sagemaker.store import Store
from retrain.localcloud.sagemaker.tags import Tags
from retrain.localcloud.sagemaker.training.service import TrainingJobs
from retrain.localcloud.sagemaker.validation import validate

log = logging.getLogger("retrain.localcloud.sagemaker")

TARGET_PREFIX = "SageMaker"
Operation = Callable[[dict[str, Any]], dict[str, Any]]


class SageMaker:
    """SageMaker and SageMaker Runtime.

    Parameters
    ----------
    platform
        The surroundings.
    store
        The records; by default those in the platform's folder.
    """

    def __init__(self, platform: Platform, store: Store | None = None) -> None:
        self.platform = platform
        self.store = store or Store(platform.folder)
        self.registry = ModelRegistry(platform, self.store)
        self.training_jobs = TrainingJobs(platform, self.store)
        self.models = Models(platform, self.store, self.registry)
        self.endpoint_configs = EndpointConfigs(platform, self.store, self.models)
        self.endpoints = Endpoints(platform, self.store, self.endpoint_configs)
        self.runtime = Runtime(platform, self.endpoints)
        tags = self._tags = Tags(self.store)
        self._operations: dict[str, Operation] = {
            "CreateTrainingJob": self.training_jobs.create,
            "DescribeTrainingJob": self.training_jobs.describe,
            "ListTrainingJobs": self.training_jobs.list_all,
            "StopTrainingJob": self.training_jobs.stop,
            "DeleteTrainingJob": self.training_jobs.delete,
            "CreateModel": self.models.create,
            "DescribeModel": self.models.describe,
            "ListModels": self.models.list_all,
            "DeleteModel": self.models.delete,
            "CreateEndpointConfig": self.endpoint_configs.create,
            "DescribeEndpointConfig": self.endpoint_configs.describe,
            "ListEndpointConfigs": self.endpoint_configs.list_all,
            "DeleteEndpointConfig": self.endpoint_configs.delete,
            "CreateEndpoint": self.endpoints.create,
            "DescribeEndpoint": self.endpoints.describe,
            "ListEndpoints": self.endpoints.list_all,
            "UpdateEndpoint": self.endpoints.update,
            "UpdateEndpointWeightsAndCapacities": self.endpoints.update_weights,
            "DeleteEndpoint": self.endpoints.delete,
            "CreateModelPackageGroup": self.registry.create_group,
            "DescribeModelPackageGroup": self.registry.describe_group,
            "ListModelPackageGroups": self.registry.list_groups,
            "DeleteModelPackageGroup": self.registry.delete_group,
            "CreateModelPackage": self.registry.create_package,
            "DescribeModelPackage": self.registry.describe_package,
            "ListModelPackages": self.registry.list_packages,
            "UpdateModelPackage": self.registry.update_package,
            "DeleteModelPackage": self.registry.delete_package,
            "AddTags": tags.add,
            "ListTags": tags.list_all,
            "DeleteTags": tags.delete,
        }

    @property
    def operations(self) -> frozenset[str]:
        """The operations that are there."""
        return frozenset(self._operations)

    def tags_of(self, arn: str) -> dict[str, str]:
        """Return a resource's tags; none if there is no such resource."""
        try:
            found = self._tags.list_all({"ResourceArn": arn})["Tags"]
        except ApiError:
            return {}
        return {tag["Key"]: tag["Value"] for tag in found}

    def call(self, operation: str, parameters: Any) -> dict[str, Any]:
        """Carry out one operation.

        Parameters
        ----------
        operation
            E.g. ``CreateTrainingJob``.
        parameters
            The request.

        Raises
        ------
        ApiError
            What the caller gets instead of an answer.
        """
        validate(operation, parameters)
        function = self._operations.get(operation)
        if function is None:
            raise UnsupportedError(f"{operation}")
        refuse_unsupported(operation, parameters)
        given = {key: value for key, value in parameters.items() if value is not None}
        return function(given)

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        """Answer an HTTP request of either protocol."""
        del query  # neither protocol has one
        target = headers.get("x-amz-target", "")
        prefix, _, operation = target.partition(".")
        try:
            if self.runtime.handles(path):
                return await self.runtime.answer(method, path, headers, body)
            if prefix != TARGET_PREFIX or not operation:
                raise MalformedRequestError(
                    f"{method} {path} with X-Amz-Target {target!r} is no request to SageMaker."
                )
            return protocol.answer(200, self.call(operation, protocol.parsed(body)))
        except ApiError as error:
            return protocol.refusal(error.status, error.code, error.message)
        except Exception as error:  # the caller must get an answer in AWS's form
            log.exception("%s %s failed in the local cloud itself.", path, target)
            return protocol.refusal(500, "InternalFailure", f"{type(error).__name__}: {error}")

    def shutdown(self) -> None:
        """End everything that runs. The records stay."""
        seconds = self.platform.settings.stop_grace
        self.platform.logs.close()
        self.training_jobs.shutdown(seconds)
        self.endpoints.shutdown(seconds)
