"""The one way to AWS: sessions, clients, and a stack's outputs.

The local cloud and AWS are reached alike, through boto3 and an endpoint URL. Which of the two a command
means is decided in `connect`, in this order: `AWS_ENDPOINT_URL` in the environment; the local cloud of this
folder, if one is up and AWS was not asked for; AWS.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from retrain.aws_errors import explained_errors, no_credentials
from retrain.errors import AwsCallError, StackNotFoundError
from retrain.project import state_dir

DEFAULT_STACK = "retrain"
UPLOAD_THREADS = 8


@dataclass(frozen=True)
class Target:
    """Which cloud is meant.

    Attributes
    ----------
    endpoint_url : str or None
        Where every AWS call goes; `None` leaves that to boto3 (AWS, or `AWS_ENDPOINT_URL`).
    environment : Mapping[str, str]
        Credentials and region that go with `endpoint_url`; empty to use the environment's own.
    profile, region : str or None
        As in the AWS CLI.
    local_cloud : bool
        Whether the local cloud of this folder was chosen because it is up.
    """

    endpoint_url: str | None = None
    environment: Mapping[str, str] | None = None
    profile: str | None = None
    region: str | None = None
    local_cloud: bool = False


def find_target(*, use_aws: bool = False, profile: str | None = None, region: str | None = None) -> Target:
    """Decide between AWS, an endpoint URL from the environment, and the local cloud that is up.

    Parameters
    ----------
    use_aws : bool
        Do not look for a local cloud.
    profile, region : str, optional
        As in the AWS CLI. A profile means AWS, too.

    Returns
    -------
    Target
        What `connect` takes.
    """
    if os.environ.get("AWS_ENDPOINT_URL") or use_aws or profile:
        return Target(profile=profile, region=region)
    from retrain.localcloud import process

    cloud = process.status(state_dir())
    if cloud is None:
        return Target(region=region)
    return Target(cloud.endpoint_url, process.environment(cloud), region=region, local_cloud=True)


class Stack:
    """A deployed Retrain stack: its clients and its outputs.

    Parameters
    ----------
    name : str
        The CloudFormation stack's name.
    target : Target
        Where it lives.
    """

    def __init__(self, name: str = DEFAULT_STACK, target: Target | None = None) -> None:
        self.name = name
        self.target = target or Target()
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @cached_property
    def _session(self) -> Any:
        import boto3

        environment = self.target.environment or {}
        with explained_errors("preparing the AWS session", self.target.endpoint_url):
            session = boto3.Session(
                profile_name=self.target.profile,
                region_name=self.target.region or environment.get("AWS_DEFAULT_REGION"),
                aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
                aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
            )
            if session.get_credentials() is None:
                raise no_credentials()
        return session

    @property
    def session(self) -> Any:
        """The boto3 session of the clients."""
        return self._session

    @property
    def is_near(self) -> bool:
        """Whether the cloud is on this machine, so that asking it often costs nothing."""
        url = self.target.endpoint_url or os.environ.get("AWS_ENDPOINT_URL") or ""
        return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}

    @property
    def region(self) -> str:
        """The region of the clients."""
        return str(self._session.region_name)

    def client(self, service: str) -> Any:
        """Return the (cached, thread-safe) boto3 client of a service.

        Parameters
        ----------
        service : str
            boto3's name of it, such as `s3`.

        Returns
        -------
        botocore.client.BaseClient
            With timeouts and retries that suit a person who waits.
        """
        from botocore.config import Config

        with self._lock:
            if service not in self._clients:
                near = self.is_near
                config = Config(
                    connect_timeout=2 if near else 5,
                    read_timeout=70,  # an endpoint may take 60 s for one answer
                    retries={"mode": "standard", "total_max_attempts": 2 if near else 5},
                    max_pool_connections=2 * UPLOAD_THREADS,
                    # For presigned links: by default they would be of the old kind, which encrypted buckets
                    # refuse, and without the region, whose redirection a signature does not survive.
                    signature_version="s3v4" if service == "s3" else None,
                    s3={"addressing_style": "auto" if near else "virtual"},
                )
                with explained_errors(f"preparing the {service} client", self.target.endpoint_url):
                    self._clients[service] = self._session.client(
                        service, endpoint_url=self.target.endpoint_url, config=config
                    )
            return self._clients[service]

    def explained_errors(self, doing: str) -> AbstractContextManager[None]:
        """Return `explained_errors` for this stack's target."""
        return explained_errors(doing, self.target.endpoint_url)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs, read once.

        Raises
        ------
        StackNotFoundError
            There is no stack of that name.
        """
        try:
            with self.explained_errors(f"reading the stack '{self.name}'"):
                stacks = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        except AwsCallError as error:
            if error.code != "ValidationError":
                raise
            stacks = []
        if not stacks:
            raise StackNotFoundError(
                f"There is no stack '{self.name}' in {self.region}: name another with --stack-name, deploy "
                "it with 'sam deploy', or start the local cloud with 'retrain local up'."
            )
        return {item["OutputKey"]: item["OutputValue"] for item in stacks[0].get("Outputs", [])}

    def output(self, key: str) -> str:
        """Return one output of the stack.

        Raises
        ------
        StackNotFoundError
            The stack has no such output, so it is not one of Retrain's, or an older one.
        """
        try:
            return self.outputs[key]
        except KeyError:
            raise StackNotFoundError(
                f"The stack '{self.name}' has no output {key}: it is not a Retrain stack, or its "
                "deployment has not finished. Name another with --stack-name, or deploy it again."
            ) from None

    def endpoint_name(self, dataset: str) -> str:
        """Return the name of the endpoint that serves the dataset's champion."""
        return f"{self.name}-{dataset}"


def connect(
    stack_name: str = DEFAULT_STACK,
    *,
    use_aws: bool = False,
    profile: str | None = None,
    region: str | None = None,
) -> Stack:
    """Return the stack that a command means; nothing is asked of AWS yet.

    Parameters
    ----------
    stack_name : str
        The CloudFormation stack's name.
    use_aws, profile, region
        See `find_target`.

    Returns
    -------
    Stack
        Its clients and outputs.
    """
    return Stack(stack_name, find_target(use_aws=use_aws, profile=profile, region=region))
