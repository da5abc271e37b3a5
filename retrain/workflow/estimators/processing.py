"""Processing jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from retrain.workflow.errors import EstimatorError, MissingRequiredParameterError
from retrain.workflow.estimators.images import framework_image
from retrain.workflow.estimators.inputs import Uri, given
from retrain.workflow.estimators.model import Role, expanded_role
from retrain.workflow.estimators.renamed import renamed
from retrain.workflow.estimators.session import Session
from retrain.workflow.inputs.dynamic import Dynamic

_ARGUMENTS: Final = frozenset(
    {
        *("entrypoint", "volume_size_in_gb", "volume_kms_key", "output_kms_key", "max_runtime_in_seconds"),
        *("base_job_name", "sagemaker_session", "env", "tags", "network_config", "command"),
    }
)
_INSIDE: Final = "/opt/ml/processing"


class ProcessingInput:
    """What a processing job reads.

    Parameters
    ----------
    source : str or placeholder
        Its S3 URI.
    destination : str
        Where the container finds it, such as `/opt/ml/processing/input`.
    input_name : str, optional
        Its name; `input-1` and so on if not given.
    s3_data_type, s3_input_mode, s3_data_distribution_type, s3_compression_type : str
        As in CreateProcessingJob.
    """

    def __init__(
        self,
        source: Uri | None = None,
        destination: str | None = None,
        input_name: str | None = None,
        s3_data_type: str = "S3Prefix",
        s3_input_mode: str = "File",
        s3_data_distribution_type: str = "FullyReplicated",
        s3_compression_type: str = "None",
        *,
        app_managed: bool = False,
    ) -> None:
        if source is None or destination is None:
            raise MissingRequiredParameterError("A ProcessingInput needs source and destination.")
        if isinstance(source, str) and not source.startswith(("s3://", "${", "{%")):
            raise EstimatorError(
                f"A ProcessingInput's source is an S3 URI; upload {source!r} first, with 'aws s3 cp'."
            )
        self.input_name = input_name
        self.app_managed = app_managed
        self.s3 = {
            "S3Uri": source,
            "LocalPath": destination,
            "S3DataType": s3_data_type,
            "S3InputMode": s3_input_mode,
            "S3DataDistributionType": s3_data_distribution_type,
            "S3CompressionType": s3_compression_type,
        }

    def request(self, number: int) -> dict[str, Any]:
        """Return the input as CreateProcessingJob takes it."""
        return {
            "InputName": self.input_name or f"input-{number}",
            "AppManaged": self.app_managed,
            "S3Input": self.s3,
        }


class ProcessingOutput:
    """What a processing job writes.

    Parameters
    ----------
    source : str
        Where the container writes it.
    destination : str or placeholder, optional
        Its S3 URI; below the session's default bucket if not given.
    output_name : str, optional
        Its name; `output-1` and so on if not given.
    s3_upload_mode : str
        `EndOfJob` or `Continuous`.
    """

    def __init__(
        self,
        source: str | None = None,
        destination: Uri | None = None,
        output_name: str | None = None,
        s3_upload_mode: str = "EndOfJob",
        *,
        app_managed: bool = False,
    ) -> None:
        if source is None:
            raise MissingRequiredParameterError("A ProcessingOutput needs source.")
        self.source = source
        self.destination = destination
        self.output_name = output_name
        self.s3_upload_mode = s3_upload_mode
        self.app_managed = app_managed

    def request(self, number: int, session: Session) -> dict[str, Any]:
        """Return the output as CreateProcessingJob takes it."""
        name = self.output_name or f"output-{number}"
        destination = self.destination
        if destination is None:
            destination = f"s3://{session.default_bucket()}/processing/{name}"
        return {
            "OutputName": name,
            "AppManaged": self.app_managed,
            "S3Output": {
                "S3Uri": destination,
                "LocalPath": self.source,
                "S3UploadMode": self.s3_upload_mode,
            },
        }


class Processor:
    """What a processing job needs.

    Parameters
    ----------
    role : str or placeholder
        The role of the job.
    image_uri : str or placeholder
        The image.
    instance_count, instance_type
        What it runs on.
    entrypoint : list of str, optional
        What the container runs, if it is not the image's own.
    volume_size_in_gb, max_runtime_in_seconds, env, network_config, ... : optional
        As in CreateProcessingJob.
    """

    def __init__(
        self,
        role: Role,
        image_uri: Uri,
        instance_count: int | Dynamic,
        instance_type: str | Dynamic,
        entrypoint: Sequence[str] | None = None,
        **arguments: Any,
    ) -> None:
        what = type(self).__name__
        for name, value in (("role", role), ("image_uri", image_uri)):
            if value is None:
                raise MissingRequiredParameterError(f"{what} needs {name}.")
        self.role = role
        self.image_uri = image_uri
        self.instance_count = instance_count
        self.instance_type = instance_type
        self.entrypoint = entrypoint
        self.settings = renamed(what, arguments, _ARGUMENTS)
        self.sagemaker_session: Session = self.settings.get("sagemaker_session") or Session()

    def request(
        self,
        *,
        inputs: Sequence[ProcessingInput] | None = None,
        outputs: Sequence[ProcessingOutput | str] | None = None,
        container_arguments: Any = None,
        container_entrypoint: Any = None,
        kms_key_id: Any = None,
    ) -> dict[str, Any]:
        """Return the request of CreateProcessingJob, without the job's name."""
        settings = self.settings
        key = settings.get("output_kms_key") if kms_key_id is None else kms_key_id
        entrypoint = self.entrypoint if container_entrypoint is None else container_entrypoint
        runtime = settings.get("max_runtime_in_seconds")
        network = settings.get("network_config")
        return given(
            {
                "ProcessingInputs": [
                    _checked(each, ProcessingInput).request(number)
                    for number, each in enumerate(inputs or (), 1)
                ]
                or None,
                "ProcessingOutputConfig": self._outputs(outputs, key),
                "ProcessingResources": {
                    "ClusterConfig": given(
                        {
                            "InstanceCount": self.instance_count,
                            "InstanceType": self.instance_type,
                            "VolumeSizeInGB": settings.get("volume_size_in_gb", 30),
                            "VolumeKmsKeyId": settings.get("volume_kms_key"),
                        }
                    )
                },
                "AppSpecification": given(
                    {
                        "ImageUri": self.image_uri,
                        "ContainerArguments": container_arguments,
                        "ContainerEntrypoint": entrypoint,
                    }
                ),
                "StoppingCondition": None if runtime is None else {"MaxRuntimeInSeconds": runtime},
                "Environment": settings.get("env"),
                "NetworkConfig": dict(network) if isinstance(network, Mapping) else network,
                "RoleArn": expanded_role(self.role, self.sagemaker_session),
            }
        )

    def _outputs(self, outputs: Sequence[ProcessingOutput | str] | None, key: Any) -> dict[str, Any] | None:
        if not outputs:
            return None
        made = [ProcessingOutput(each) if isinstance(each, str) else each for each in outputs]
        return given(
            {
                "Outputs": [
                    _checked(each, ProcessingOutput).request(number, self.sagemaker_session)
                    for number, each in enumerate(made, 1)
                ],
                "KmsKeyId": key,
            }
        )


