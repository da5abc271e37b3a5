"""The pipeline with a preprocessor: its model prepares the data, for training and for serving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrain.workflow.errors import MissingRequiredParameterError
from retrain.workflow.estimators.estimator import EstimatorBase, as_estimator
from retrain.workflow.estimators.inputs import Data, TrainingInput, bucket_name
from retrain.workflow.estimators.model import PipelineModel
from retrain.workflow.steps.chain import Chain
from retrain.workflow.steps.handlers import Retry
from retrain.workflow.steps.sagemaker import (
    EndpointConfigStep,
    EndpointStep,
    ModelStep,
    TrainingStep,
    TransformStep,
)
from retrain.workflow.template.pipeline import common
from retrain.workflow.template.pipeline.common import StepId, WorkflowTemplate
from retrain.workflow.workflow import Execution, Workflow

_MOST_PAYLOAD_MEGABYTES = 20


class InferencePipeline(WorkflowTemplate):
    """Trains a preprocessor, transforms the data with it, trains on that, and deploys both as one model.

    Parameters
    ----------
    preprocessor, estimator : EstimatorBase
        What prepares the data, and what is trained on it.
    inputs : dict
        The training data; the channel `train` is what is transformed.
    s3_bucket : str
        Where models go, and the transformed data.
    role : str
        The ARN of the state machine's role.
    client : SFN.Client, optional
        See `Workflow`.
    retry : Retry, optional
        What happens after an error of any step.
    compression_type, content_type : str, optional
        Of the data that is transformed.
    pipeline_name : str, optional
        The name of the state machine; one with the time in it if not given.
    """

    def __init__(
        self,
        preprocessor: EstimatorBase,
        estimator: EstimatorBase,
        inputs: Mapping[str, Any],
        s3_bucket: str,
        role: str,
        client: Any = None,
        retry: Retry | None = None,
        *,
        compression_type: str | None = None,
        content_type: str | None = None,
        pipeline_name: str | None = None,
    ) -> None:
        self.preprocessor = as_estimator(preprocessor, "InferencePipeline")
        self.estimator = as_estimator(estimator, "InferencePipeline")
        if not isinstance(inputs, Mapping) or "train" not in inputs:
            raise MissingRequiredParameterError(
                "InferencePipeline needs inputs with the channel 'train': the data that is transformed."
            )
        self.inputs_given = inputs
        self.retry = retry
        self.compression_type = compression_type
        self.content_type = content_type
        self.pipeline_name = pipeline_name or f"inference-pipeline-{common.timestamp()}"
        self.definition = self.build_workflow_definition(bucket_name(s3_bucket))
        requests = common.take_requests(self.definition)
        super().__init__(s3_bucket, Workflow(self.pipeline_name, self.definition, role, client=client), role)
        self.input_template = requests

    def build_workflow_definition(self, s3_bucket: str | None = None) -> Chain:
        """Return the seven steps."""
        name, first, second = self.pipeline_name, self.preprocessor, self.estimator
        folder = f"s3://{s3_bucket or self.s3_bucket}/{name}"
        transformer = first.transformer(
            first.instance_count,
            first.instance_type,
            max_payload=_MOST_PAYLOAD_MEGABYTES,
            output_path=f"{folder}/transform",
        )
        preparing = first.create_model()
        preparing.model_data = f"{folder}/models/{name}/output/model.tar.gz"
        together = PipelineModel([first.create_model(), second.create_model()], role=second.role)
        for model in together.models:
            model.model_data = preparing.model_data
        steps = [
            self._training(StepId.TrainPreprocessor, first, self.inputs_given, folder),
            ModelStep(
                StepId.CreatePreprocessorModel.value, preparing, name, instance_type=first.instance_type
            ),
            TransformStep(
                StepId.TransformInput.value,
                transformer,
                name,
                name,
                data=_uri(self.inputs_given["train"]),
                compression_type=self.compression_type,
                content_type=self.content_type,
            ),
            self._training(StepId.Train, second, {"train": f"{folder}/transform"}, folder),
            ModelStep(StepId.CreatePipelineModel.value, together, name, instance_type=second.instance_type),
            EndpointConfigStep(
                StepId.ConfigureEndpoint.value, name, name, second.instance_count, second.instance_type
            ),
            EndpointStep(StepId.Deploy.value, name, name),
        ]
        for step in steps if self.retry is not None else ():
            step.add_retry(self.retry)  # type: ignore[arg-type]
        return Chain(steps)

    def _training(self, step: StepId, estimator: EstimatorBase, data: Data, folder: str) -> TrainingStep:
        return TrainingStep(
            step.value,
            estimator,
            self.pipeline_name,
            data=data,
            output_data_config_path=f"{folder}/models",
        )

    def execute(
        self, job_name: str | None = None, hyperparameters: Mapping[str, Any] | None = None
    ) -> Execution:
        """Train both, and deploy.

        Parameters
        ----------
        job_name : str, optional
            The name of the execution, the model, the endpoint config and the endpoint; `preprocessor-…` and
            `estimator-…` of the jobs. One with the time in it if not given.
        hyperparameters : dict, optional
            Further hyperparameters of the estimator.
        """
        inputs = self.inputs()
        name = job_name or f"inference-pipeline-{common.timestamp()}"
        before = f"preprocessor-{name}"
        preparing, training = inputs[StepId.TrainPreprocessor.value], inputs[StepId.Train.value]
        transform = inputs[StepId.TransformInput.value]
        transformed = f"s3://{self.s3_bucket}/{self.workflow.name}/preprocessor-transform-{name}/transform"
        for request, job in ((preparing, before), (training, f"estimator-{name}")):
            request["TrainingJobName"] = job
            request["OutputDataConfig"]["S3OutputPath"] = self.models_uri
        if hyperparameters is not None:
            common.set_hyperparameters(training, self.estimator.encoded(hyperparameters))

        model = inputs[StepId.CreatePreprocessorModel.value]
        model["ModelName"] = before
        model["PrimaryContainer"]["ModelDataUrl"] = common.model_artifact(preparing)
        transform |= {"ModelName": before, "TransformJobName": before}
        transform["TransformOutput"]["S3OutputPath"] = transformed
        training["InputDataConfig"] = [TrainingInput(transformed).channel("train")]

        together = inputs[StepId.CreatePipelineModel.value]
        together["ModelName"] = name
        for container, request in zip(together["Containers"], (preparing, training), strict=True):
            container["ModelDataUrl"] = common.model_artifact(request)
        common.configure_endpoint(inputs, name)
        return self.workflow.execute(inputs=inputs, name=name)


def _uri(data: Any) -> Any:
    return data.config["DataSource"]["S3DataSource"]["S3Uri"] if isinstance(data, TrainingInput) else data
