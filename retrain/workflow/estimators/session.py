"""Where estimators find the cloud: its region, its buckets, the ARNs of roles."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from retrain.aws import Stack, Target, find_target
from retrain.workflow.errors import EstimatorError


class Session:
    """The cloud that estimators are rendered for: AWS, or the local cloud if one is up.

    Nothing is asked of it before something must be known that was not given.

    Parameters
    ----------
    boto_session : boto3.Session, optional
        Its clients are used instead of those of the environment.
    default_bucket : str, optional
        Where source code and models go if nothing else is said; `sagemaker-REGION-ACCOUNT` if not given.
    region : str, optional
        The region; that of the environment if not given.
    """

    def __init__(
        self, boto_session: Any = None, default_bucket: str | None = None, *, region: str | None = None
    ) -> None:
        self._boto_session = boto_session
        self._bucket = default_bucket
        self._region = region

    @cached_property
    def _stack(self) -> Stack:
        return Stack(target=find_target(region=self._region))

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service."""
        if self._boto_session is not None:
            return self._boto_session.client(service, region_name=self._region)
        return self._stack.client(service)

    @property
    def boto_region_name(self) -> str:
        """The region.

        Raises
        ------
        EstimatorError
            None is set.
        """
        if self._region:
            return self._region
        region = (
            _environment_region(self._stack.target)
            if self._boto_session is None
            else self._boto_session.region_name
        )
        if not region:
            raise EstimatorError(
                "No AWS region is set: set AWS_DEFAULT_REGION, or give sagemaker_session=Session(region=...)."
            )
        return str(region)

    def default_bucket(self) -> str:
        """Return the bucket for source code and models; the account's own, if no other was given."""
        if self._bucket is None:
            account = self.client("sts").get_caller_identity()["Account"]
            self._bucket = f"sagemaker-{self.boto_region_name}-{account}"
        return self._bucket

    def expand_role(self, role: str) -> str:
        """Return the ARN of a role that may have been given by its name."""
        if role.startswith("arn:") or "/" in role:
            return role
        return str(self.client("iam").get_role(RoleName=role)["Role"]["Arn"])


def _environment_region(target: Target) -> str | None:
    import boto3

    told = target.region or (target.environment or {}).get("AWS_DEFAULT_REGION")
    region: str | None = told or boto3.Session(profile_name=target.profile).region_name
    return region
