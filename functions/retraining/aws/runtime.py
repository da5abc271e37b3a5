"""Amazon SageMaker Runtime: requests to live endpoints."""

from botocore.exceptions import ClientError, ReadTimeoutError

from retraining.aws.clients import client, code, translated
from retraining.labels import readable
from retraining.ports import EndpointAnswer

_SAID_LIMIT = 200


class SageMakerRuntime:
    """Live endpoints in SageMaker; implements `retraining.ports.EndpointRuntime`."""

    def invoke(self, endpoint_name: str, content_type: str, body: bytes) -> EndpointAnswer:
        """Send one request; a model's own error, or that it takes too long, is a fault of the answer."""
        with translated(f"Invoking the endpoint {endpoint_name}"):
            try:
                answer = client("sagemaker-runtime").invoke_endpoint(
                    EndpointName=endpoint_name, ContentType=content_type, Accept="application/json", Body=body
                )
                return EndpointAnswer(answer["Body"].read())
            except ClientError as error:
                if code(error) != "ModelError":
                    raise
                return EndpointAnswer(b"", _fault(error))
            except ReadTimeoutError:
                return EndpointAnswer(b"", "the model did not answer in time")


def _fault(error: ClientError) -> str:
    """Say how the model failed; status 0 is SageMaker's for a model that did not answer at all."""
    said = readable(str(error.response.get("OriginalMessage") or ""), _SAID_LIMIT)
    status = error.response.get("OriginalStatusCode")
    told = f"the model answered with status {status}" if status else "the model did not answer"
    return f"{told}: {said}" if said else told
