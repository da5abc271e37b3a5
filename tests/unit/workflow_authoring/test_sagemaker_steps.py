"""The steps for SageMaker."""

from __future__ import annotations

from typing import Any

import pytest

from retrain.states.tasks import naming
from retrain.states.tasks.shapes import optimised_spelling, to_request
from retrain.workflow.errors import (
    EstimatorError,
    MissingRequiredParameterError,
    ParameterError,
    PatternError,
    PlaceholderError,
)
from retrain.workflow.estimators import (
    CategoricalParameter,
    ContinuousParameter,
    DataCaptureConfig,
    Estimator,
    HyperparameterTuner,
    IntegerParameter,
    Model,
    PipelineModel,
    ProcessingInput,
    ProcessingOutput,
    Processor,
    ScriptProcessor,
    SKLearnProcessor,
    TrainingInput,
    Transformer,
)
from retrain.workflow.inputs import ContextObject, ExecutionInput, Format
from retrain.workflow.steps import (
    Chain,
    EndpointConfigStep,
    EndpointStep,
    Graph,
    ModelStep,
    Pass,
    ProcessingStep,
    TrainingStep,
    TransformStep,
    TuningStep,
)
from tests.unit.workflow_authoring.conftest import ROLE

CPU = "ml.c5.xlarge"


def estimator(**arguments: Any) -> Estimator:
    return Estimator("image:1", ROLE, 1, CPU, output_path="s3://b/o", **arguments)


def processor(**arguments: Any) -> Processor:
    return Processor(ROLE, "image:1", 1, CPU, **arguments)


def tuner() -> HyperparameterTuner:
    return HyperparameterTuner(
        estimator(hyperparameters={"epochs": 3, "lr": 1}),
        "accuracy",
        {
            "lr": ContinuousParameter(0.01, 0.1, "Logarithmic"),
            "width": IntegerParameter(1, 5),
            "kind": CategoricalParameter(["a", "b"]),
        },
        metric_definitions=[{"Name": "accuracy", "Regex": "acc=(.*)"}],
        max_jobs=4,
        max_parallel_jobs=2,
    )


STEPS = {
    "createTrainingJob.sync": lambda: TrainingStep(
        "S", estimator(), "job", data="s3://b/d", tags={"a": "b"}, experiment_config={"TrialName": "t"}
    ),
    "createTrainingJob": lambda: TrainingStep("S", estimator(), "job", wait_for_completion=False),
    "createTransformJob.sync": lambda: TransformStep(
        "S",
        Transformer(
            None, 1, CPU, output_path="s3://b/t", strategy="MultiRecord", max_payload=6, env={"A": "b"}
        ),
        "job",
        "model",
        "s3://b/d",
        content_type="text/csv",
        split_type="Line",
        join_source="Input",
        output_filter="$.p",
    ),
    "createTransformJob": lambda: TransformStep(
        "S",
        Transformer("m", 1, CPU, output_path="s3://b/t"),
        "job",
        None,
        "s3://b/d",
        wait_for_completion=False,
    ),
    "createModel": lambda: ModelStep(
        "S", Model("image:1", "s3://b/m.tar.gz", ROLE), "model", tags={"a": "b"}
    ),
    "createEndpointConfig": lambda: EndpointConfigStep(
        "S", "config", "model", 1, CPU, data_capture_config=DataCaptureConfig(True, 50, "s3://b/c")
    ),
    "createEndpoint": lambda: EndpointStep("S", "endpoint", "config", tags={"a": "b"}),
    "updateEndpoint": lambda: EndpointStep("S", "endpoint", "config", update=True),
    "createHyperParameterTuningJob.sync": lambda: TuningStep("S", tuner(), "job", "s3://b/d"),
    "createHyperParameterTuningJob": lambda: TuningStep(
        "S", tuner(), "job", "s3://b/d", wait_for_completion=False
    ),
    "createProcessingJob.sync": lambda: ProcessingStep(
        "S",
        processor(volume_size_in_gb=10, env={"A": "b"}, max_runtime_in_seconds=60, entrypoint=["run"]),
        "job",
        inputs=[ProcessingInput("s3://b/i", "/opt/ml/processing/in")],
        outputs=[ProcessingOutput("/opt/ml/processing/out", "s3://b/out", "result")],
        container_arguments=["--all"],
        kms_key_id="key",
    ),
    "createProcessingJob": lambda: ProcessingStep("S", processor(), "job", wait_for_completion=False),
}


