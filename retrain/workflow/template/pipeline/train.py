"""The pipeline from data to an endpoint: train, create the model, configure the endpoint, deploy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrain.workflow.estimators.estimator import EstimatorBase, as_estimator
from retrain.workflow.estimators.inputs import Data, bucket_name
from retrain.workflow.steps.chain import Chain
from retrain.workflow.steps.sagemaker import EndpointConfigStep, EndpointStep, ModelStep, TrainingStep
from retrain.workflow.template.pipeline import common
from retrain.workflow.template.pipeline.common import StepId, WorkflowTemplate
from retrain.workflow.workflow import Execution, Workflow


class TrainingPipeline(WorkflowTemplate):
    """Trains, creates the model, configures an endpoint, and deploys.

    Parameters
    ----------
    estimator : EstimatorBase
        What trains.
    role : str
        The ARN of the state machine's role.
    inputs : str, TrainingInput or dict
        The training data; see `TrainingStep`.
    s3_bucket : str
        Where models go: `s3://BUCKET/PIPELINE/models/JOB/`.
    client : SFN.Client, optional
        See `Workflow`.
    pipeline_name : str, optional
        The name of the state machine; one with the time in it if not given.
    """

    def __init__(
        self,
        estimator: EstimatorBase,
        role: str,
        inputs: Data,
        s3_bucket: str,
        client: Any = None,
        *,
        pipeline_name: str | None = None,
    ) -> None:
        self.estimator = as_estimator(estimator, "TrainingPipeline")
        self.inputs_given = inputs
        self.pipeline_name = pipeline_name or f"training-pipeline-{common.timestamp()}"
        self.definition = self.build_workflow_definition(bucket_name(s3_bucket))
        requests = common.take_requests(self.definition)
        super().__init__(s3_bucket, Workflow(self.pipeline_name, self.definition, role, client=client), role)
        self.input_template = requests

    def build_workflow_definition(self, s3_bucket: str | None = None) -> Chain:
        """Return the four steps."""
        name = self.pipeline_name
        estimator = self.estimator
        path = f"s3://{s3_bucket or self.s3_bucket}/{name}/models"
        training = TrainingStep(
            StepId.Train.value, estimator, name, data=self.inputs_given, output_data_config_path=path
        )
        model = estimator.create_model()
        model.model_data = f"{path}/{name}/output/model.tar.gz"
        return Chain(
            [
                training,
                ModelStep(
                    StepId.CreateModel.value, model, model_name=name, instance_type=estimator.instance_type
                ),
                EndpointConfigStep(
                    StepId.ConfigureEndpoint.value,
                    name,
                    name,
                    initial_instance_count=estimator.instance_count,
                    instance_type=estimator.instance_type,
                ),
                EndpointStep(StepId.Deploy.value, name, name),
            ]
        )

    def execute(
        self, job_name: str | None = None, hyperparameters: Mapping[str, Any] | None = None
    ) -> Execution:
        """Train and deploy.

        Parameters
        ----------
        job_name : str, optional
            The name of the execution, the model, the endpoint config and the endpoint, and `estimator-…` of
            the training job; one with the time in it if not given.
        hyperparameters : dict, optional
            Further hyperparameters.
        """
        inputs = self.inputs()
        name = job_name or f"training-pipeline-{common.timestamp()}"
        training = inputs[StepId.Train.value]
        if hyperparameters is not None:
            common.set_hyperparameters(training, self.estimator.encoded(hyperparameters))
        training["TrainingJobName"] = f"estimator-{name}"
        training["OutputDataConfig"]["S3OutputPath"] = self.models_uri
        model = inputs[StepId.CreateModel.value]
        model["ModelName"] = name
        model["PrimaryContainer"]["ModelDataUrl"] = common.model_artifact(training)
        common.configure_endpoint(inputs, name)
        return self.workflow.execute(inputs=inputs, name=name)
