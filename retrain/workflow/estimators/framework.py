"""Script mode: AWS's image of a framework runs a program of one's own."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from retrain.workflow.errors import EstimatorError, MissingRequiredParameterError
from retrain.workflow.estimators.estimator import EstimatorBase
from retrain.workflow.estimators.images import FRAMEWORKS, framework_image
from retrain.workflow.estimators.inputs import Uri
from retrain.workflow.estimators.model import Model, Role
from retrain.workflow.estimators.source import Source, as_tuple, bucket_and_prefix
from retrain.workflow.inputs import Format
from retrain.workflow.inputs.dynamic import Dynamic

_DISTRIBUTIONS = {
    "parameter_server": "sagemaker_parameter_server_enabled",
    "mpi": "sagemaker_mpi_enabled",
    "pytorchddp": "sagemaker_pytorch_ddp_enabled",
    "torch_distributed": "sagemaker_torch_distributed_enabled",
}
"""Ways to train on several instances, and the hyperparameter that asks for each."""


class Framework(EstimatorBase):
    """Runs a program with an image that knows script mode.

    Parameters
    ----------
    entry_point : str or placeholder
        The program: a local file, in `source_dir` if that is given.
    source_dir : str or placeholder, optional
        The folder that is uploaded with it; or the S3 URI of a packed one, and nothing is uploaded.
    hyperparameters : dict, optional
        What the program is given, as `--name value`.
    framework_version, py_version : str, optional
        Choose AWS's image, unless `image_uri` names one.
    code_location : str, optional
        The S3 URI below which the source goes; else the bucket of `output_path`, or the default one.
    dependencies : list of str, optional
        Further files and folders that are uploaded.
    distribution : dict, optional
        How several instances train together, such as `{"torch_distributed": {"enabled": True}}`.
    container_log_level : int
        As in `logging`.
    role, instance_count, instance_type, ...
        See `EstimatorBase`.

    Notes
    -----
    The source is packed when a step is made, and uploaded when the workflow is created: its URI has the
    digest of its content, so a changed program is another URI.
    """

    framework: ClassVar[str] = ""
    own_arguments = frozenset({"image_uri", "distribution"})

    def __init__(
        self,
        entry_point: str | Dynamic | None = None,
        framework_version: str | None = None,
        py_version: str | None = None,
        source_dir: str | Dynamic | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        *,
        role: Role | None = None,
        instance_count: int | Dynamic | None = None,
        instance_type: str | Dynamic | None = None,
        code_location: str | None = None,
        dependencies: Sequence[str] | None = None,
        container_log_level: int = logging.INFO,
        **arguments: Any,
    ) -> None:
        if self.framework in {"SKLearn", "XGBoost"}:
            counts = {"instance_count", "train_instance_count"}
            instance_count = 1 if instance_count is None and not counts & set(arguments) else instance_count
        super().__init__(role, instance_count, instance_type, arguments)  # type: ignore[arg-type]
        what = type(self).__name__
        if entry_point is None:
            raise MissingRequiredParameterError(f"{what} needs entry_point: the program that trains.")
        self.image_uri: Uri | None = self.settings.get("image_uri")
        if self.image_uri is None and framework_version is None:
            raise MissingRequiredParameterError(f"{what} needs framework_version, or image_uri.")
        self.entry_point = entry_point
        self.source_dir = source_dir
        self.framework_version = framework_version
        self.py_version = py_version
        self.code_location = code_location
        self.dependencies = as_tuple(dependencies)
        self.container_log_level = container_log_level
        self.distribution: Mapping[str, Any] = self.settings.get("distribution") or {}
        self._hyperparameters = dict(hyperparameters or {})
        self._source: Source | None = None

    def set_hyperparameters(self, **hyperparameters: Any) -> None:
        """Add or change hyperparameters."""
        self._hyperparameters |= hyperparameters

    @property
    def source(self) -> Source | None:
        """The source code that is uploaded; None if it is in S3 already."""
        program, folder = self.entry_point, self.source_dir
        if isinstance(program, Dynamic) or isinstance(folder, Dynamic) or (folder or "").startswith("s3://"):
            return None
        if self._source is None:
            self._source = Source(program, folder, self.dependencies, *self._code_location())
        return self._source

    @property
    def sources(self) -> list[Source]:
        """What must be uploaded before a training job can start."""
        return [] if self.source is None else [self.source]

    def upload(self) -> str | None:
        """Upload the source code now, and return its URI; None if it is in S3 already.

        `Workflow.create` and `Workflow.update` do so by themselves.
        """
        return None if self.source is None else self.source.upload(self.sagemaker_session)

    def _code_location(self) -> tuple[str, str]:
        if self.code_location is not None:
            return bucket_and_prefix(self.code_location, "The code_location")
        if isinstance(self.output_path, str):
            return bucket_and_prefix(self.output_path, "The output_path")[0], ""
        return self.sagemaker_session.default_bucket(), ""

    def program(self) -> Any:
        """Return the program's path in its archive."""
        return self.source.program if self.source is not None else self.entry_point

    def submit_directory(self) -> Any:
        """Return the URI of the packed source."""
        if self.source is not None:
            return self.source.uri
        if self.source_dir is None:
            raise MissingRequiredParameterError(
                f"{type(self).__name__}: an entry_point that is a placeholder needs source_dir, the S3 URI "
                "of the packed source."
            )
        return self.source_dir

    def training_image_uri(self) -> Uri:
        """Return the URI of the image that trains."""
        return self.image_uri if self.image_uri is not None else self._image(self.instance_type)

    def _image(self, instance_type: Any, *, inference: bool = False) -> str:
        what = type(self).__name__
        if self.framework not in FRAMEWORKS or self.framework_version is None:
            raise MissingRequiredParameterError(f"{what} needs image_uri: it has no image of its own.")
        if isinstance(instance_type, Dynamic):
            raise EstimatorError(
                f"{what}: an instance_type that is a placeholder leaves open whether it has a GPU, and so "
                "which image fits: give image_uri."
            )
        return framework_image(
            self.framework,
            version=self.framework_version,
            py_version=self.py_version,
            region=self.sagemaker_session.boto_region_name,
            instance_type=instance_type,
            inference=inference,
        )

    def hyperparameters(self) -> dict[str, Any]:
        """Return the hyperparameters, those of script mode among them, as JSON texts."""
        own = {
            "sagemaker_program": self.program(),
            "sagemaker_submit_directory": self.submit_directory(),
            "sagemaker_container_log_level": self.container_log_level,
            "sagemaker_region": self.sagemaker_session.boto_region_name,
            **self._distribution_hyperparameters(),
        }
        given_ones = {name: _json_text(value) for name, value in self._hyperparameters.items()}
        return {**given_ones, **{name: _json_text(value) for name, value in own.items()}}

    def encoded(self, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return hyperparameters as JSON texts; a text stays as it is."""
        return {
            str(name): value if isinstance(value, str) else _json_text(value)
            for name, value in hyperparameters.items()
        }

    def _distribution_hyperparameters(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, options in self.distribution.items():
            if name == "smdistributed":
                enabled = bool(options.get("dataparallel", {}).get("enabled"))
                found["sagemaker_distributed_dataparallel_enabled"] = enabled
                found["sagemaker_instance_type"] = self.instance_type
            elif name in _DISTRIBUTIONS:
                found[_DISTRIBUTIONS[name]] = bool(options.get("enabled"))
            else:
                known = ", ".join((*_DISTRIBUTIONS, "smdistributed"))
                raise EstimatorError(f"{type(self).__name__}: distribution knows {known}; not {name!r}.")
            if name == "mpi" and options.get("enabled"):
                found["sagemaker_mpi_num_of_processes_per_host"] = options.get("processes_per_host", 1)
                found["sagemaker_mpi_custom_mpi_options"] = options.get("custom_mpi_options", "")
        return found

    def create_model(self, **arguments: Any) -> FrameworkModel:
        """Return the model, served with the same program in the image for serving.

        Parameters
        ----------
        **arguments
            `entry_point` and `source_dir` of another program, `image_uri`, and what `Model` takes.
        """
        arguments.setdefault("role", self.role)
        arguments.setdefault("vpc_config", self.vpc_config())
        return FrameworkModel(self, **arguments)


class FrameworkModel(Model):
    """A model that a program of one's own serves, with a framework's image.

    Parameters
    ----------
    estimator : Framework
        What has trained it.
    entry_point, source_dir, dependencies : optional
        The program that serves, if it is another than the one that trained.
    **arguments
        See `Model`.
    """

    def __init__(
        self,
        estimator: Framework,
        *,
        entry_point: str | None = None,
        source_dir: str | None = None,
        dependencies: Sequence[str] | None = None,
        **arguments: Any,
    ) -> None:
        arguments.setdefault("sagemaker_session", estimator.sagemaker_session)
        super().__init__(**arguments)
        self._estimator = estimator
        self._own_program = (entry_point, source_dir, as_tuple(dependencies))

    @property
    def source(self) -> Source | None:
        """The source code that is uploaded; None if it is in S3 already."""
        entry_point, source_dir, dependencies = self._own_program
        if entry_point is None or (source_dir or "").startswith("s3://"):
            return self._estimator.source if entry_point is None else None
        return Source(entry_point, source_dir, dependencies, *self._estimator._code_location())

    @property
    def sources(self) -> list[Source]:
        """What must be uploaded before the model can be served."""
        return [] if self.source is None else [self.source]

    def serving_image_uri(self, instance_type: str | None = None) -> Uri:
        """Return the URI of the image that serves on a type of instance."""
        if self.image_uri is not None:
            return self.image_uri
        estimator = self._estimator
        if estimator.image_uri is not None and estimator.framework_version is None:
            return estimator.image_uri
        uri = estimator._image(instance_type, inference=True)
        newest = FRAMEWORKS[estimator.framework].newest_inference
        tag = uri.rpartition(":")[2]
        if newest is not None and not tag.startswith(f"{estimator.framework_version}-"):
            warnings.warn(
                f"AWS has no image for serving {estimator.framework} {estimator.framework_version}: the "
                f"last one, {tag}, is taken. Give create_model an image_uri for another.",
                UserWarning,
                stacklevel=2,
            )
        return uri

    def environment(self) -> dict[str, Any]:
        """Return the environment of the container: what script mode reads, and the given one."""
        entry_point, source_dir, _ = self._own_program
        estimator, source = self._estimator, self.source
        if source is not None:
            program, directory = source.program, source.uri
        else:
            program = entry_point or estimator.program()
            directory = source_dir or estimator.submit_directory()
        return {
            "SAGEMAKER_PROGRAM": program,
            "SAGEMAKER_SUBMIT_DIRECTORY": directory,
            "SAGEMAKER_CONTAINER_LOG_LEVEL": str(estimator.container_log_level),
            "SAGEMAKER_REGION": estimator.sagemaker_session.boto_region_name,
            **self.env,
        }


class PyTorch(Framework):
    """Trains with AWS's images of PyTorch; see `Framework`."""

    framework = "PyTorch"


class TensorFlow(Framework):
    """Trains with AWS's images of TensorFlow; see `Framework`."""

    framework = "TensorFlow"


class SKLearn(Framework):
    """Trains with AWS's images of scikit-learn, on one instance unless said otherwise; see `Framework`."""

    framework = "SKLearn"


class XGBoost(Framework):
    """Trains with AWS's images of XGBoost, on one instance unless said otherwise; see `Framework`."""

    framework = "XGBoost"


def _json_text(value: Any) -> Any:
    """Return a value as script mode reads it; a placeholder's text is read as it is."""
    if isinstance(value, Dynamic):
        return value if value.type in {None, str} else Format("{}", value)
    return json.dumps(value)
