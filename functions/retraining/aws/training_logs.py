"""Amazon CloudWatch Logs: what training jobs have written."""

import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from retraining.aws.clients import client, code, translated
from retraining.cards.facts import LogLine

LOG_GROUP = "/aws/sagemaker/TrainingJobs"

MOST_PAGES = 30
"""Pages that are read of a job's log; each has up to a megabyte, or 10,000 lines."""

_HOST = re.compile(r"/(algo-\d+)")


class CloudWatchTrainingLogs:
    """Logs of training jobs; implements `retraining.reports.TrainingLogs`."""

    def read(self, job_name: str, wanted: Callable[[LogLine], bool]) -> tuple[list[LogLine], bool]:
        """Return those lines of a job that are wanted, and whether all were looked at."""
        found: list[LogLine] = []
        pages = 0
        for stream, host in self._streams(job_name):
            token: str | None = None
            while True:
                if pages == MOST_PAGES:
                    return found, False
                page = self._page(stream, token)
                pages += 1
                lines = (LogLine(host, event["message"].rstrip("\n")) for event in page["events"])
                found += filter(wanted, lines)
                # The end is where the token leads back to itself.
                if page["nextForwardToken"] == token:
                    break
                token = page["nextForwardToken"]
        return found, True

    @staticmethod
    def _streams(job_name: str) -> list[tuple[str, str]]:
        """Return a job's streams with their hosts; a job has one for each host and each time it was begun."""
        with translated(f"Listing the log of the training job {job_name}"):
            try:
                answer = client("logs").describe_log_streams(
                    logGroupName=LOG_GROUP, logStreamNamePrefix=f"{job_name}/"
                )
            except ClientError as error:
                if code(error) == "ResourceNotFoundException":  # before the very first job, there is no group
                    return []
                raise
        found = []
        for stream in answer["logStreams"]:
            host = _HOST.search(stream["logStreamName"])
            if host:
                found.append((len(host[1]), host[1], stream.get("creationTime", 0), stream["logStreamName"]))
        return [(name, host_name) for _, host_name, _, name in sorted(found)]

    @staticmethod
    def _page(stream: str, token: str | None) -> dict[str, Any]:
        request: dict[str, Any] = {"logGroupName": LOG_GROUP, "logStreamName": stream, "startFromHead": True}
        if token is not None:
            request["nextToken"] = token
        with translated(f"Reading the log stream {stream}"):
            page: dict[str, Any] = client("logs").get_log_events(**request)
        return page
