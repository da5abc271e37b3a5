"""The data of jobs: channels of training, inputs and outputs of processing, data capture."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from retrain.workflow.errors import EstimatorError
from retrain.workflow.inputs.dynamic import Dynamic

Uri: TypeAlias = str | Dynamic
Data: TypeAlias = "Uri | TrainingInput | Mapping[str, Uri | TrainingInput] | Sequence[TrainingInput] | None"


class TrainingInput:
    """A channel's data in S3.

    Parameters
    ----------
    s3_data : str or placeholder
        Its URI.
    distribution : str
        `FullyReplicated` gives all of it to every instance, `ShardedByS3Key` a part.
    compression, content_type, record_wrapping, s3_data_type, input_mode, attribute_names, shuffle_config
        As in CreateTrainingJob's `InputDataConfig`.
    """

    def __init__(
        self,
        s3_data: Uri,
        distribution: str | None = None,
        compression: str | None = None,
        content_type: str | None = None,
        record_wrapping: str | None = None,
        s3_data_type: str = "S3Prefix",
        input_mode: str | None = None,
        attribute_names: Sequence[str] | None = None,
        shuffle_config: Any = None,
    ) -> None:
        source = {
            "S3DataType": s3_data_type,
            "S3Uri": s3_data,
            "S3DataDistributionType": distribution or "FullyReplicated",
            "AttributeNames": None if attribute_names is None else list(attribute_names),
        }
        self.config: dict[str, Any] = given(
            {
                "DataSource": {"S3DataSource": given(source)},
                "CompressionType": compression,
                "ContentType": content_type,
                "RecordWrapperType": record_wrapping,
                "InputMode": input_mode,
                "ShuffleConfig": None if shuffle_config is None else {"Seed": _seed(shuffle_config)},
            }
        )

    def channel(self, name: str) -> dict[str, Any]:
        """Return the channel as CreateTrainingJob takes it."""
        return {"ChannelName": name, **self.config}


def s3_input(s3_data: Uri, **arguments: Any) -> TrainingInput:
    """Return a TrainingInput, by the name that it had in version 1 of the SageMaker SDK."""
    warnings.warn("s3_input is called TrainingInput now.", DeprecationWarning, stacklevel=2)
    return TrainingInput(s3_data, **arguments)


def channels(data: Data, *, default: str = "training") -> list[dict[str, Any]] | None:
    """Return a job's channels as CreateTrainingJob takes them.

    Parameters
    ----------
    data
        One channel's data, or a dictionary of channels.
    default
        The name of the only channel, if none is given.

    Raises
    ------
    EstimatorError
        It is something else.
    """
    if data is None:
        return None
    if isinstance(data, Mapping):
        return [_as_input(value, f"the channel '{name}'").channel(name) for name, value in data.items()]
    return [_as_input(data, "the data").channel(default)]


def _as_input(value: Any, what: str) -> TrainingInput:
    if isinstance(value, TrainingInput):
        return value
    if isinstance(value, str | Dynamic):
        if isinstance(value, str) and not value.startswith(("s3://", "${", "{%")):
            raise EstimatorError(f"The URI of {what} must begin with 's3://'; {value!r} does not.")
        return TrainingInput(value)
    raise EstimatorError(
        f"{what.capitalize()} is an S3 URI, a placeholder, or a TrainingInput; not {type(value).__name__}."
    )


def _seed(shuffle_config: Any) -> Any:
    return (
        shuffle_config.get("Seed")
        if isinstance(shuffle_config, Mapping)
        else getattr(shuffle_config, "seed", shuffle_config)
    )


class DataCaptureConfig:
    """What an endpoint keeps of the requests that it answers.

    Parameters
    ----------
    enable_capture : bool
        Whether it keeps any.
    sampling_percentage : int
        How many of a hundred.
    destination_s3_uri : str
        Where to.
    kms_key_id, capture_options, csv_content_types, json_content_types
        As in CreateEndpointConfig's `DataCaptureConfig`.
    """

    def __init__(
        self,
        enable_capture: bool,  # noqa: FBT001 (as its users call it)
        sampling_percentage: int = 20,
        destination_s3_uri: Uri | None = None,
        kms_key_id: str | None = None,
        capture_options: Sequence[str] | None = None,
        csv_content_types: Sequence[str] | None = None,
        json_content_types: Sequence[str] | None = None,
    ) -> None:
        if destination_s3_uri is None:
            raise EstimatorError("DataCaptureConfig needs destination_s3_uri: where requests are kept.")
        types = {"CsvContentTypes": csv_content_types, "JsonContentTypes": json_content_types}
        self.config = given(
            {
                "EnableCapture": enable_capture,
                "InitialSamplingPercentage": sampling_percentage,
                "DestinationS3Uri": destination_s3_uri,
                "KmsKeyId": kms_key_id,
                "CaptureOptions": [
                    {"CaptureMode": _capture_mode(each)}
                    for each in capture_options or ("REQUEST", "RESPONSE")
                ],
                "CaptureContentTypeHeader": given(types) or None,
            }
        )


def _capture_mode(option: str) -> str:
    return {"REQUEST": "Input", "RESPONSE": "Output"}.get(option, option)


def given(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without the members that are None."""
    return {name: value for name, value in members.items() if value is not None}


def tags(value: Any) -> Any:
    """Return tags as requests take them, of a dictionary or of a list of keys and values."""
    if isinstance(value, Mapping):
        return [{"Key": key, "Value": item} for key, item in value.items()]
    return value or None


def bucket_name(value: str) -> str:
    """Return a bucket's name, which may have been given as an S3 URI.

    Raises
    ------
    EstimatorError
        It is neither.
    """
    name = value.removeprefix("s3://").rstrip("/")
    if not name or "/" in name:
        raise EstimatorError(f"A bucket's name was expected, such as 'my-bucket'; not {value!r}.")
    return name
