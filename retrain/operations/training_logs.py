"""The training program's log, as CloudWatch Logs has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from retrain.aws import Stack
from retrain.errors import AwsCallError

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_PAIR = re.compile(r"\b([A-Za-z_][\w.:-]*)=(\S+)")


@dataclass(frozen=True)
class LogLine:
    """One line of a training job's log: when, of which host, and what."""

    time: datetime
    host: str
    text: str

    @property
    def epoch(self) -> dict[str, str] | None:
        """The line's `key=value` pairs if it reports an epoch, else `None`."""
        pairs = dict(_PAIR.findall(self.text))
        return pairs if "epoch" in pairs else None


@dataclass
class TrainingLog:
    """Reads the log of one training job, from where it stopped reading.

    Parameters
    ----------
    stack : Stack
        Where it ran.
    job_name : str
        Which job; without the suffix of the attempt, the attempts one after another.
    """

    stack: Stack
    job_name: str
    _tokens: dict[str, str] = field(default_factory=dict)

    def new_lines(self) -> Iterator[LogLine]:
        """Yield the lines that have come since the last call, host by host."""
        for stream, host in self._streams():
            while True:
                page = self._page(stream)
                for event in page["events"]:
                    moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                    yield LogLine(moment, host, event["message"].rstrip("\n"))
                before, after = self._tokens.get(stream), page["nextForwardToken"]
                self._tokens[stream] = after
                if not page["events"] or before == after:
                    break

    def _streams(self) -> list[tuple[str, str]]:
        """Return the job's streams with their hosts, oldest first."""
        try:
            with self.stack.explained_errors("listing the training job's logs"):
                answer = self.stack.client("logs").describe_log_streams(
                    logGroupName=LOG_GROUP, logStreamNamePrefix=self.job_name
                )
        except AwsCallError as error:
            if error.code == "ResourceNotFoundException":  # before the very first job there is no log group
                return []
            raise
        # A stream is named <job>-r<redrives>t<retries>/<host>-<time>.
        pattern = re.compile(rf"{re.escape(self.job_name)}(?:-r\d+t\d+)?/(algo-\d+)")
        matches = ((stream, pattern.match(stream["logStreamName"])) for stream in answer["logStreams"])
        found = [(stream["creationTime"], match.string, match.group(1)) for stream, match in matches if match]
        return [(name, host) for _, name, host in sorted(found)]

    def _page(self, stream: str) -> dict[str, Any]:
        request = {"logGroupName": LOG_GROUP, "logStreamName": stream, "startFromHead": True}
        if stream in self._tokens:
            request["nextToken"] = self._tokens[stream]
        with self.stack.explained_errors("reading the training job's log"):
            page: dict[str, Any] = self.stack.client("logs").get_log_events(**request)
        return page
