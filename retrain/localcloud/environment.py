"""The environment that the server, and MiniStack in it, runs with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY = SECRET_KEY = "test"  # noqa: S105  (what a local cloud takes; no secret)

SERVICES = (
    *(
        "cloudformation",
        "dynamodb",
        "ecr",
        "events",
        "iam",
        "kms",
        "lambda",
        "logs",
        "monitoring",
        "s3",
        "scheduler",
    ),
    *("secretsmanager", "sns", "sqs", "ssm", "states", "sts", "tagging"),
)
"""The services of MiniStack that are reachable; everything else is refused."""


def data_dir(state_dir: Path) -> Path:
    """Where the cloud keeps its data below the state folder."""
    return state_dir / "ministack"


def client_environment(port: int) -> dict[str, str]:
    """Environment variables by which boto3 and the AWS CLI reach the local cloud."""
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
    }
    if any(name in os.environ for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")):
        known = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")
        variables["NO_PROXY"] = variables["no_proxy"] = ",".join(filter(None, (known, "127.0.0.1,localhost")))
    return variables


def server_environment(
    state_dir: Path, port: int, *, wait_scale: float = 1.0, log_level: str = "WARNING"
) -> dict[str, str]:
    """What MiniStack reads when it is imported.

    Parameters
    ----------
    state_dir
        The cloud's folder.
    port
        Where it will listen, on 127.0.0.1 only.
    wait_scale
        Factor on Wait states and retry intervals.
    log_level
        Of MiniStack's own messages.
    """
    data = data_dir(state_dir)
    return {
        **client_environment(port),
        "AWS_REGION": REGION,
        # Nor what is set in the developer's files.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        # A name that resolves to ::1 first would cost other programs a failed connection on queue URLs.
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "SERVICES": ",".join(SERVICES),
        # Both listen on all interfaces otherwise.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Otherwise MiniStack uses any Docker it finds.
        "DOCKER_HOST": f"unix://{data / 'no-docker.sock'}",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(data / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(data / "s3"),
        "SFN_WAIT_SCALE": str(wait_scale),
        "LOG_LEVEL": log_level,
    }


def without_developers_aws(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would let the cloud reach or obey the developer's own AWS or MiniStack settings."""
    prefixes = ("AWS_", "MINISTACK_", "LOCALSTACK_", "LAMBDA_", "SFN_", "S3_")
    return {name: value for name, value in environment.items() if not name.startswith(prefixes)}
