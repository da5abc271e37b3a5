"""Waiting, in the server itself, until it answers: what is to go on then needs all of it."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

from retrain.localcloud.errors import LocalCloudError

ANSWER_SECONDS = 60.0


def await_health(endpoint_url: str) -> None:
    """Return once the local cloud answers; not to be called on its event loop's thread.

    Raises
    ------
    LocalCloudError
        It does not within a minute.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            opener.open(f"{endpoint_url}/_ministack/health", timeout=ANSWER_SECONDS).close()
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline:
                raise LocalCloudError(f"{endpoint_url} does not answer: {error}") from error
            time.sleep(0.05)
        else:
            return
