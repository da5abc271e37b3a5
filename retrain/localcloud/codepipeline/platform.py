"""What the parts of the local CodePipeline share: settings, clients, artifacts, credentials."""

from __future__ import annotations

import io
import threading
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from retrain.localcloud.clients import client
from retrain.localcloud.codepipeline.errors import ActionError
from retrain.localcloud.environment import ACCOUNT, REGION


@dataclass(frozen=True)
class Settings:
    """Times, in seconds.

    Attributes
    ----------
    pause
        Between an answer with a continuation token and the next call (AWS: about thirty).
    reply
        How long a function may take to answer a call (as in AWS).
    lambda_action, step_functions_action
        How long such an action may take in all (as in AWS).
    """

    pause: float = 1.0
    reply: float = 20 * 60.0
    lambda_action: float = 24 * 3600.0
    step_functions_action: float = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Artifact:
    """An artifact of an execution: a zip archive in the pipeline's bucket."""

    name: str
    bucket: str
    key: str
    revision: str = ""

    def as_input(self) -> dict[str, Any]:
        """Return it as jobs are told of it."""
        return {
            "name": self.name,
            "revision": self.revision or None,
            "location": {"type": "S3", "s3Location": {"bucketName": self.bucket, "objectKey": self.key}},
        }

    def as_detail(self) -> dict[str, Any]:
        """Return it as ListActionExecutions shows it."""
        return {"name": self.name, "s3location": {"bucket": self.bucket, "key": self.key}}


@dataclass
class Platform:
    """The surroundings of the local CodePipeline.

    Attributes
    ----------
    endpoint_url
        The local cloud.
    settings
        Times.
    stopping
        Set when the local cloud ends.
    """

    endpoint_url: str
    settings: Settings = field(default_factory=Settings)
    stopping: threading.Event = field(default_factory=threading.Event)

    def client(self, service: str) -> Any:
        """Return a client of the local cloud; not for the event loop's thread."""
        return client(service, self.endpoint_url)

    def arn(self, pipeline: str) -> str:
        """Return the ARN of a pipeline."""
        return f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{pipeline}"

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end of the local cloud.

        Raises
        ------
        ActionError
            The local cloud ends.
        """
        if self.stopping.wait(seconds):
            raise ActionError("The local cloud was stopped while the action ran.", code="SystemUnavailable")

    def new_artifact(self, pipeline: dict[str, Any], name: str, content: bytes, revision: str) -> Artifact:
        """Put an archive where this pipeline's artifacts are; the key is made as AWS makes it."""
        bucket = pipeline["artifactStore"]["location"]
        key = f"{pipeline['name'][:20]}/{name[:10]}/{uuid.uuid4().hex[:7]}"
        with refused(f"Writing the artifact {name} to s3://{bucket}/{key}"):
            self.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return Artifact(name, bucket, key, revision)

    def file_of(self, artifact: Artifact, path: str) -> str:
        """Return a text file of an artifact.

        Raises
        ------
        ActionError
            There is none, or it is no text.
        """
        with refused(f"Reading the artifact {artifact.name}"):
            answer = self.client("s3").get_object(Bucket=artifact.bucket, Key=artifact.key)
            content = answer["Body"].read()
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return archive.read(path).decode("utf-8")
        except KeyError:
            raise ActionError(
                f"The input artifact {artifact.name} has no file {path}.", code="ConfigurationError"
            ) from None
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
            raise ActionError(
                f"{path} of the input artifact {artifact.name} cannot be read: {error}",
                code="ConfigurationError",
            ) from error

    def credentials(self, role_arn: str, session: str) -> dict[str, str]:
        """Return temporary credentials of the pipeline's role, in a job's form; new ones each time."""
        with refused(f"Assuming the role {role_arn}"):
            answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session)
        found = answer["Credentials"]
        return {
            "accessKeyId": found["AccessKeyId"],
            "secretAccessKey": found["SecretAccessKey"],
            "sessionToken": found["SessionToken"],
        }


@contextmanager
def refused(doing: str) -> Iterator[None]:
    """Turn what boto3 raises into an `ActionError`; `doing` begins its text."""
    try:
        yield
    except ClientError as error:
        found = error.response.get("Error", {})
        code = str(found.get("Code"))
        raise ActionError(f"{doing} failed: {code}: {found.get('Message')}", code=code) from error
    except BotoCoreError as error:
        raise ActionError(f"{doing} failed: {error}", code="SystemUnavailable") from error
