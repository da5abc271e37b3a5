"""What the pipelines have in common: a workflow whose requests are its execution's input."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from retrain.workflow import rendering
from retrain.workflow.errors import PlaceholderError
from retrain.workflow.estimators.inputs import bucket_name
from retrain.workflow.inputs import ExecutionInput
from retrain.workflow.steps.chain import Chain
from retrain.workflow.steps.task import Task
from retrain.workflow.workflow import Execution, Workflow
from retrain.workflow.workflow.pictures import Picture

Request = dict[str, Any]


class StepId(Enum):
    """The names of the pipelines' states."""

    Train = "Training"
    CreateModel = "Create Model"
    ConfigureEndpoint = "Configure Endpoint"
    Deploy = "Deploy"
    TrainPreprocessor = "Train Preprocessor"
    CreatePreprocessorModel = "Create Preprocessor Model"
    TransformInput = "Transform Input"
    CreatePipelineModel = "Create Pipeline Model"


class WorkflowTemplate(ABC):
    """A workflow whose steps take their requests from the execution's input, so that each can differ.

    Parameters
    ----------
    s3_bucket : str
        Where models go.
    workflow : Workflow
        The workflow.
    role : str
        Its role.
    """

    def __init__(self, s3_bucket: str, workflow: Workflow, role: str) -> None:
        self.s3_bucket = bucket_name(s3_bucket)
        self.workflow = workflow
        self.role = role
        self.input_template: dict[str, Request] = {}

    def get_workflow(self) -> Workflow:
        """Return the workflow."""
        return self.workflow

    def create(self) -> str:
        """Create the state machine, and return its ARN."""
        return self.workflow.create()

    def render_graph(self, portrait: bool = False) -> Picture:  # noqa: FBT001, FBT002 (as its users call it)
        """Return a drawing of the workflow."""
        return self.workflow.render_graph(portrait=portrait)

    @abstractmethod
    def execute(
        self, job_name: str | None = None, hyperparameters: Mapping[str, Any] | None = None
    ) -> Execution:
        """Start an execution."""

    def inputs(self) -> dict[str, Request]:
        """Return requests that an execution may change."""
        return copy.deepcopy(self.input_template)

    @property
    def models_uri(self) -> str:
        """Where models go."""
        return f"s3://{self.s3_bucket}/{self.workflow.name}/models"

    def __repr__(self) -> str:
        """Return what identifies the pipeline."""
        return (
            f"{type(self).__name__}(s3_bucket={self.s3_bucket!r}, workflow={self.workflow!r}, "
            f"role={self.role!r})"
        )


def timestamp() -> str:
    """Return the time as part of a name."""
    return datetime.now().astimezone().strftime("%Y-%m-%d-%H-%M-%S")


def take_requests(chain: Chain) -> dict[str, Request]:
    """Replace the requests of a chain's steps by the execution's input, and return them by the steps' names.

    Raises
    ------
    PlaceholderError
        A request holds a placeholder itself.
    """
    execution_input = ExecutionInput()
    requests = {}
    for step in chain:
        if isinstance(step, Task):
            request: Request = dict(step.given() or {})
            inside = rendering.placeholders(request)
            if inside:
                raise PlaceholderError(
                    f"The step '{step.state_id}' of a pipeline gets its request from the execution's input, "
                    f"so it cannot hold {inside[0]!r}."
                )
            requests[step.state_id] = request
            step.update_parameters({name: execution_input[step.state_id][name] for name in request})
    return requests


def model_artifact(request: Request) -> str:
    """Return where a training job puts its model."""
    folder = str(request["OutputDataConfig"]["S3OutputPath"]).rstrip("/")
    return f"{folder}/{request['TrainingJobName']}/output/model.tar.gz"


def configure_endpoint(inputs: dict[str, Request], name: str) -> None:
    """Name model, endpoint config and endpoint alike."""
    config = inputs[StepId.ConfigureEndpoint.value]
    config["EndpointConfigName"] = name
    for variant in config["ProductionVariants"]:
        variant["ModelName"] = name
    inputs[StepId.Deploy.value] |= {"EndpointConfigName": name, "EndpointName": name}


def set_hyperparameters(request: Request, encoded: dict[str, Any]) -> None:
    """Put hyperparameters into a training job's request, beside those that are there."""
    request["HyperParameters"] = {**request.get("HyperParameters", {}), **encoded}
