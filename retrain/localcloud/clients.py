"""boto3 clients of the local cloud, whatever AWS settings the developer has."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from retrain.localcloud.environment import ACCESS_KEY, REGION, SECRET_KEY

# No AWS_PROFILE and no files: a profile that only the developer's AWS account knows would stop every client.
_NOTHING_OF_THE_DEVELOPERS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}

_lock = threading.Lock()  # making clients of one session is not safe in parallel


@lru_cache(maxsize=1)
def _session() -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name=REGION,
        botocore_session=botocore.session.Session(session_vars=_NOTHING_OF_THE_DEVELOPERS),
    )


def session() -> boto3.Session:
    """The session of all clients of the local cloud."""
    return _session()


@lru_cache(maxsize=64)
def _client(service: str, endpoint_url: str) -> Any:
    # Without proxies: one that is set for the Internet does not know this computer's 127.0.0.1.
    # Without host prefixes: there is no sync-127.0.0.1.
    retries = {"mode": "standard", "total_max_attempts": 2}
    config = Config(proxies={}, inject_host_prefix=False, retries=retries, read_timeout=120)
    return _session().client(service, endpoint_url=endpoint_url, config=config)


def client(service: str, endpoint_url: str) -> Any:
    """A client of `service` at the local cloud `endpoint_url`, made once; threads may share it."""
    with _lock:
        return _client(service, endpoint_url)
