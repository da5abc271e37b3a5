"""What to answer to one call of CodePipeline: start the run, or look at how it fares.

A call may be repeated, and the calls of one action follow each other for as long as its run takes. The first
one's id goes from call to call in the token, so that whatever is asked for is asked for under one id.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from retraining import executions, records, starting, wishes
from retraining.errors import (
    AccessRefusedError,
    ArtifactError,
    AwsError,
    ContendedError,
    ObjectMissingError,
    RetrainError,
    TransientAwsError,
)
from retraining.pipelines import artifacts, image_files, parameters, replies, tokens
from retraining.pipelines.jobs import Job
from retraining.pipelines.parameters import Parameters
from retraining.pipelines.replies import CarryOn, Failed, Reply
from retraining.pipelines.tokens import Token
from retraining.ports import ArtifactStore, Ports
from retraining.settings import Settings
from retraining.wishes import Answer, Asked

MOST_FAILURES = 20
"""Calls in a row in which AWS may fail; CodePipeline calls about every half minute."""

PATIENCE = 3
"""Calls for which the record of a run is waited for that was interrupted: another function writes it."""

_RUNNING = frozenset({"RUNNING", "PENDING_REDRIVE"})

Ask = Callable[[Asked, Settings, Ports], Answer]


def work(job: Job, settings: Settings, ports: Ports, store: ArtifactStore, ask: Ask = starting.ask) -> Reply:
    """Do what one call asks for.

    Parameters
    ----------
    store : ArtifactStore
        The job's own artifacts.
    ask : callable
        `starting.ask`, or what stands in for it.

    Returns
    -------
    Reply
        What is wrong with the job is a reply as well.
    """
    token = Token(job.id, executions.from_datetime(ports.clock()))
    try:
        if job.token:
            token = tokens.parse(job.token)
        asked = parameters.parse(job.user_parameters, settings.on_rejected)
        if not token.run:
            answer = ask(_wish(_request(asked, job, store), token), settings, ports)
            if not answer.run_id:
                return _without_run(answer, token)
            repeated = answer.reason if answer.result == wishes.SKIPPED else ""
            token = replace(token, run=answer.run_id, repeated=repeated)
        return _follow(replace(token, failures=0), asked.on_rejected, ports)
    except (TransientAwsError, ContendedError) as error:
        return _once_more(token, error)
    except RetrainError as error:
        return Failed(_kind(error), str(error)[: replies.MESSAGE_LIMIT], token.run)


def _wish(request: dict[str, Any], token: Token) -> Asked:
    return Asked(
        payload=request,
        kind="codepipeline",
        id=token.job,
        time=token.since,
        received_from="CodePipeline: Lambda action",
        asks_again=True,
    )


def _request(asked: Parameters, job: Job, store: ArtifactStore) -> dict[str, Any]:
    """Return the request with the image that a build has made, unless the request names one itself.

    Without an input artifact there is nothing to look for, and the stack's own image is meant.
    """
    if asked.names_image or not job.artifacts:
        return asked.request
    for artifact in job.artifacts:
        content = store.fetch(artifact.bucket, artifact.key, artifacts.ARCHIVE_LIMIT)
        found = artifacts.read_first(content, image_files.NAMES, artifact.name)
        if found is not None:
            training = asked.request.get("training") or {}
            if not isinstance(training, dict):
                return asked.request  # whoever checks requests has the words for it
            image = image_files.image(*found, asked.container)
            return {**asked.request, "training": {**training, "image_uri": image}}
    raise ArtifactError(
        f"None of the input artifacts ({', '.join(artifact.name for artifact in job.artifacts)}) has an "
        f"{' or an '.join(image_files.NAMES)} at its top: let the build write one, or name the image in the "
        "UserParameters as training.image_uri."
    )


def _without_run(answer: Answer, token: Token) -> Reply:
    if answer.result == wishes.WAITING:
        waiting = replace(token, failures=0)
        return CarryOn(waiting, f"No run yet: {answer.reason}"[: replies.SUMMARY_LIMIT])
    message = f"No run was started ({answer.result}): {answer.reason}"
    return Failed(replies.CONFIGURATION_ERROR, message[: replies.MESSAGE_LIMIT])


def _follow(token: Token, on_rejected: str, ports: Ports) -> Reply:
    """Look at how the run fares; one that ended as a repetition leads on to the run that it repeats."""
    execution = ports.machine.describe(token.run)
    if execution is not None and execution.status in _RUNNING:
        return CarryOn(token, f"Run {token.run} is under way.")
    record = ports.ledger.get_run(token.run)
    if record is None or record.get("outcome") == records.RUNNING:
        status = execution.status if execution else "not known to Step Functions any more"
        message = f"Run {token.run} ended without a record; its execution is {status}."
        if execution is not None and token.unrecorded < PATIENCE:
            return CarryOn(replace(token, unrecorded=token.unrecorded + 1), message)
        return Failed(replies.JOB_FAILED, message, token.run)
    repeated = record.get("repeats") if record.get("outcome") == records.SKIPPED else None
    if isinstance(repeated, str) and repeated not in {"", token.run}:
        # The next call looks at that one.
        reason = str(record.get("reason") or "The same content has run already.")
        return CarryOn(replace(token, run=repeated, repeated=reason), f"Run {token.run}: {reason}")
    return replies.ended(record, token, on_rejected)


def _once_more(token: Token, error: TransientAwsError | ContendedError) -> Reply:
    """Let CodePipeline call again, as often as is sensible."""
    if token.failures + 1 >= MOST_FAILURES:
        message = f"This has failed {MOST_FAILURES} times in a row; the last time: {error}"
        return Failed(replies.SYSTEM_UNAVAILABLE, message[: replies.MESSAGE_LIMIT], token.run)
    again = replace(token, failures=token.failures + 1)
    return CarryOn(again, f"Trying again: {error}"[: replies.SUMMARY_LIMIT])


def _kind(error: RetrainError) -> str:
    """Return CodePipeline's word for what went wrong."""
    if isinstance(error, AccessRefusedError):
        return replies.PERMISSION_ERROR
    if isinstance(error, ObjectMissingError):
        return replies.REVISION_UNAVAILABLE
    return replies.SYSTEM_UNAVAILABLE if isinstance(error, AwsError) else replies.CONFIGURATION_ERROR
