"""Run cards: one page about one run, which the stack keeps beside the run's artifacts."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from retrain.aws import Stack
from retrain.errors import AwsCallError, ReportError
from retrain.operations.ledger import Record

RUNNING = "RUNNING"
LINK_HOURS = 12
"""How long a link holds at most, unless somebody asks for another time."""


def key(run_id: str) -> str:
    """Return where in the artifacts bucket the card of a run lies."""
    return f"runs/{run_id}/report.html"


def card(stack: Stack, record: Record, *, anew: bool = False) -> bytes:
    """Return the card of a run, an HTML page.

    Parameters
    ----------
    stack : Stack
        Whose run.
    record : dict
        The run's record. While it runs, its card is written whenever it is asked for, and shows how far it
        has come.
    anew : bool
        Write the card again, even though there is one.

    Raises
    ------
    ReportError
        There is no card, and the stack's function could not write one.
    """
    run_id = str(record["run_id"])
    if not anew and record.get("outcome") != RUNNING:
        found = _read(stack, run_id)
        if found is not None:
            return found
    _write(stack, run_id)
    written = _read(stack, run_id)
    if written is None:
        raise ReportError(
            f"The card of the run {run_id} was written and is gone again: somebody deletes from the bucket "
            f"{stack.output('ArtifactsBucketName')}."
        )
    return written


def link(stack: Stack, run_id: str, *, hours: int = LINK_HOURS) -> str:
    """Return a link to the card of a run, with which anybody can read it for a while.

    Parameters
    ----------
    stack, run_id
        Whose card, which has to be there.
    hours : int
        How long at most; a link ends with the credentials that signed it, too.
    """
    request = {"Bucket": stack.output("ArtifactsBucketName"), "Key": key(run_id)}
    with stack.explained_errors("signing a link to the run card"):
        client = stack.client("s3")
        return str(client.generate_presigned_url("get_object", Params=request, ExpiresIn=hours * 3600))


def save(content: bytes, run_id: str, target: Path | None = None) -> Path:
    """Write a card to a file.

    Parameters
    ----------
    content : bytes
        The page.
    run_id : str
        Names the file, unless `target` does.
    target : Path, optional
        A file, or a folder to put it in; a new temporary folder by default.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ReportError
        It cannot be written there.
    """
    try:
        if target is None:
            target = Path(tempfile.mkdtemp(prefix="retrain-report-"))
        file = target / f"{run_id}.html" if target.is_dir() else target
        file.write_bytes(content)
    except OSError as error:
        raise ReportError(
            f"The card cannot be saved as {target}: {error.strerror}. Name a file in a folder that exists "
            "and may be written to."
        ) from error
    return file.resolve()


def _read(stack: Stack, run_id: str) -> bytes | None:
    try:
        with stack.explained_errors("reading the run card"):
            answer = stack.client("s3").get_object(
                Bucket=stack.output("ArtifactsBucketName"), Key=key(run_id)
            )
            content: bytes = answer["Body"].read()
    except AwsCallError as error:
        if error.code != "NoSuchKey":
            raise
        return None
    return content


def _write(stack: Stack, run_id: str) -> None:
    """Have the stack's function write a card."""
    with stack.explained_errors("asking for the run card"):
        answer = stack.client("lambda").invoke(
            FunctionName=stack.output("WriteReportFunctionName"),
            Payload=json.dumps({"report": {"run_id": run_id}}).encode(),
        )
        document: dict[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        reason = document.get("errorMessage") or "The function failed without saying why."
        raise ReportError(f"The card of the run {run_id} could not be written: {reason}")
