"""What runs leave in SageMaker, Amazon S3 and CloudWatch Logs, and its removal."""

import re
from typing import Any

from botocore.exceptions import ClientError

from retraining.aws.clients import client, code, message, translated
from retraining.aws.training_logs import LOG_GROUP
from retraining.errors import AwsError

ENDPOINT_LOG_GROUPS = "/aws/sagemaker/Endpoints/"

_MISSING = frozenset({"ValidationException", "ResourceNotFound", "ResourceNotFoundException"})


class AwsRemains:
    """The remains of runs; implements `retraining.cleaning.Remains`."""

    def reject_package(self, arn: str, reason: str) -> int:
        """Reject a model package, so that nobody deploys what is gone."""
        with translated(f"Rejecting the model package {arn}"):
            known = _unless_missing("describe_model_package", ModelPackageName=arn)
            if known is None or known.get("ModelApprovalStatus") == "Rejected":
                return 0
            client("sagemaker").update_model_package(
                ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription=reason
            )
        return 1

    def delete_endpoint_config(self, name: str) -> int:
        """Delete an endpoint config."""
        with translated(f"Deleting the endpoint config {name}"):
            # The policy allows deleting by tag, and so refuses to delete what does not exist.
            if _unless_missing("describe_endpoint_config", EndpointConfigName=name) is None:
                return 0
            return _removed(_unless_missing("delete_endpoint_config", EndpointConfigName=name))

    def delete_model(self, name: str) -> int:
        """Delete a model."""
        with translated(f"Deleting the model {name}"):
            if _unless_missing("describe_model", ModelName=name) is None:
                return 0
            return _removed(_unless_missing("delete_model", ModelName=name))

    def delete_objects(self, bucket: str, prefix: str) -> int:
        """Delete every version of every object under a prefix."""
        count = 0
        with translated(f"Deleting s3://{bucket}/{prefix}"):
            pages = client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
            for page in pages:
                versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                if not versions:
                    continue
                objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions]
                answer = client("s3").delete_objects(
                    Bucket=bucket, Delete={"Objects": objects, "Quiet": True}
                )
                for error in answer.get("Errors", []):
                    raise AwsError(
                        f"Deleting s3://{bucket}/{error['Key']} failed: {error['Code']}: {error['Message']}"
                    )
                count += len(page.get("Versions", []))
        return count

    def delete_log_streams(self, training_job: str) -> int:
        """Delete the logs of all attempts of a training job, given the stem of their names."""
        # The stem of one job may be the beginning of another one's name.
        own = re.compile(rf"{re.escape(training_job)}-r\d+t\d+/")
        count = 0
        with translated(f"Deleting the logs of the training job {training_job}"):
            for stream in self._streams(f"{training_job}-r"):
                if own.match(stream):
                    client("logs").delete_log_stream(logGroupName=LOG_GROUP, logStreamName=stream)
                    count += 1
        return count

    def limit_endpoint_log(self, endpoint_name: str, days: int) -> int:
        """Let an endpoint's log be kept for so long, if nobody has said anything about it."""
        name = f"{ENDPOINT_LOG_GROUPS}{endpoint_name}"
        with translated(f"Limiting the log group {name}"):
            groups = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
            unlimited = [
                group for group in groups if group["logGroupName"] == name and "retentionInDays" not in group
            ]
            for group in unlimited:
                client("logs").put_retention_policy(logGroupName=group["logGroupName"], retentionInDays=days)
        return len(unlimited)

    @staticmethod
    def _streams(prefix: str) -> list[str]:
        pages = client("logs").get_paginator("describe_log_streams")
        try:
            # All of them before the first is deleted, which would shift the pages.
            return [
                stream["logStreamName"]
                for page in pages.paginate(logGroupName=LOG_GROUP, logStreamNamePrefix=prefix)
                for stream in page["logStreams"]
            ]
        except ClientError as error:
            if code(error) == "ResourceNotFoundException":  # before the very first job, there is no group
                return []
            raise


def _removed(answer: dict[str, Any] | None) -> int:
    return 0 if answer is None else 1


def _says_missing(told: str) -> bool:
    return "ould not find" in told or "does not exist" in told


def _unless_missing(operation: str, **parameters: str) -> dict[str, Any] | None:
    """Call SageMaker; None if what it is about does not exist, for which it has no error of its own."""
    try:
        answer: dict[str, Any] = getattr(client("sagemaker"), operation)(**parameters)
    except ClientError as error:
        if code(error) in _MISSING and _says_missing(message(error)):
            return None
        raise
    return answer
