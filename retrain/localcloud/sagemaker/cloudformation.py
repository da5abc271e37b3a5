"""AWS::SageMaker::ModelPackageGroup for stacks."""

from __future__ import annotations

import datetime
from typing import Any

from retrain.localcloud.sagemaker.errors import InvalidRequestError
from retrain.localcloud.sagemaker.service import SageMaker

TYPE = "AWS::SageMaker::ModelPackageGroup"
# A resource policy lets other accounts in, and there are none here.
_HARMLESS = frozenset({"ModelPackageGroupPolicy"})
_MEMBERS = {
    "ModelPackageGroupName": "ModelPackageGroupName",
    "ModelPackageGroupDescription": "ModelPackageGroupDescription",
    "Tags": "Tags",
}


class ModelPackageGroupResource:
    """Creates and deletes the groups of stacks; ``Ref`` gives the ARN.

    Parameters
    ----------
    sagemaker
        Where the groups are.
    """

    def __init__(self, sagemaker: SageMaker) -> None:
        self._sagemaker = sagemaker

    def create(
        self, logical_id: str, properties: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        """Create a group; gives its ARN and the attributes for ``Fn::GetAtt``."""
        unknown = properties.keys() - _MEMBERS.keys() - _HARMLESS
        if unknown:
            raise InvalidRequestError(
                f"{stack_name}/{logical_id}: {', '.join(sorted(unknown))} of {TYPE} cannot be honoured "
                "in the local cloud."
            )
        request = {_MEMBERS[name]: value for name, value in properties.items() if name in _MEMBERS}
        arn = self._sagemaker.call("CreateModelPackageGroup", request)["ModelPackageGroupArn"]
        return arn, self._attributes(arn)

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        """Set the tags; another name or description is another group, as in AWS."""
        if any(
            old.get(name) != new.get(name)
            for name in ("ModelPackageGroupName", "ModelPackageGroupDescription")
        ):
            return self.create(physical_id, new, stack_name)
        gone = {tag["Key"] for tag in old.get("Tags") or []} - {tag["Key"] for tag in new.get("Tags") or []}
        if gone:
            self._sagemaker.call("DeleteTags", {"ResourceArn": physical_id, "TagKeys": sorted(gone)})
        if new.get("Tags"):
            self._sagemaker.call("AddTags", {"ResourceArn": physical_id, "Tags": new["Tags"]})
        return physical_id, self._attributes(physical_id)

    def delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        """Delete a group, which must be empty."""
        del properties
        name = physical_id.rsplit("/", 1)[-1]
        if name in self._sagemaker.store.model_package_groups:
            self._sagemaker.call("DeleteModelPackageGroup", {"ModelPackageGroupName": name})

    def _attributes(self, arn: str) -> dict[str, Any]:
        group = self._sagemaker.call("DescribeModelPackageGroup", {"ModelPackageGroupName": arn})
        created = datetime.datetime.fromtimestamp(group["CreationTime"], datetime.UTC)
        return {
            "ModelPackageGroupArn": arn,
            "ModelPackageGroupStatus": group["ModelPackageGroupStatus"],
            "CreationTime": created.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
