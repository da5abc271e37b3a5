"""Why a run failed, dug out of what Step Functions and SageMaker say, for a person to read.

The state machine's Catch keeps ``{"Error": ..., "Cause": ...}``. The Cause is JSON in most cases: the whole
description of a training job, or a Lambda function's error; the one sentence that matters lies deep inside.
"""

import builtins
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CAUSE_LIMIT = 4_000
"""Characters of a raw cause that the ledger keeps."""

_REASON_LIMIT = 600
_ERROR_MESSAGE = re.compile(
    r'ErrorMessage\s+"(?P<message>.*?)"?\s*(?:\n?Command\s.*|, exit code.*)?\Z', re.DOTALL
)
_TRACE_LINE = re.compile(
    r"(?P<name>[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning))(?::\s+(?P<text>.+))?\Z"
)
_REQUEST_TRAIL = re.compile(
    r"\s*\((?:Service: [^()]*; )?(?:Service: |Status Code: |Request ID: )[^()]*(?:\([^()]*\)[^()]*)*\)"
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure, told in one sentence.

    Attributes
    ----------
    name, cause : str
        What the state machine caught.
    reason : str
        The sentence.
    training_job : str
        The job that failed; empty if the failure is about something else.
    """

    name: str
    cause: str
    reason: str
    training_job: str = ""


def explain(error: Mapping[str, Any] | None) -> Failure:
    """Find the reason in what a Catch kept.

    Parameters
    ----------
    error : mapping or None
        ``Error`` and ``Cause`` of Step Functions; either may be missing.
    """
    error = error or {}
    name, cause = str(error.get("Error") or "Unknown"), str(error.get("Cause") or "")
    document = _document(cause)
    job = str(document.get("TrainingJobName") or "")
    return Failure(name, cause[:CAUSE_LIMIT], _shortened(_reason(name, cause, document)), job)


def training_reason(failure_reason: str) -> str:
    """Return the sentence inside SageMaker's FailureReason.

    ``AlgorithmError: ExecuteUserScriptError: ExitCode 1 ErrorMessage "... DataError: labels are cut short"``
    becomes ``labels are cut short``. An exception of Python's own keeps its name, without which its text says
    little.
    """
    match = _ERROR_MESSAGE.search(failure_reason)
    if match is None:
        return failure_reason.strip()
    text = match["message"].replace("\\n", "\n").replace('\\"', '"')
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in reversed(lines):
        told = _TRACE_LINE.match(line)
        if told:
            return _exception(told["name"], told["text"] or "")
    return lines[-1] if lines else failure_reason.split("\n", 1)[0].strip()


def billable_seconds(error: Mapping[str, Any]) -> int | None:
    """Return the seconds that a failed training job is billed for, None if the error is not about one."""
    seconds = _document(str(error.get("Cause") or "")).get("BillableTimeInSeconds")
    return seconds if isinstance(seconds, int) else None


def _document(cause: str) -> dict[str, Any]:
    """Return a cause that is a JSON object, empty for any other text."""
    try:
        document = json.loads(cause)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _reason(name: str, cause: str, document: Mapping[str, Any]) -> str:
    if name == "States.Timeout" and not cause:
        return "A step ran longer than it may."
    if not document:
        return _REQUEST_TRAIL.sub("", cause).strip() or f"The step failed with {name} and gave no reason."
    if "TrainingJobName" in document or "TrainingJobStatus" in document:
        return _training_job(document)
    if "errorMessage" in document:
        return str(document["errorMessage"]) or f"A function failed with {document.get('errorType', name)}."
    return str(document.get("FailureReason") or document.get("Cause") or cause)


def _training_job(job: Mapping[str, Any]) -> str:
    if job.get("SecondaryStatus") == "MaxRuntimeExceeded":
        limit = job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
        allowed = f" of {limit:,} seconds" if isinstance(limit, int) else ""
        return f"The training job ran longer than its limit{allowed} and was stopped."
    if job.get("FailureReason"):
        return f"Training failed: {training_reason(str(job['FailureReason']))}"
    status = job.get("SecondaryStatus") or job.get("TrainingJobStatus") or "unknown"
    return f"The training job {job.get('TrainingJobName', '')} ended as {status} and gave no reason."


def _exception(name: str, text: str) -> str:
    bare = name.rpartition(".")[2]
    if not text:
        return bare
    return f"{bare}: {text}" if hasattr(builtins, bare) else text


def _shortened(text: str) -> str:
    return text if len(text) <= _REASON_LIMIT else f"{text[: _REASON_LIMIT - 3]}..."