@pytest.mark.parametrize("resource", STEPS)
def test_every_step_is_accepted_and_its_request_is_one_of_sagemakers(resource, accepted):
    state = accepted(Graph(STEPS[resource]()))["States"]["S"]
    assert state["Resource"] == f"arn:aws:states:::sagemaker:{resource}"
    operation = naming.operation_of("sagemaker", resource.split(".")[0])
    assert operation is not None
    to_request(state["Parameters"], operation, optimised_spelling)


def test_the_four_steps_hand_names_and_the_model_on(accepted):
    execution_input = ExecutionInput(schema={"job": str, "model": str})
    train = TrainingStep("Train", estimator(), execution_input["job"], "s3://b/d")
    save = ModelStep("Save", train.get_expected_model(), model_name=execution_input["model"])
    config = EndpointConfigStep("Config", execution_input["model"], execution_input["model"], 1, CPU)
    name = Format("live-{}", ContextObject()["Execution"]["Name"])
    deploy = EndpointStep("Deploy", name, execution_input["model"])
    states = accepted(Graph(Chain([train, save, config, deploy])))["States"]
    assert states["Train"]["Parameters"]["TrainingJobName.$"] == "$$.Execution.Input['job']"
    container = states["Save"]["Parameters"]["PrimaryContainer"]
    assert container["ModelDataUrl.$"] == "$['ModelArtifacts']['S3ModelArtifacts']"
    assert states["Deploy"]["Parameters"]["EndpointName.$"] == "States.Format('live-{}', $$.Execution.Name)"
    assert train.get_expected_model().name is execution_input["job"]


def test_a_model_that_does_not_follow_its_training_is_refused():
    train = TrainingStep("Train", estimator(), "job", "s3://b/d")
    save = ModelStep("Save", train.get_expected_model(), "model")
    with pytest.raises(PlaceholderError, match=r"'Train'\.output"):
        Graph(Chain([train, Pass("Forgets", result={}), save]))


def test_placeholders_go_into_every_part_of_a_training_job():
    execution_input = ExecutionInput(
        schema={"data": str, "out": str, "count": int, "type": str, "epochs": int, "role": str}
    )
    step = TrainingStep(
        "Train",
        Estimator("image:1", execution_input["role"], execution_input["count"], execution_input["type"]),
        job_name="job",
        data={"train": execution_input["data"], "test": TrainingInput(execution_input["data"])},
        hyperparameters={"epochs": execution_input["epochs"], "seed": 1},
        output_data_config_path=execution_input["out"],
        mini_batch_size=10,
    )
    parameters = step.to_dict()["Parameters"]
    assert parameters["RoleArn.$"] == "$$.Execution.Input['role']"
    assert parameters["ResourceConfig"]["InstanceCount.$"] == "$$.Execution.Input['count']"
    assert parameters["OutputDataConfig"] == {"S3OutputPath.$": "$$.Execution.Input['out']"}
    assert [each["ChannelName"] for each in parameters["InputDataConfig"]] == ["train", "test"]
    assert parameters["HyperParameters"] == {
        "epochs.$": "States.Format('{}', $$.Execution.Input['epochs'])",
        "seed": "1",
        "mini_batch_size": "10",
    }


def test_hyperparameters_of_the_step_have_priority():
    step = TrainingStep("T", estimator(hyperparameters={"a": 1, "b": 2}), "job", hyperparameters={"b": 3})
    assert step.to_dict()["Parameters"]["HyperParameters"] == {"a": "1", "b": "3"}


def test_parameters_of_the_step_have_priority_member_by_member():
    execution_input = ExecutionInput()
    step = ProcessingStep(
        "P",
        processor(),
        "job",
        container_arguments=["a", execution_input["b"]],
        parameters={
            "ProcessingJobName": execution_input["name"],
            "ProcessingResources": {"ClusterConfig": {"InstanceCount.$": "$.count"}},
            "Environment": {"A": "b"},
        },
    )
    parameters = step.to_dict()["Parameters"]
    assert parameters["ProcessingJobName.$"] == "$$.Execution.Input['name']"
    cluster = parameters["ProcessingResources"]["ClusterConfig"]
    assert cluster == {"InstanceType": CPU, "VolumeSizeInGB": 30, "InstanceCount.$": "$.count"}
    assert parameters["AppSpecification"]["ContainerArguments.$"] == (
        "States.Array('a', $$.Execution.Input['b'])"
    )


