"""The four-task pipeline for MNIST, authored three ways, runs on the local cloud and its endpoint answers."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from retrain.workflow import Execution, Workflow
from retrain.workflow.inputs import ContextObject, ExecutionInput, Format
from retrain.workflow.steps import (
    Catch,
    Chain,
    EndpointConfigStep,
    EndpointStep,
    Fail,
    ModelStep,
    TrainingStep,
)
from retrain.workflow.template import TrainingPipeline
from tests.integration.workflow.conftest import BUCKET, INSTANCE, PROGRAM, ROLE

PUBLISHED = Path(__file__).parents[1] / "published_pipeline" / "pipeline.asl.json"

pytestmark = pytest.mark.timeout(240)


def ended_well(execution: Execution, wait_until: Any) -> Any:
    def over() -> Any:
        description = execution.describe()
        return description if description["status"] != "RUNNING" else None

    description = wait_until(over, seconds=120, what="the execution's end")
    assert description["status"] == "SUCCEEDED", description
    return json.loads(description["output"])


def all_green(execution: Execution) -> None:
    picture = execution.render_progress()
    statuses = {name: each.status for name, each in picture.progress.states.items()}
    assert set(statuses) == set(execution.workflow.definition.states)
    assert set(statuses.values()) == {"succeeded"}
    assert picture.svg().count("<svg") == 1
    for name in statuses:
        assert name in picture.text()


def test_by_individual_steps(aws, data, estimator, wait_until, right_answers):
    execution_input = ExecutionInput(schema={"JobName": str, "ModelName": str, "EndpointName": str})
    training_step = TrainingStep("Train", estimator=estimator, job_name=execution_input["JobName"], data=data)
    model_step = ModelStep(
        "Save model", model=training_step.get_expected_model(), model_name=execution_input["ModelName"]
    )
    endpoint_config_step = EndpointConfigStep(
        "Configure endpoint",
        endpoint_config_name=execution_input["ModelName"],
        model_name=execution_input["ModelName"],
        initial_instance_count=1,
        instance_type=INSTANCE,
    )
    endpoint_step = EndpointStep(
        "Create endpoint",
        endpoint_name=execution_input["EndpointName"],
        endpoint_config_name=execution_input["ModelName"],
    )
    name = f"steps-{uuid.uuid4().hex[:8]}"
    workflow = Workflow(
        name=name,
        definition=Chain([training_step, model_step, endpoint_config_step, endpoint_step]),
        role=ROLE,
        execution_input=execution_input,
        client=aws("stepfunctions"),
    )
    assert workflow.validate() == ()
    workflow.create()
    execution = workflow.execute(
        inputs={"JobName": f"job-{name}", "ModelName": f"model-{name}", "EndpointName": f"endpoint-{name}"}
    )
    output = ended_well(execution, wait_until)
    assert output["EndpointArn"].endswith(f"endpoint/endpoint-{name}")
    all_green(execution)
    assert right_answers(f"endpoint-{name}") >= 0.95

    job = aws("sagemaker").describe_training_job(TrainingJobName=f"job-{name}")
    assert job["ResourceConfig"]["InstanceCount"] == 2
    assert [found.name for found in workflow.list_executions()] == [execution.name]
    workflow.delete()


def test_by_the_training_pipeline(aws, data, estimator, wait_until, right_answers):
    name = f"template-{uuid.uuid4().hex[:8]}"
    pipeline = TrainingPipeline(
        estimator, ROLE, data, BUCKET, client=aws("stepfunctions"), pipeline_name=name
    )
    pipeline.create()
    execution = pipeline.execute(job_name=name, hyperparameters={"epochs": 1, "lr": 0.02})
    ended_well(execution, wait_until)
    all_green(execution)
    assert right_answers(name) >= 0.9

    job = aws("sagemaker").describe_training_job(TrainingJobName=f"estimator-{name}")
    assert (job["HyperParameters"]["epochs"], job["HyperParameters"]["lr"]) == ("1", "0.02")
    assert job["HyperParameters"]["sagemaker_program"] == '"mnist.py"'
    assert job["ModelArtifacts"]["S3ModelArtifacts"].startswith(f"s3://{BUCKET}/{name}/models/")


def test_by_the_states_language(aws, data, estimator, wait_until, right_answers):
    """The published definition, read, and run with the program that the estimator has uploaded."""
    text = PUBLISHED.read_text().replace("BUCKET", BUCKET).replace("ROLE", ROLE)
    name = f"asl-{uuid.uuid4().hex[:8]}"
    workflow = Workflow.from_asl(text, name=name, role=ROLE, client=aws("stepfunctions"))
    assert workflow.to_dict() == json.loads(text)
    workflow.create()
    execution = workflow.execute(
        name=name, inputs={"trainfile": PROGRAM.name, "sourcedir": estimator.upload()}
    )
    ended_well(execution, wait_until)
    all_green(execution)
    assert right_answers(f"endpoint-{name}") >= 0.95


def test_a_failed_training_is_caught_and_shown(aws, data, estimator, wait_until):
    estimator.set_hyperparameters(epochs="many")
    sorry = Fail("Sorry", error="NotTrained", cause="The program ended with an error.")
    training_step = TrainingStep(
        "Train",
        estimator,
        job_name=Format("broken-{}", ContextObject()["Execution"]["Name"]),
        data=data,
        catch=Catch(sorry, error_equals=["States.TaskFailed"], result_path="$.error"),
    )
    name = f"caught-{uuid.uuid4().hex[:8]}"
    workflow = Workflow(name, training_step, ROLE, client=aws("stepfunctions"))
    workflow.create()
    execution = workflow.execute(name=name)
    assert execution.get_output(wait=True) is None
    description = execution.describe()
    assert (description["status"], description["error"]) == ("FAILED", "NotTrained")
    states = execution.render_progress().progress.states
    assert (states["Train"].status, states["Sorry"].status) == ("caught", "failed")
