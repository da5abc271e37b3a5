"""AWS CodePipeline: answers to jobs, and the artifacts that a job's credentials open."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from retraining.aws.clients import client, code, translated
from retraining.errors import AccessRefusedError, ArtifactError, ObjectMissingError, TransientAwsError
from retraining.pipelines.jobs import Credentials

_NOT_OPEN = frozenset({"InvalidJobStateException", "JobNotFoundException"})
_MISSING = frozenset({"NoSuchBucket", "NoSuchKey", "404", "NotFound"})
_REFUSED = frozenset(
    {"AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"}
)


class CodePipelineJobs:
    """Answers to CodePipeline; implements `retraining.ports.PipelineJobs`."""

    def carry_on(self, job_id: str, token: str, summary: str, run_id: str) -> bool:
        """Ask to be called again with a token; False if the job is not open (any more)."""
        details = _details(summary, run_id)
        return _answer("put_job_success_result", job_id, continuationToken=token, executionDetails=details)

    def succeed(self, job_id: str, summary: str, run_id: str, variables: dict[str, str]) -> bool:
        """End a job with output variables; False if it is not open (any more)."""
        details = _details(summary, run_id) | {"percentComplete": 100}
        return _answer("put_job_success_result", job_id, executionDetails=details, outputVariables=variables)

    def fail(self, job_id: str, kind: str, message: str, run_id: str) -> bool:
        """End a job with a failure; False if it is not open (any more)."""
        details = {"type": kind, "message": message}
        if run_id:
            details["externalExecutionId"] = run_id
        return _answer("put_job_failure_result", job_id, failureDetails=details)


class JobArtifacts:
    """The artifacts of one job; implements `retraining.ports.ArtifactStore`.

    Parameters
    ----------
    credentials : Credentials
        The job's own: this function's role may not read the pipeline's bucket.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def fetch(self, bucket: str, key: str, limit: int) -> bytes:
        """Return an object; raise ArtifactError if it has more bytes than the limit."""
        place = f"s3://{bucket}/{key}"
        try:
            answer = self._client().get_object(Bucket=bucket, Key=key)
            with answer["Body"] as body:
                if answer["ContentLength"] > limit:
                    raise ArtifactError(
                        f"The input artifact {place} has {answer['ContentLength']:,} bytes, more than "
                        f"{limit:,}: let the build put the file that names the image into one of its own."
                    )
                return bytes(body.read(limit + 1))
        except ClientError as error:
            # The message is AWS's, and may quote what was sent.
            said = f"Reading the input artifact {place} failed: {code(error)}"
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code(error) in _MISSING:
                raise ObjectMissingError(f"There is no input artifact {place}.") from None
            if code(error) in _REFUSED or status == 403:
                raise AccessRefusedError(
                    f"{said}: the pipeline's role has to allow s3:GetObject there, and kms:Decrypt."
                ) from None
            raise TransientAwsError(said) from None
        except BotoCoreError as error:
            raise TransientAwsError(
                f"Reading the input artifact {place} failed: {type(error).__name__}"
            ) from None

    def _client(self) -> Any:
        found = self._credentials
        session = boto3.Session(
            aws_access_key_id=found.access_key_id,
            aws_secret_access_key=found.secret_access_key,
            aws_session_token=found.session_token,
        )
        # An object under a KMS key is given out for signatures of version 4 only.
        retries = {"mode": "standard", "total_max_attempts": 4}
        config = Config(signature_version="s3v4", retries=retries, connect_timeout=5, read_timeout=30)
        return session.client("s3", config=config)


def _details(summary: str, run_id: str) -> dict[str, Any]:
    return {"summary": summary} | ({"externalExecutionId": run_id} if run_id else {})


def _answer(operation: str, job_id: str, **answer: Any) -> bool:
    with translated(f"Answering the job {job_id} of CodePipeline"):
        try:
            getattr(client("codepipeline"), operation)(jobId=job_id, **answer)
        except ClientError as error:
            if code(error) in _NOT_OPEN:
                return False
            raise
    return True
