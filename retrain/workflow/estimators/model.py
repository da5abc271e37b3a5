"""Models: an image, what it serves, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from retrain.workflow.errors import EstimatorError, MissingRequiredParameterError
from retrain.workflow.estimators.inputs import Uri, given
from retrain.workflow.estimators.renamed import renamed
from retrain.workflow.estimators.session import Session
from retrain.workflow.estimators.source import Source
from retrain.workflow.inputs.dynamic import Dynamic

Role: TypeAlias = str | Dynamic

_ARGUMENTS = frozenset(
    {
        *("image_uri", "model_data", "role", "predictor_cls", "env", "name", "vpc_config"),
        *("sagemaker_session", "enable_network_isolation", "model_kms_key"),
    }
)


class Model:
    """A model.

    Parameters
    ----------
    image_uri : str or placeholder
        The image that serves it.
    model_data : str or placeholder, optional
        Where its `model.tar.gz` is.
    role : str or placeholder
        The role that serving has.
    env : dict, optional
        Environment of the container.
    name : str or placeholder, optional
        Its name.
    vpc_config, enable_network_isolation, sagemaker_session : optional
        As in the SageMaker SDK.
    """

    def __init__(
        self,
        image_uri: Uri | None = None,
        model_data: Uri | None = None,
        role: Role | None = None,
        **arguments: Any,
    ) -> None:
        first = given({"image_uri": image_uri, "model_data": model_data, "role": role})
        found = renamed(type(self).__name__, {**first, **arguments}, _ARGUMENTS)
        self.image_uri: Uri | None = found.get("image_uri")
        self.model_data: Uri | None = found.get("model_data")
        self.role: Role | None = found.get("role")
        self.env: dict[str, Any] = dict(found.get("env") or {})
        self.name: Any = found.get("name")
        self.vpc_config: Mapping[str, Any] | None = found.get("vpc_config")
        self.enable_network_isolation: bool = bool(found.get("enable_network_isolation"))
        self.sagemaker_session: Session = found.get("sagemaker_session") or Session()

    @property
    def sources(self) -> list[Source]:
        """What must be uploaded before the model can be served."""
        return []

    def serving_image_uri(self, instance_type: str | None = None) -> Uri:
        """Return the URI of the image that serves the model on a type of instance."""
        del instance_type
        if self.image_uri is None:
            raise MissingRequiredParameterError("The model needs image_uri: the image that serves it.")
        return self.image_uri

    def environment(self) -> dict[str, Any]:
        """Return the environment of the container."""
        return self.env

    def container(self, instance_type: str | None = None) -> dict[str, Any]:
        """Return the container as CreateModel takes it."""
        return given(
            {
                "Image": self.serving_image_uri(instance_type),
                "Environment": self.environment(),
                "ModelDataUrl": self.model_data,
            }
        )

    def request(self, model_name: Any = None, instance_type: str | None = None) -> dict[str, Any]:
        """Return the request of CreateModel."""
        name = self.name if model_name is None else model_name
        return given(
            {
                "ModelName": name,
                "ExecutionRoleArn": self._role(),
                **self._containers(instance_type),
                "VpcConfig": self.vpc_config,
                "EnableNetworkIsolation": self.enable_network_isolation or None,
            }
        )

    def _containers(self, instance_type: str | None) -> dict[str, Any]:
        return {"PrimaryContainer": self.container(instance_type)}

    def _role(self) -> Role:
        if self.role is None:
            raise MissingRequiredParameterError("The model needs role: the role that serving has.")
        return expanded_role(self.role, self.sagemaker_session)


class PipelineModel(Model):
    """Several models, each of which gets the answer of the one before it.

    Parameters
    ----------
    models : list of Model
        The models in order.
    role : str
        The role that serving has.
    name : str, optional
        Its name.
    """

    def __init__(
        self,
        models: Sequence[Model],
        role: Role,
        predictor_cls: Any = None,
        name: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(role=role, predictor_cls=predictor_cls, name=name, **arguments)
        if not models:
            raise MissingRequiredParameterError("A PipelineModel needs models.")
        self.models = list(models)

    @property
    def sources(self) -> list[Source]:
        """What must be uploaded before the models can be served."""
        return [source for model in self.models for source in model.sources]

    def pipeline_container_def(self, instance_type: str | None = None) -> list[dict[str, Any]]:
        """Return the containers as CreateModel takes them."""
        return [model.container(instance_type) for model in self.models]

    def _containers(self, instance_type: str | None) -> dict[str, Any]:
        return {"Containers": self.pipeline_container_def(instance_type)}


def expanded_role(role: Role, session: Session) -> Role:
    """Return a role's ARN; a placeholder stays one, and so does a CloudFormation token."""
    if isinstance(role, Dynamic) or "${" in role or role.startswith("{%"):
        return role
    return session.expand_role(role)


def as_model(value: Any, what: str) -> Model:
    """Return a model, or say what was given in its place.

    Raises
    ------
    EstimatorError
        It is none.
    """
    if isinstance(value, Model):
        return value
    raise EstimatorError(
        f"{what} takes a model of retrain.workflow.estimators, such as that of "
        f"TrainingStep.get_expected_model(); not {type(value).__module__}.{type(value).__name__}."
    )