class ScriptProcessor(Processor):
    """Runs a program in an image: give it as a `ProcessingInput`, and `command` before its path.

    Parameters
    ----------
    command : list of str
        What runs the program, such as `["python3"]`.
    code : str, optional
        The program's S3 URI; it becomes an input, and what the container runs.
    role, image_uri, instance_count, instance_type, ...
        See `Processor`.
    """

    def __init__(
        self,
        role: Role,
        image_uri: Uri,
        command: Sequence[str],
        instance_count: int | Dynamic,
        instance_type: str | Dynamic,
        *,
        code: str | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(role, image_uri, instance_count, instance_type, **arguments)
        self.command = list(command)
        self.code = code

    def request(self, *, inputs: Sequence[ProcessingInput] | None = None, **arguments: Any) -> dict[str, Any]:
        """Return the request of CreateProcessingJob, without the job's name."""
        given_inputs = list(inputs or ())
        if self.code is not None:
            folder = f"{_INSIDE}/input/code"
            given_inputs.append(ProcessingInput(self.code, folder, "code"))
            if arguments.get("container_entrypoint") is None:
                program = PurePosixPath(self.code).name
                arguments["container_entrypoint"] = [*self.command, f"{folder}/{program}"]
        return super().request(inputs=given_inputs, **arguments)


class SKLearnProcessor(ScriptProcessor):
    """Runs a program in AWS's image of scikit-learn; see `ScriptProcessor`."""

    def __init__(
        self,
        framework_version: str,
        role: Role,
        instance_type: str | Dynamic,
        instance_count: int | Dynamic,
        command: Sequence[str] = ("python3",),
        *,
        sagemaker_session: Session | None = None,
        **arguments: Any,
    ) -> None:
        session = sagemaker_session or Session()
        image = framework_image(
            "SKLearn",
            version=framework_version,
            py_version=None,
            region=session.boto_region_name,
            instance_type=None,
        )
        super().__init__(
            role, image, command, instance_count, instance_type, sagemaker_session=session, **arguments
        )


def _checked(value: Any, kind: type[Any]) -> Any:
    if not isinstance(value, kind):
        raise EstimatorError(f"A {kind.__name__} was expected; not {type(value).__name__}.")
    return value


def as_processor(value: Any, what: str) -> Processor:
    """Return a processor, or say what was given in its place.

    Raises
    ------
    EstimatorError
        It is none.
    """
    if isinstance(value, Processor):
        return value
    raise EstimatorError(
        f"{what} takes a processor of retrain.workflow.estimators, such as Processor; "
        f"not {type(value).__module__}.{type(value).__name__}."
    )
