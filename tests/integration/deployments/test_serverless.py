"""Serverless endpoints go live, are updated and verified as others are, but for the shifting of traffic."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.deployments.conftest import Live


def test_a_serverless_endpoint_from_end_to_end(open_live: Callable[..., Callable[[str], Live]]) -> None:
    live = open_live("serverless", ServingMode="serverless", ServerlessMaxConcurrency="2")("small")
    first = live.train("blue")
    assert first.run["outcome"] == "DEPLOYED", first.body
    assert first.run["verification"]["rows"] == 20
    config = live.people.aws("sagemaker").describe_endpoint_config(
        EndpointConfigName=first.run["endpoint_config_name"]
    )
    (variant,) = config["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 2}

    with live.under_load(clients=1) as asked:
        second = live.train("green")
    assert second.run["outcome"] == "DEPLOYED", second.body
    assert second.run["warnings"] == []
    assert [one.error for one in asked if one.error] == []
    assert live.ask()["name"] == "green"

    impostor = live.train("impostor", shift=3)
    assert impostor.run["outcome"] == "ROLLED_BACK", impostor.body
    assert live.ask("7") == {"predictions": [{"label": 7}], "name": "green"}

    # The same stack, asked to serve from instances from now on.
    open_live("serverless", ServingMode="realtime")
    refused = live.train("red")
    assert refused.run["outcome"] == "FAILED"
    assert "is serverless, and the stack's parameter ServingMode is realtime" in refused.run["reason"]
    assert refused.run["training_job_name"] is None
    assert live.ask()["name"] == "green"
