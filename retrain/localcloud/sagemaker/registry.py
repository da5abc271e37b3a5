"""The model registry: model packages, and groups that number them."""

from __future__ import annotations

from typing import Any

from retrain.localcloud.environment import ACCOUNT, REGION
from retrain.localcloud.sagemaker.errors import ConflictError, InvalidRequestError
from retrain.localcloud.sagemaker.listing import listed, select
from retrain.localcloud.sagemaker.platform import Platform, now
from retrain.localcloud.sagemaker.store import Record, Store

EVENT = "SageMaker Model Package State Change"


class ModelRegistry:
    """The operations on model packages and model package groups.

    Parameters
    ----------
    platform, store
        The surroundings.
    """

    def __init__(self, platform: Platform, store: Store) -> None:
        self._platform = platform
        self._store = store

    # -- groups -------------------------------------------------------------------------------------------

    def create_group(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer CreateModelPackageGroup."""
        name = parameters["ModelPackageGroupName"]
        arn = self._platform.arn("model-package-group", name)
        with self._store.lock:
            if name in self._store.model_package_groups:
                raise InvalidRequestError(f"Model Package Group already exists: {arn}")
            record = {
                **parameters,
                "ModelPackageGroupArn": arn,
                "CreationTime": now(),
                "CreatedBy": {},
                "ModelPackageGroupStatus": "Completed",
                "_next_version": 1,
            }
            self._store.model_package_groups.put(name, record)
        return {"ModelPackageGroupArn": arn}

    def describe_group(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer DescribeModelPackageGroup."""
        return _shown(self._group(parameters["ModelPackageGroupName"]))

    def _group(self, name_or_arn: str) -> Record:
        name = name_or_arn.rsplit("/", 1)[-1]
        record = self._store.model_package_groups.get(name)
        if record is None:
            raise InvalidRequestError(f"Model Package Group {name} does not exist.")
        return record

    def list_groups(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer ListModelPackageGroups."""
        chosen = select(self._store.model_package_groups.all(), parameters, name="ModelPackageGroupName")
        fields = (
            *("ModelPackageGroupName", "ModelPackageGroupArn", "ModelPackageGroupDescription"),
            *("CreationTime", "ModelPackageGroupStatus"),
        )
        return listed(chosen, parameters, "ModelPackageGroupSummaryList", fields)

    def delete_group(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer DeleteModelPackageGroup; a group that holds packages stays."""
        with self._store.lock:
            record = self._group(parameters["ModelPackageGroupName"])
            name = record["ModelPackageGroupName"]
            if any(
                package.get("ModelPackageGroupName") == name for package in self._store.model_packages.all()
            ):
                raise ConflictError(
                    f"Model Package Group {record['ModelPackageGroupArn']} cannot be deleted: "
                    "it contains model packages."
                )
            self._store.model_package_groups.delete(name)
        return {}

    # -- packages -----------------------------------------------------------------------------------------

    def create_package(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer CreateModelPackage."""
        group, name = parameters.get("ModelPackageGroupName"), parameters.get("ModelPackageName")
        if bool(group) == bool(name):
            raise InvalidRequestError(
                "Either ModelPackageGroupName or ModelPackageName must be specified, not both."
            )
        if not parameters.get("InferenceSpecification") and not parameters.get("SourceUri"):
            raise InvalidRequestError("InferenceSpecification or SourceUri must be specified.")
        fields = {
            key: value
            for key, value in parameters.items()
            if key not in ("ModelPackageGroupName", "ClientToken")
        }
        record: Record = {
            **fields,
            "CreationTime": now(),
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "_token": parameters.get("ClientToken"),
        }
        with self._store.lock:
            repeated = self._of_token(parameters.get("ClientToken"))
            if repeated is not None:
                return {"ModelPackageArn": repeated["ModelPackageArn"]}
            if group:
                key = self._number(record, group)
            else:
                key = str(name)
                if key in self._store.model_packages:
                    raise ConflictError(
                        f"Model Package already exists: {self._platform.arn('model-package', key)}"
                    )
            record["ModelPackageArn"] = self._platform.arn("model-package", key)
            self._store.model_packages.put(key, record)
        self._tell(record)
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def _of_token(self, token: str | None) -> Record | None:
        if not token:
            return None
        return next((item for item in self._store.model_packages.all() if item.get("_token") == token), None)

    def _number(self, record: Record, group: str) -> str:
        name = self._group(group)["ModelPackageGroupName"]
        with self._store.model_package_groups.edit(name) as found:
            version = found["_next_version"]
            found["_next_version"] = version + 1
        record["ModelPackageGroupName"] = name
        record["ModelPackageVersion"] = version
        record.setdefault("ModelApprovalStatus", "PendingManualApproval")
        return f"{name}/{version}"

    def _key(self, name_or_arn: str) -> str:
        key = name_or_arn.split(":model-package/", 1)[-1]
        if key not in self._store.model_packages:
            arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{key}"
            raise InvalidRequestError(f"ModelPackage {arn} does not exist.")
        return key

    def describe_package(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer DescribeModelPackage."""
        record = self._store.model_packages.get(self._key(parameters["ModelPackageName"]))
        assert record is not None  # noqa: S101  (its key was just found)
        record.setdefault("ModelPackageName", record.get("ModelPackageGroupName"))
        return _shown(record)

    def container(self, name_or_arn: str) -> dict[str, Any]:
        """Return the container that a model made from a package runs.

        Raises
        ------
        InvalidRequestError
            If there is no such package, or it says nothing about inference.
        """
        package = self.describe_package({"ModelPackageName": name_or_arn})
        containers = (package.get("InferenceSpecification") or {}).get("Containers") or []
        if len(containers) != 1:
            raise InvalidRequestError(
                f"ModelPackage {package['ModelPackageArn']} must have one container in its "
                "InferenceSpecification."
            )
        known = ("Image", "ModelDataUrl", "ModelDataSource", "Environment")
        return {key: containers[0][key] for key in known if key in containers[0]}

    def list_packages(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer ListModelPackages."""
        packages = self._store.model_packages.all()
        group = parameters.get("ModelPackageGroupName")
        if group:
            name = self._group(group)["ModelPackageGroupName"]
            packages = [item for item in packages if item.get("ModelPackageGroupName") == name]
        else:
            kind = parameters.get("ModelPackageType") or "Unversioned"
            packages = [
                item
                for item in packages
                if kind == "Both" or ("ModelPackageVersion" in item) == (kind == "Versioned")
            ]
        if parameters.get("ModelApprovalStatus"):
            wanted = parameters["ModelApprovalStatus"]
            packages = [item for item in packages if item.get("ModelApprovalStatus") == wanted]
        chosen = select(packages, parameters, name="ModelPackageArn")
        fields = (
            *("ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn"),
            *("ModelPackageDescription", "CreationTime", "ModelPackageStatus", "ModelApprovalStatus"),
        )
        return listed(chosen, parameters, "ModelPackageSummaryList", fields)

    def update_package(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer UpdateModelPackage: approval, above all."""
        key = self._key(parameters["ModelPackageArn"])
        with self._store.model_packages.edit(key) as record:
            for member in (
                *("ModelApprovalStatus", "ApprovalDescription", "InferenceSpecification", "SourceUri"),
                *("ModelCard", "ModelLifeCycle"),
            ):
                if parameters.get(member) is not None:
                    record[member] = parameters[member]
            properties = {
                **(record.get("CustomerMetadataProperties") or {}),
                **(parameters.get("CustomerMetadataProperties") or {}),
            }
            for name in parameters.get("CustomerMetadataPropertiesToRemove") or []:
                properties.pop(name, None)
            if properties or "CustomerMetadataProperties" in record:
                record["CustomerMetadataProperties"] = properties
            added = parameters.get("AdditionalInferenceSpecificationsToAdd")
            if added:
                record["AdditionalInferenceSpecifications"] = [
                    *(record.get("AdditionalInferenceSpecifications") or []),
                    *added,
                ]
            record["LastModifiedTime"] = now()
            # The local cloud checks no credentials: whoever uses it is its account.
            root = {"Arn": f"arn:aws:iam::{ACCOUNT}:root", "PrincipalId": ACCOUNT}
            record["LastModifiedBy"] = {"IamIdentity": root}
        self._tell(record)
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def delete_package(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer DeleteModelPackage."""
        with self._store.lock:
            self._store.model_packages.delete(self._key(parameters["ModelPackageName"]))
        return {}

    def _tell(self, record: Record) -> None:
        detail = {
            key: round(value * 1000) if key.endswith("Time") else value
            for key, value in _shown(record).items()
        }
        self._platform.events.send(EVENT, detail, record["ModelPackageArn"])


def _shown(record: Record) -> dict[str, Any]:
    return {key: value for key, value in record.items() if not key.startswith("_") and key != "Tags"}
