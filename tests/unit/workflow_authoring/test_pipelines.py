"""The pipelines: their states, and the input that an execution of them gets."""

from __future__ import annotations

from typing import Any

import pytest

from retrain.workflow.errors import EstimatorError, MissingRequiredParameterError, PlaceholderError
from retrain.workflow.estimators import Estimator, SKLearn, TrainingInput
from retrain.workflow.inputs import ExecutionInput
from retrain.workflow.steps import Retry
from retrain.workflow.template import InferencePipeline, TrainingPipeline
from tests.unit.workflow_authoring.conftest import ROLE

CPU = "ml.c4.xlarge"
CHANNEL = {
    "ChannelName": "train",
    "DataSource": {
        "S3DataSource": {
            "S3DataDistributionType": "FullyReplicated",
            "S3DataType": "S3Prefix",
            "S3Uri": "s3://bucket/train",
        }
    },
}


class FakeClient:
    """Remembers what is asked of it."""

    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []

    def create_state_machine(self, **request: Any) -> dict[str, Any]:
        return {"stateMachineArn": f"arn:aws:states:us-east-1:123456789012:stateMachine:{request['name']}"}

    def start_execution(self, **request: Any) -> dict[str, Any]:
        self.started.append(request)
        return {"executionArn": f"{request['stateMachineArn']}:{request.get('name')}", "startDate": None}

    class exceptions:  # noqa: N801 (boto3's name)
        class StateMachineAlreadyExists(Exception):  # noqa: N818
            """As boto3 has it."""


@pytest.fixture
def estimator() -> Estimator:
    return Estimator("linear:1", ROLE, 1, CPU, output_path="s3://elsewhere/o", hyperparameters={"dim": 10})


@pytest.fixture
def preprocessor() -> SKLearn:
    return SKLearn(
        entry_point="featurizer.py",
        source_dir="s3://bucket/source.tar.gz",
        role=ROLE,
        framework_version="1.2-1",
        instance_type=CPU,
        output_path="s3://elsewhere/o",
    )


def names(*parts: str, step: str) -> dict[str, str]:
    return {f"{part}.$": f"$$.Execution.Input['{step}']['{part}']" for part in parts}


def sent(client: FakeClient) -> Any:
    import json

    return json.loads(client.started[-1]["input"])


def test_the_training_pipeline(estimator, accepted):
    client = FakeClient()
    pipeline = TrainingPipeline(
        estimator, ROLE, {"train": "s3://bucket/train"}, "bucket", client=client, pipeline_name="pipe"
    )
    definition = accepted(pipeline.get_workflow().definition)
    assert list(definition["States"]) == ["Training", "Create Model", "Configure Endpoint", "Deploy"]
    assert definition["States"]["Deploy"] == {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createEndpoint",
        "Parameters": names("EndpointName", "EndpointConfigName", step="Deploy"),
        "End": True,
    }
    assert definition["States"]["Training"]["Parameters"] == names(
        *("AlgorithmSpecification", "OutputDataConfig", "StoppingCondition", "ResourceConfig", "RoleArn"),
        *("InputDataConfig", "HyperParameters", "TrainingJobName"),
        step="Training",
    )

    pipeline.create()
    execution = pipeline.execute(job_name="one", hyperparameters={"epochs": 3})
    assert execution.execution_arn.endswith(":one")
    inputs = sent(client)
    assert inputs == {
        "Training": {
            "AlgorithmSpecification": {"TrainingImage": "linear:1", "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/pipe/models"},
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": CPU, "VolumeSizeInGB": 30},
            "RoleArn": ROLE,
            "InputDataConfig": [CHANNEL],
            "HyperParameters": {"dim": "10", "epochs": "3"},
            "TrainingJobName": "estimator-one",
        },
        "Create Model": {
            "ModelName": "one",
            "ExecutionRoleArn": ROLE,
            "PrimaryContainer": {
                "Image": "linear:1",
                "Environment": {},
                "ModelDataUrl": "s3://bucket/pipe/models/estimator-one/output/model.tar.gz",
            },
        },
        "Configure Endpoint": {
            "EndpointConfigName": "one",
            "ProductionVariants": [
                {
                    "InitialInstanceCount": 1,
                    "InstanceType": CPU,
                    "ModelName": "one",
                    "VariantName": "AllTraffic",
                }
            ],
        },
        "Deploy": {"EndpointName": "one", "EndpointConfigName": "one"},
    }
    pipeline.execute(job_name="two")
    assert sent(client)["Training"]["HyperParameters"] == {"dim": "10"}
    assert pipeline.input_template["Training"]["TrainingJobName"] == "pipe"
    pipeline.execute()
    assert client.started[-1]["name"].startswith("training-pipeline-")


