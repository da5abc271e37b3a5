"""SageMaker in a few lines and in virtual time: jobs that train at once, endpoints that take their time."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from retraining.s3_uris import parse
from tests.unit.functions import stack
from tests.unit.functions.fakes import labels_csv, predictions_csv

SETTLES_AFTER = 100.0
"""Seconds that an endpoint takes."""

ROWS = 300
LABELS = [str(row % 2) for row in range(ROWS)]


@dataclass
class Endpoint:
    """An endpoint; it settles at a time, with another config."""

    config: str
    status: str
    target: str = ""
    settles_at: float = 0.0


class SageMaker:
    """What the state machine and the functions call.

    Parameters
    ----------
    now
        The time, in seconds.
    s3
        Makes a client of S3.
    """

    def __init__(self, now: Callable[[], float], s3: Callable[[], Any]) -> None:
        self._now = now
        self._s3 = s3
        self.jobs: dict[str, dict[str, Any]] = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.packages: dict[str, dict[str, Any]] = {}
        self.wrong = 0
        """Of every ten rows, a new model has so many wrong."""
        self.answers_wrongly = False
        """Whether endpoints answer otherwise than their models were predicted to."""
        self.next_endpoint_fails = False

    # -- jobs ---------------------------------------------------------------------------------------------

    def create_training_job(self, **request: Any) -> dict[str, Any]:
        name = request["TrainingJobName"]
        if name in self.jobs:
            raise refused(f"Training job names must be unique: {name}", "ResourceInUse")
        place = f"{request['OutputDataConfig']['S3OutputPath']}/{name}/output"
        url = f"{place}/model.tar.gz"
        self._write(url, _archive({"model.json": b"{}"}))
        guesses = [str((row + 1) % 2) if row % 10 < self.wrong else label for row, label in enumerate(LABELS)]
        predicted = {"predictions.csv": predictions_csv(LABELS, guesses)}
        if any(channel["ChannelName"] == "champion" for channel in request["InputDataConfig"]):
            predicted["champion_predictions.csv"] = predictions_csv(LABELS, LABELS)
        rows = [
            {"id": str(row), "content_type": "application/json", "body": _base64(json.dumps({"row": row}))}
            for row in range(0, ROWS, 30)
        ]
        predicted["verify.jsonl"] = "\n".join(json.dumps(row) for row in rows).encode()
        self._write(f"{place}/output.tar.gz", _archive(predicted))
        self.jobs[name] = {
            "TrainingJobName": name,
            "TrainingJobArn": f"arn:aws:sagemaker:{stack.REGION}:{stack.ACCOUNT}:training-job/{name}",
            "TrainingJobStatus": "Completed",
            "SecondaryStatus": "Completed",
            "BillableTimeInSeconds": 60,
            "ModelArtifacts": {"S3ModelArtifacts": url},
        }
        return self.jobs[name]

    def _write(self, url: str, body: bytes) -> None:
        uri = parse(url)
        assert uri is not None
        self._s3().put_object(Bucket=uri.bucket, Key=uri.key, Body=body)

    # -- registry, models, configs ------------------------------------------------------------------------

    def create_model_package(self, **request: Any) -> dict[str, Any]:
        token = request["ClientToken"]
        arn = f"arn:aws:sagemaker:{stack.REGION}:{stack.ACCOUNT}:model-package/retrain-a1b2c3/{token[:8]}"
        self.packages.setdefault(arn, {**request, "ModelPackageArn": arn})
        return {"ModelPackageArn": arn}

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803 - the API's name
        """Give a package; somebody approves it right after it was first looked at."""
        found = dict(self.packages[ModelPackageName])
        self.packages[ModelPackageName]["ModelApprovalStatus"] = "Approved"
        return found

    def update_model_package(self, ModelPackageArn: str, **changes: Any) -> dict[str, Any]:  # noqa: N803
        self.packages[ModelPackageArn] |= changes
        return {"ModelPackageArn": ModelPackageArn}

    def create_model(self, **request: Any) -> dict[str, Any]:
        return self._create(self.models, "Model", request)

    def create_endpoint_config(self, **request: Any) -> dict[str, Any]:
        return self._create(self.configs, "EndpointConfig", request)

    def _create(self, kept: dict[str, Any], kind: str, request: dict[str, Any]) -> dict[str, Any]:
        name = request[f"{kind}Name"]
        if name in kept:
            raise refused(f"Cannot create already existing {kind} {name}.")
        kept[name] = request
        return {f"{kind}Arn": f"arn:aws:sagemaker:{stack.REGION}:{stack.ACCOUNT}:{kind.lower()}/{name}"}

    def describe_model(self, ModelName: str) -> dict[str, Any]:  # noqa: N803
        return self._known(self.models, "model", ModelName)

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:  # noqa: N803
        return self._known(self.configs, "endpoint configuration", EndpointConfigName)

    def delete_model(self, ModelName: str) -> dict[str, Any]:  # noqa: N803
        self._known(self.models, "model", ModelName)
        del self.models[ModelName]
        return {}

    def delete_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:  # noqa: N803
        self._known(self.configs, "endpoint configuration", EndpointConfigName)
        del self.configs[EndpointConfigName]
        return {}

    def _known(self, kept: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
        if name not in kept:
            raise refused(f'Could not find {kind} "{name}".')
        found: dict[str, Any] = kept[name]
        return found

    # -- endpoints ----------------------------------------------------------------------------------------

    def create_endpoint(self, **request: Any) -> dict[str, Any]:
        name = request["EndpointName"]
        if name in self.endpoints:
            raise refused(f"Cannot create already existing endpoint {name}.")
        self._known(self.configs, "endpoint configuration", request["EndpointConfigName"])
        config = request["EndpointConfigName"]
        self.endpoints[name] = Endpoint(config, "Creating", config, self._now() + SETTLES_AFTER)
        return self._arn(name)

    def update_endpoint(self, **request: Any) -> dict[str, Any]:
        endpoint = self._endpoint(request["EndpointName"])
        if endpoint.status != "InService":
            raise refused("Cannot update in-progress endpoint.")
        self._known(self.configs, "endpoint configuration", request["EndpointConfigName"])
        endpoint.status, endpoint.target = "Updating", request["EndpointConfigName"]
        endpoint.settles_at = self._now() + SETTLES_AFTER
        return self._arn(request["EndpointName"])

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        endpoint = self._endpoint(EndpointName)
        return {
            **self._arn(EndpointName),
            "EndpointName": EndpointName,
            "EndpointConfigName": endpoint.config,
            "EndpointStatus": endpoint.status,
        }

    def delete_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        self._endpoint(EndpointName)
        del self.endpoints[EndpointName]
        return {}

    def list_endpoints(self, **_: Any) -> dict[str, Any]:
        return {"Endpoints": []}

    def _endpoint(self, name: str) -> Endpoint:
        if name not in self.endpoints:
            raise refused(f'Could not find endpoint "{name}".')
        endpoint = self.endpoints[name]
        if endpoint.status in {"Creating", "Updating"} and self._now() >= endpoint.settles_at:
            failed = self.next_endpoint_fails and endpoint.status == "Creating"
            endpoint.status, endpoint.config = "Failed" if failed else "InService", endpoint.target
        return endpoint

    def _arn(self, name: str) -> dict[str, str]:
        return {"EndpointArn": f"arn:aws:sagemaker:{stack.REGION}:{stack.ACCOUNT}:endpoint/{name}"}

    # -- the rest -----------------------------------------------------------------------------------------

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        """Answer a row with its label, as every model is predicted to that is deployed here."""
        label = "none" if self.answers_wrongly else LABELS[json.loads(request["Body"])["row"]]
        answer = json.dumps({"predictions": [{"label": label}]}).encode()
        return {"Body": io.BytesIO(answer), "ContentType": "application/json"}

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"this SageMaker knows no {name}")


def refused(message: str, code: str = "ValidationException") -> ClientError:
    """Return an error as botocore raises it."""
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Call"
    )


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


HOLDOUT = labels_csv(LABELS)