def test_processors_of_programs():
    script = ScriptProcessor(ROLE, "image:1", ["python3"], 1, CPU, code="s3://b/code/run.py")
    request = script.request()
    assert request["AppSpecification"]["ContainerEntrypoint"] == [
        "python3",
        "/opt/ml/processing/input/code/run.py",
    ]
    assert request["ProcessingInputs"][0]["S3Input"]["S3Uri"] == "s3://b/code/run.py"
    sklearn = SKLearnProcessor("1.2-1", ROLE, CPU, 1)
    assert sklearn.image_uri.endswith("sagemaker-scikit-learn:1.2-1-cpu-py3")


def test_a_tuning_job():
    request = tuner().request("s3://b/d")
    config = request["HyperParameterTuningJobConfig"]
    assert config["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2}
    assert config["ParameterRanges"] == {
        "ContinuousParameterRanges": [
            {"Name": "lr", "MinValue": "0.01", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
        ],
        "IntegerParameterRanges": [
            {"Name": "width", "MinValue": "1", "MaxValue": "5", "ScalingType": "Auto"}
        ],
        "CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b"]}],
    }
    assert request["TrainingJobDefinition"]["StaticHyperParameters"] == {"epochs": "3"}


def test_a_model_of_several_containers():
    model = PipelineModel(
        [Model("a:1", "s3://b/a"), Model("b:1", "s3://b/b", env={"X": "y"})], ROLE, name="m"
    )
    parameters = ModelStep("M", model).to_dict()["Parameters"]
    assert parameters["Containers"] == [
        {"Image": "a:1", "Environment": {}, "ModelDataUrl": "s3://b/a"},
        {"Image": "b:1", "Environment": {"X": "y"}, "ModelDataUrl": "s3://b/b"},
    ]
    assert parameters["ModelName"] == "m"


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda: TrainingStep("T", object(), "job"), EstimatorError, "takes an estimator"),
        (lambda: TransformStep("T", object(), "j", "m", "s3://b"), EstimatorError, "takes a Transformer"),
        (lambda: ModelStep("M", estimator()), EstimatorError, "takes a model"),
        (lambda: ProcessingStep("P", estimator(), "job"), EstimatorError, "takes a processor"),
        (lambda: TuningStep("T", estimator(), "job", None), EstimatorError, "takes a HyperparameterTuner"),
        (lambda: ProcessingStep("P", processor(), "j", inputs=["a"]), EstimatorError, "ProcessingInput was"),
        (lambda: ProcessingInput("/local", "/opt"), EstimatorError, "upload '/local' first"),
        (lambda: ContinuousParameter(2, 1), EstimatorError, "must be below"),
        (lambda: HyperparameterTuner(estimator(), "m", {"a": 1}), EstimatorError, "range of 'a'"),
        (lambda: ModelStep("M", Model("i:1", "s3://b", ROLE)), MissingRequiredParameterError, "'ModelName'"),
        (
            lambda: TrainingStep("T", estimator(), None, "s3://b/d"),
            MissingRequiredParameterError,
            "'TrainingJobName' is required",
        ),
        (
            lambda: TrainingStep("T", estimator(), 5, "s3://b/d"),
            ParameterError,
            "'TrainingJobName' .*must be a string, not 5",
        ),
        (
            lambda: EndpointConfigStep("C", "c", "m", ExecutionInput(schema={"n": str})["n"], CPU),
            PlaceholderError,
            r"InitialInstanceCount' of sagemaker:createEndpointConfig must be a whole number",
        ),
        (
            lambda: EndpointStep("E", "e", "c", integration_pattern="sync"),
            PatternError,
            "sagemaker:createEndpoint does not offer .sync: it offers request-response",
        ),
        (
            lambda: EndpointStep("E", "e", "c", update=True, tags={"a": "b"}),
            ParameterError,
            "sagemaker:updateEndpoint has no parameter 'Tags'",
        ),
    ],
)
def test_misuse_gets_a_sentence(make, error, sentence):
    with pytest.raises(error, match=sentence):
        make()


def test_a_step_in_jsonata():
    execution_input = ExecutionInput(schema={"job": str})
    train = TrainingStep("Train", estimator(), execution_input["job"], "s3://b/d")
    save = ModelStep("Save", train.get_expected_model())
    graph = Graph(Chain([train, save]), query_language="JSONata")
    assert [each for each in graph.validate() if each.severity == "ERROR"] == []
    states = graph.to_dict()["States"]
    assert states["Train"]["Arguments"]["TrainingJobName"] == "{% $states.context.Execution.Input.job %}"
    assert states["Save"]["Arguments"]["PrimaryContainer"]["ModelDataUrl"] == (
        "{% $states.input.ModelArtifacts.S3ModelArtifacts %}"
    )
