"""Steps for SageMaker: its jobs, models and endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retrain.workflow.estimators.inputs import DataCaptureConfig, given
from retrain.workflow.estimators.inputs import tags as tag_list
from retrain.workflow.estimators.model import Model, as_model
from retrain.workflow.steps.sagemaker_base import SageMakerStep
from retrain.workflow.steps.sagemaker_jobs import ProcessingStep, TrainingStep, TransformStep, TuningStep

if TYPE_CHECKING:
    from retrain.workflow.estimators.session import Session
    from retrain.workflow.estimators.source import Source

__all__ = [
    "EndpointConfigStep",
    "EndpointStep",
    "ModelStep",
    "ProcessingStep",
    "SageMakerStep",
    "TrainingStep",
    "TransformStep",
    "TuningStep",
]


class ModelStep(SageMakerStep, action="createModel"):
    """Creates a model.

    Parameters
    ----------
    state_id : str
        The state's name.
    model : Model
        The model; after a TrainingStep, what its `get_expected_model()` returns.
    model_name : str or placeholder, optional
        Its name; the model's own if not given.
    instance_type : str, optional
        What it is to be served on: decides between images for CPU and GPU.
    tags, **fields
        See `TrainingStep`.
    """

    def __init__(
        self,
        state_id: str,
        model: Model,
        model_name: Any = None,
        instance_type: str | None = None,
        tags: Any = None,
        **fields: Any,
    ) -> None:
        self.model_object = as_model(model, "ModelStep")
        request = model.request(model_name, instance_type) | given({"Tags": tag_list(tags)})
        super().__init__(state_id, request, **fields)

    @property
    def uploads(self) -> list[tuple[Source, Session]]:
        """The serving program's source."""
        return [(source, self.model_object.sagemaker_session) for source in self.model_object.sources]


class EndpointConfigStep(SageMakerStep, action="createEndpointConfig"):
    """Creates an endpoint config with one variant.

    Parameters
    ----------
    state_id : str
        The state's name.
    endpoint_config_name, model_name : str or placeholder
        The names of the endpoint config and of the model.
    initial_instance_count, instance_type
        What the model is served on.
    variant_name : str
        The variant's name.
    data_capture_config : DataCaptureConfig, optional
        What the endpoint keeps of the requests.
    tags, **fields
        See `TrainingStep`.
    """

    def __init__(
        self,
        state_id: str,
        endpoint_config_name: Any,
        model_name: Any,
        initial_instance_count: Any,
        instance_type: Any,
        variant_name: str = "AllTraffic",
        data_capture_config: DataCaptureConfig | Mapping[str, Any] | None = None,
        tags: Any = None,
        **fields: Any,
    ) -> None:
        variant = {
            "InitialInstanceCount": initial_instance_count,
            "InstanceType": instance_type,
            "ModelName": model_name,
            "VariantName": variant_name,
        }
        capture = data_capture_config
        request = given(
            {
                "EndpointConfigName": endpoint_config_name,
                "ProductionVariants": [variant],
                "DataCaptureConfig": capture.config if isinstance(capture, DataCaptureConfig) else capture,
                "Tags": tag_list(tags),
            }
        )
        super().__init__(state_id, request, **fields)


class EndpointStep(SageMakerStep):
    """Creates an endpoint, or updates one. The execution goes on while SageMaker works on it.

    Parameters
    ----------
    state_id : str
        The state's name.
    endpoint_name, endpoint_config_name : str or placeholder
        The names of the endpoint and of its config.
    tags : optional
        Tags of a new endpoint.
    update : bool
        Whether there is an endpoint of that name, which gets the config.
    **fields
        The other fields of a Task state.
    """

    def __init__(
        self,
        state_id: str,
        endpoint_name: Any,
        endpoint_config_name: Any,
        tags: Any = None,
        update: bool = False,  # noqa: FBT001, FBT002
        **fields: Any,
    ) -> None:
        self.action = "updateEndpoint" if update else "createEndpoint"  # type: ignore[misc]
        request = given(
            {
                "EndpointName": endpoint_name,
                "EndpointConfigName": endpoint_config_name,
                "Tags": tag_list(tags),
            }
        )
        super().__init__(state_id, request, **fields)
