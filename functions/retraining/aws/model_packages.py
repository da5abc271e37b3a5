"""Amazon SageMaker's model registry: the approval status of model packages."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from retraining.aws.clients import client, code, message, translated
from retraining.executions import from_datetime
from retraining.ports import PackageState

_GONE = ("does not exist", "not found")


class SageMakerPackages:
    """Model packages in SageMaker; implements `retraining.ports.ModelPackages`."""

    def describe(self, arn: str) -> PackageState | None:
        """Return a package's state, None if there is no such package."""
        with translated(f"Describing the model package {arn}"):
            try:
                answer = client("sagemaker").describe_model_package(ModelPackageName=arn)
            except ClientError as error:
                # SageMaker has no error of its own for what does not exist.
                if code(error) == "ValidationException" and any(part in message(error) for part in _GONE):
                    return None
                raise
        changed = answer.get("LastModifiedTime")
        return PackageState(
            status=answer.get("ModelApprovalStatus", ""),
            description=answer.get("ApprovalDescription", ""),
            changed_at=from_datetime(changed) if changed else "",
            changed_by=_who(answer.get("LastModifiedBy") or {}),
        )

    def reject(self, arn: str, description: str) -> None:
        """Set a package's approval status to Rejected."""
        with translated(f"Rejecting the model package {arn}"):
            client("sagemaker").update_model_package(
                ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription=description
            )


def _who(user: Mapping[str, Any]) -> str:
    """Return who changed a package: a user profile of Studio, or else an identity of IAM."""
    return str(user.get("UserProfileName") or (user.get("IamIdentity") or {}).get("Arn") or "")
