"""The rules of CreateTrainingJob that botocore's model does not state."""

from __future__ import annotations

import re
from typing import Any

from retrain.localcloud.sagemaker.errors import InvalidRequestError, UnsupportedError
from retrain.localcloud.sagemaker.objects import S3Uri

DEFAULT_MAX_RUNTIME_SECONDS = 86_400
DEFAULT_VOLUME_GIGABYTES = 30
BASE_FOLDER = "/opt/ml"


def check(request: dict[str, Any]) -> None:
    """Check a request that follows the model, and fill in the API's defaults.

    Raises
    ------
    InvalidRequestError
        If AWS would refuse it.
    UnsupportedError
        If AWS would take it and the local cloud cannot.
    """
    algorithm = request.get("AlgorithmSpecification") or {}
    if not algorithm.get("TrainingImage"):
        raise InvalidRequestError(
            "Invalid AlgorithmSpecification: TrainingImage or AlgorithmName must be specified."
        )
    _input_mode(algorithm["TrainingInputMode"], "AlgorithmSpecification.TrainingInputMode")
    for metric in algorithm.get("MetricDefinitions") or []:
        try:
            re.compile(metric["Regex"])
        except re.error as error:
            raise InvalidRequestError(
                f"Invalid MetricDefinition: the Regex {metric['Regex']!r} of {metric['Name']!r} is invalid: "
                f"{error}."
            ) from error

    resources = request.get("ResourceConfig")
    if not resources or not resources.get("InstanceType") or not resources.get("InstanceCount"):
        raise InvalidRequestError("ResourceConfig with InstanceType and InstanceCount must be specified.")
    resources.setdefault("VolumeSizeInGB", DEFAULT_VOLUME_GIGABYTES)

    _s3_uri(request["OutputDataConfig"]["S3OutputPath"], "OutputDataConfig.S3OutputPath")
    _channels(request.get("InputDataConfig") or [], algorithm["TrainingInputMode"])
    _times(request)

    checkpoints = request.get("CheckpointConfig")
    if checkpoints:
        _s3_uri(checkpoints["S3Uri"], "CheckpointConfig.S3Uri")
        local = checkpoints.setdefault("LocalPath", f"{BASE_FOLDER}/checkpoints").rstrip("/")
        if not local.startswith(f"{BASE_FOLDER}/") or ".." in local.split("/"):
            raise UnsupportedError(f"CheckpointConfig.LocalPath {local} outside of {BASE_FOLDER}")


def _channels(channels: list[dict[str, Any]], default_mode: str) -> None:
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) < len(names):
        raise InvalidRequestError(f"Channel names must be unique, found {', '.join(names)}.")
    for channel in channels:
        where = f"InputDataConfig channel {channel['ChannelName']!r}"
        source = (channel.get("DataSource") or {}).get("S3DataSource")
        if not source:
            raise InvalidRequestError(f"{where}: DataSource must contain S3DataSource.")
        if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
            raise UnsupportedError(f"{where}: S3DataType {source['S3DataType']}")
        _s3_uri(source["S3Uri"], f"{where}: S3Uri")
        _input_mode(channel.get("InputMode") or default_mode, f"{where}: InputMode")
        for name in ("CompressionType", "RecordWrapperType"):
            if channel.get(name, "None") != "None":
                raise InvalidRequestError(f"{where}: {name} {channel[name]} is for input mode Pipe only.")


def _times(request: dict[str, Any]) -> None:
    stopping = request.get("StoppingCondition") or {}
    request["StoppingCondition"] = stopping
    runtime = stopping.setdefault("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS)
    wait = stopping.get("MaxWaitTimeInSeconds")
    if request.get("EnableManagedSpotTraining"):
        if wait is None or wait < runtime:
            raise InvalidRequestError(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                "MaxRuntimeInSeconds"
            )
    elif wait is not None:
        raise InvalidRequestError(
            "MaxWaitTimeInSeconds is not supported for jobs that do not use managed spot training."
        )


def _input_mode(mode: str, where: str) -> None:
    # FastFile shows the same files at the same place; on a laptop nothing is gained by fetching them late.
    if mode == "Pipe":
        raise UnsupportedError(f"{where} Pipe", "Use File or FastFile.")


def _s3_uri(uri: str, where: str) -> None:
    try:
        S3Uri.parse(uri)
    except ValueError as error:
        raise InvalidRequestError(f"Invalid {where}: {error}") from error