def test_the_inference_pipeline(preprocessor, estimator, accepted):
    client = FakeClient()
    pipeline = InferencePipeline(
        preprocessor=preprocessor,
        estimator=estimator,
        inputs={"train": TrainingInput("s3://bucket/train", content_type="text/csv")},
        s3_bucket="s3://bucket",
        role=ROLE,
        client=client,
        retry=Retry(error_equals=["SageMaker.AmazonSageMakerException"]),
        content_type="text/csv",
        compression_type="Gzip",
        pipeline_name="pipe",
    )
    definition = accepted(pipeline.get_workflow().definition)
    assert list(definition["States"]) == [
        "Train Preprocessor",
        "Create Preprocessor Model",
        "Transform Input",
        "Training",
        "Create Pipeline Model",
        "Configure Endpoint",
        "Deploy",
    ]
    assert all(state["Retry"] for state in definition["States"].values())
    assert "Containers.$" in definition["States"]["Create Pipeline Model"]["Parameters"]

    pipeline.create()
    pipeline.execute(job_name="one", hyperparameters={"dim": 11})
    inputs = sent(client)
    models = "s3://bucket/pipe/models"
    transformed = "s3://bucket/pipe/preprocessor-transform-one/transform"
    assert inputs["Train Preprocessor"]["TrainingJobName"] == "preprocessor-one"
    assert inputs["Train Preprocessor"]["HyperParameters"]["sagemaker_program"] == '"featurizer.py"'
    model = inputs["Create Preprocessor Model"]
    assert model["ModelName"] == "preprocessor-one"
    assert model["PrimaryContainer"]["ModelDataUrl"] == f"{models}/preprocessor-one/output/model.tar.gz"
    assert model["PrimaryContainer"]["Environment"]["SAGEMAKER_PROGRAM"] == "featurizer.py"
    assert inputs["Transform Input"] == {
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train"}},
            "ContentType": "text/csv",
            "CompressionType": "Gzip",
        },
        "TransformOutput": {"S3OutputPath": transformed},
        "TransformResources": {"InstanceCount": 1, "InstanceType": CPU},
        "MaxPayloadInMB": 20,
        "TransformJobName": "preprocessor-one",
        "ModelName": "preprocessor-one",
    }
    assert inputs["Training"]["HyperParameters"] == {"dim": "11"}
    assert inputs["Training"]["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] == transformed
    assert [each["ModelDataUrl"] for each in inputs["Create Pipeline Model"]["Containers"]] == [
        f"{models}/preprocessor-one/output/model.tar.gz",
        f"{models}/estimator-one/output/model.tar.gz",
    ]
    assert inputs["Deploy"] == {"EndpointName": "one", "EndpointConfigName": "one"}


def test_misuse_gets_a_sentence(estimator, preprocessor):
    with pytest.raises(EstimatorError, match="takes an estimator"):
        TrainingPipeline("estimator", ROLE, "s3://bucket/train", "bucket", client=FakeClient())
    with pytest.raises(EstimatorError, match="A bucket's name"):
        TrainingPipeline(estimator, ROLE, "s3://bucket/train", "s3://bucket/prefix", client=FakeClient())
    with pytest.raises(MissingRequiredParameterError, match="channel 'train'"):
        InferencePipeline(preprocessor, estimator, {"data": "s3://b"}, "bucket", ROLE, client=FakeClient())
    with pytest.raises(PlaceholderError, match="from the execution's input"):
        TrainingPipeline(estimator, ROLE, ExecutionInput()["data"], "bucket", client=FakeClient())
