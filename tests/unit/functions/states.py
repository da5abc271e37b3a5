"""The state machine's data at different points of a run, as the functions themselves make it."""

from typing import Any

from retraining import gate, settings
from retraining.executions import Execution
from retraining.policy import GatePolicy
from retraining.preparation import prepare
from tests.unit.functions import stack
from tests.unit.functions.fakes import FakeEndpoints, FakeStorage, fake_ports, joined

RUN_ID = "mnist-0123456789ab-1"
EXECUTION = Execution(
    f"arn:aws:states:{stack.REGION}:{stack.ACCOUNT}:execution:retrain:{RUN_ID}",
    RUN_ID,
    "2026-01-31T12:00:00.000Z",
)


def prepared_state() -> dict[str, Any]:
    """After Prepare: a first run of two files, asked for by an upload."""
    storage, data = FakeStorage(), stack.NAMES["DataBucket"]
    storage.put(data, "datasets/mnist/images", b"images")
    storage.put(data, "datasets/mnist/labels", b"labels")
    storage.put(data, "holdout/mnist/labels.csv", b"id,label\n0,1\n")
    request = {
        "dataset": {"name": "mnist"},
        "trigger": {"kind": "s3", "id": "e1", "time": "2026-01-31T12:00:00Z"},
    }
    configured = settings.from_environment(stack.environment("PrepareTrainingFunction"))
    state = prepare(request, EXECUTION, configured, fake_ports(storage), FakeEndpoints())
    state["run"] |= {"dataset_version": "d" * 64, "holdout_version": "e" * 64}
    return state


def trained_state() -> dict[str, Any]:
    """After Train."""
    name = f"retrain-{RUN_ID}-r0t0"
    location = f"s3://{stack.NAMES['ArtifactsBucket']}/runs/{RUN_ID}/training/{name}/output"
    job = {
        "name": name,
        "arn": f"arn:aws:sagemaker:{stack.REGION}:{stack.ACCOUNT}:training-job/{name}",
        "status": "Completed",
        "secondary_status": "Completed",
        "billable_seconds": 90,
        "model_data_url": f"{location}/model.tar.gz",
    }
    return {**prepared_state(), "job": job}


def evaluated_state(verdict: str) -> dict[str, Any]:
    """After Evaluate, with 98 of 100 rows right, or 68."""
    right = {"promote": 98, "reject": 68}[verdict]
    labels = ["1", "2"] * 50
    found = joined(labels, labels[:right] + ["3"] * (100 - right))
    decision = gate.decide(GatePolicy("accuracy", 0.95, 0.0), found, [], None)
    assert decision.verdict == verdict
    document = {
        **decision.as_document(),
        "deployment": {
            "action": "create" if verdict == "promote" else "none",
            "previous_endpoint_config_name": None,
        },
        "evaluation_s3_uri": f"s3://{stack.NAMES['ArtifactsBucket']}/runs/{RUN_ID}/evaluation.json",
    }
    return {**trained_state(), "decision": document}


def deployed_state() -> dict[str, Any]:
    """After DescribeEndpoint, with the endpoint in service."""
    state = evaluated_state("promote")
    prefix = f"arn:aws:sagemaker:{stack.REGION}:{stack.ACCOUNT}"
    names = state["names"]
    return {
        **state,
        "package": {"arn": f"{prefix}:model-package/retrain-a1b2c3d4e5f6/1"},
        "model": {"arn": f"{prefix}:model/{names['model']}"},
        "endpoint_config": {"arn": f"{prefix}:endpoint-config/{names['endpoint_config']}"},
        "claim": {
            "granted": True,
            "reason": "",
            "action": "create",
            "previous_endpoint_config_name": None,
            "guarded": False,
            "warning": "",
        },
        "deployment": {"arn": f"{prefix}:endpoint/{names['endpoint']}"},
        "endpoint": {
            "EndpointName": names["endpoint"],
            "EndpointStatus": "InService",
            "EndpointConfigName": names["endpoint_config"],
        },
        "verification": {
            "agrees": True,
            "verified": True,
            "rows": 20,
            "differing": 0,
            "sentence": "20 of 20 rows of the holdout are answered as the gate has seen.",
        },
    }
