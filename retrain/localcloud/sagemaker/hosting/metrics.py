"""What an endpoint tells CloudWatch of every request that it really served."""

from __future__ import annotations

from retrain.localcloud.cloudwatch import Datum
from retrain.localcloud.sagemaker.hosting.server import ModelServer
from retrain.localcloud.sagemaker.monitoring import NAMESPACE, Monitoring

_MICROSECONDS = 1e6


def served(
    monitoring: Monitoring, server: ModelServer, status: int, model_seconds: float, total_seconds: float
) -> None:
    """Send the metrics of one request.

    Parameters
    ----------
    monitoring
        Who takes them.
    server
        Who answered, or ought to have.
    status
        The model's HTTP status; 0 for a model that did not answer, which counts as an error of the server.
    model_seconds
        From the request that the model got to its answer.
    total_seconds
        From the request that the endpoint got to its answer.
    """
    dimensions = {"EndpointName": server.endpoint, "VariantName": server.spec["variant"]}
    client_error = 400 <= status < 500
    server_error = status >= 500 or status == 0
    monitoring.record(
        NAMESPACE,
        # The second tells blue and green apart.
        [dimensions, {**dimensions, "EndpointConfigName": server.config_name}],
        [
            Datum("Invocations", 1.0),
            Datum("InvocationsPerInstance", 1.0 / max(1, server.spec["instances"])),
            Datum("Invocation4XXErrors", float(client_error)),
            Datum("Invocation5XXErrors", float(server_error)),
            Datum("InvocationModelErrors", float(client_error or server_error)),
            Datum("ModelLatency", model_seconds * _MICROSECONDS, "Microseconds"),
            Datum("OverheadLatency", max(0.0, total_seconds - model_seconds) * _MICROSECONDS, "Microseconds"),
        ],
    )
