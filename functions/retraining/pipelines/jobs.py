"""A job, read from the event that CodePipeline sends to a Lambda action."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retraining.errors import PipelineJobError, UnknownEventError

_KEY = "CodePipeline.job"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Temporary keys of the pipeline's role, for the job's artifacts and nothing else; never printed."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)

    def redact(self, text: str) -> str:
        """Return a text without these keys: an error's words are not ours to vouch for."""
        for secret in (self.secret_access_key, self.session_token, self.access_key_id):
            text = text.replace(secret, "***") if secret else text
        return text


@dataclass(frozen=True, slots=True)
class Artifact:
    """One input artifact: a zip archive in the pipeline's bucket."""

    name: str
    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Job:
    """One call of CodePipeline.

    Attributes
    ----------
    id : str
        New for every call, but the same when a call is repeated.
    user_parameters : str
        The action's configuration, as its author wrote it.
    token : str
        What the call before this one was answered with; empty the first time.
    """

    id: str
    user_parameters: str
    artifacts: tuple[Artifact, ...]
    credentials: Credentials
    token: str


def job_id(event: object) -> str:
    """Return the id that a job is answered under.

    Raises
    ------
    UnknownEventError
        The event is no job of CodePipeline.
    """
    job = event.get(_KEY) if isinstance(event, Mapping) else None
    found = job.get("id") if isinstance(job, Mapping) else None
    if not isinstance(found, str) or not found:
        raise UnknownEventError(
            "The event is no job of CodePipeline: this function is for its Lambda action only."
        )
    return found


def parse(event: Mapping[str, Any]) -> Job:
    """Read a job.

    Raises
    ------
    UnknownEventError
        The event is no job of CodePipeline.
    PipelineJobError
        The job lacks something, or holds it in another shape.
    """
    found = job_id(event)
    try:
        data = event[_KEY]["data"]
        credentials = data["artifactCredentials"]
        return Job(
            id=found,
            user_parameters=_text(data["actionConfiguration"]["configuration"].get("UserParameters")),
            artifacts=tuple(_artifact(entry) for entry in data.get("inputArtifacts") or ()),
            credentials=Credentials(
                _text(credentials["accessKeyId"]),
                _text(credentials["secretAccessKey"]),
                _text(credentials["sessionToken"]),
            ),
            token=_text(data.get("continuationToken")),
        )
    except (AttributeError, KeyError, TypeError):
        # Not even as a cause: the values that were found may be the credentials.
        raise PipelineJobError(
            "The job lacks data that CodePipeline sends with every Lambda action: configuration, input "
            "artifacts and their credentials. Invoke this function through CodePipeline."
        ) from None


def _artifact(entry: Mapping[str, Any]) -> Artifact:
    location = entry["location"]["s3Location"]
    return Artifact(_text(entry.get("name")), _text(location["bucketName"]), _text(location["objectKey"]))


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError
    return value
