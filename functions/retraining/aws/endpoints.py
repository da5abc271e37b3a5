"""Amazon SageMaker: endpoints and what lies behind them."""

from typing import Any

from botocore.exceptions import ClientError

from retraining.aws.clients import client, code, message, translated
from retraining.ports import EndpointState, ServedModel
from retraining.rollouts import REALTIME, SERVERLESS


class SageMakerEndpoints:
    """Endpoints in SageMaker; implements `retraining.ports.Endpoints`."""

    def describe(self, name: str) -> EndpointState | None:
        """Return an endpoint's state, None if there is no such endpoint."""
        answer = _describe("endpoint", EndpointName=name)
        if answer is None:
            return None
        return EndpointState(
            name=name,
            status=answer["EndpointStatus"],
            endpoint_config_name=answer.get("EndpointConfigName", ""),
            failure_reason=answer.get("FailureReason", ""),
        )

    def served_model(self, endpoint_config_name: str) -> ServedModel | None:
        """Return the model of an endpoint config, None if either is gone."""
        config = _describe("endpoint_config", EndpointConfigName=endpoint_config_name)
        if config is None or not config["ProductionVariants"]:
            return None
        variant = config["ProductionVariants"][0]
        model_name, mode = (
            variant.get("ModelName"),
            SERVERLESS if variant.get("ServerlessConfig") else REALTIME,
        )
        model = _describe("model", ModelName=model_name) if model_name else None
        url = model.get("PrimaryContainer", {}).get("ModelDataUrl") if model else None
        return ServedModel(model_name, url, mode) if url else None


def _describe(what: str, **parameters: str) -> dict[str, Any] | None:
    """Call describe_*; SageMaker has no error of its own for what does not exist."""
    (name,) = parameters.values()
    with translated(f"Describing the {what.replace('_', ' ')} {name}"):
        try:
            answer: dict[str, Any] = getattr(client("sagemaker"), f"describe_{what}")(**parameters)
        except ClientError as error:
            if code(error) in {"ValidationException", "ResourceNotFound"} and "ould not find" in message(
                error
            ):
                return None
            raise
    return answer
