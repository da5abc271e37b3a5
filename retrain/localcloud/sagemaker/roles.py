"""Execution roles: what training jobs and endpoints do, they do in the name of the role they were given."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from retrain.localcloud.authorisation.callers import credentials
from retrain.localcloud.authorisation.decisions import Authority, Caller, Check
from retrain.localcloud.environment import ACCOUNT, REGION
from retrain.localcloud.errors import AuthorisationError
from retrain.localcloud.sagemaker.objects import ObjectError, ObjectStore, S3Uri, StoredObject

log = logging.getLogger("retrain.localcloud.sagemaker")

SESSION = "SageMaker"
"""What the session of an execution role is called, as in AWS."""

_LOGGING = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
_PULLING = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
_IMAGE = re.compile(r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[^/]+/(?P<name>[^:@]+)")


class Cache(Protocol):
    """Where objects of S3 are fetched once; see `downloads.ObjectCache`."""

    def place(self, bucket: str, found: StoredObject, target: Path) -> None:
        """Put an object at `target`; raises ObjectError."""
        ...


class ExecutionRole:
    """A role that something acts in; everything is allowed where nobody enforces rights.

    Parameters
    ----------
    authority
        Decides; None allows everything.
    role_arn
        The role; None allows everything too.
    """

    def __init__(self, authority: Authority | None, role_arn: str | None) -> None:
        self._authority = authority
        self._caller = Caller(role_arn, SESSION) if role_arn else None

    def require(self, *checks: Check) -> None:
        """Refuse what the role does not allow.

        Raises
        ------
        AuthorisationError
            In AWS's words.
        """
        if self._authority is not None and self._caller is not None:
            for check in checks:
                self._authority.require(self._caller, check)

    def credentials(self) -> dict[str, str]:
        """Return the role's credentials, as a program's environment variables."""
        if self._authority is None or self._caller is None:
            return {}
        return credentials(self._caller)

    def may_log(self, group: str, stream: str) -> bool:
        """Whether lines may be written to a log stream; if not, they are lost, as in AWS."""
        place = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream}"
        try:
            self.require(*(Check(f"logs:{action}", place) for action in _LOGGING))
        except AuthorisationError as error:
            log.warning("%s %s is not logged: %s", group, stream, error)
            return False
        return True

    def require_image(self, image_uri: str) -> None:
        """Refuse to pull an image of ECR's that the role may not pull.

        Raises
        ------
        AuthorisationError
            In AWS's words.
        """
        found = _IMAGE.match(image_uri)
        if found is not None:
            place = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
            self.require(Check("ecr:GetAuthorizationToken", "*"))
            self.require(*(Check(f"ecr:{action}", place) for action in _PULLING))

    def require_metrics(self, namespace: str) -> None:
        """Refuse metrics that the role may not send.

        Raises
        ------
        AuthorisationError
            In AWS's words.
        """
        self.require(Check("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": namespace}))


@dataclass(frozen=True)
class HeldObjects:
    """S3 in the name of a role; an `ObjectStore` and a `Cache`.

    Attributes
    ----------
    role
        In whose name.
    inner, cache
        S3 itself.
    """

    role: ExecutionRole
    inner: ObjectStore
    cache: Cache

    def list_objects(self, prefix: S3Uri) -> Iterator[StoredObject]:
        """List the objects whose keys begin with the prefix, in the order of keys."""
        bucket = f"arn:aws:s3:::{prefix.bucket}"
        self._require("ListObjectsV2", Check("s3:ListBucket", bucket, {"s3:prefix": prefix.key}))
        yield from self.inner.list_objects(prefix)

    def fetch(self, source: S3Uri, target: Path) -> None:
        """Write an object to a file, whose folder exists."""
        self._require_read(source)
        self.inner.fetch(source, target)

    def store(self, source: Path, target: S3Uri) -> None:
        """Write a file to an object."""
        self._require("PutObject", Check("s3:PutObject", _arn(target)))
        self.inner.store(source, target)

    def place(self, bucket: str, found: StoredObject, target: Path) -> None:
        """Put an object at `target`, fetched by whomever."""
        self._require_read(S3Uri(bucket, found.key))
        self.cache.place(bucket, found, target)

    def _require_read(self, source: S3Uri) -> None:
        self._require("GetObject", Check("s3:GetObject", _arn(source)))

    def _require(self, operation: str, check: Check) -> None:
        try:
            self.role.require(check)
        except AuthorisationError as error:
            raise ObjectError(
                f"An error occurred (AccessDenied) when calling the {operation} operation: {error}"
            ) from error


def _arn(place: S3Uri) -> str:
    return f"arn:aws:s3:::{place.bucket}/{place.key}"
