from __future__ import annotations

import asyncio
import json
import threading
import time
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from retrain.localcloud.sagemaker.errors import (
    ConflictError,
    InvalidRequestError,
    ResourceInUseError,
    ResourceNotFoundError,
    UnsupportedError,
)
from retrain.localcloud.sagemaker.hosting import records as endpoint_records
from retrain.localcloud.sagemaker.hosting.fleet import Fleet
from retrain.localcloud.sagemaker.integrations import Tasks
from retrain.localcloud.sagemaker.service import SageMaker
from retrain.localcloud.sagemaker.training import records

ROLE = "arn:aws:iam::000000000000:role/training"


def ask(sagemaker, target: str, body: bytes = b"{}", path: str = "/", **headers: str):
    given = {"x-amz-target": target, **headers}
    status, answer_headers, answer = asyncio.run(sagemaker.handle("POST", path, given, body, {}))
    return status, answer_headers, json.loads(answer)


@pytest.mark.parametrize(
    ("target", "body", "status", "code"),
    [
        ("SageMaker.ListModels", b"{}", 200, None),
        ("SageMaker.ListModels", b"", 200, None),
        ("SageMaker.ListModels", b"{", 400, "SerializationException"),
        ("SageMaker.ListModels", b"[]", 400, "SerializationException"),
        ("SageMaker.MakeCoffee", b"{}", 400, "UnknownOperationException"),
        ("SageMaker.ListDomains", b"{}", 400, "UnsupportedOperation"),
        ("Other.ListModels", b"{}", 400, "SerializationException"),
        ("", b"{}", 400, "SerializationException"),
        ("SageMaker.DescribeModel", b"{}", 400, "ValidationException"),
    ],
)
def test_requests_get_answers_in_the_protocol(sagemaker, target, body, status, code):
    got, headers, answer = ask(sagemaker, target, body)
    assert got == status
    assert headers["Content-Type"] == "application/x-amz-json-1.1"
    assert answer.get("__type") == code
    assert headers.get("x-amzn-ErrorType") == code


def test_an_error_of_ours_is_an_answer_too(sagemaker, monkeypatch, caplog):
    monkeypatch.setitem(sagemaker._operations, "ListModels", lambda _: 1 / 0)
    status, _, answer = ask(sagemaker, "SageMaker.ListModels")
    assert (status, answer["__type"]) == (500, "InternalFailure")
    assert "ZeroDivisionError" in answer["message"]
    assert "ListModels" in caplog.text


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        ("/endpoints/none/invocations", {}, "ValidationError"),
        ("/endpoints/none/async-invocations", {}, "UnsupportedOperation"),
        ("/endpoints/none/invocations", {"x-amzn-sagemaker-target-model": "m"}, "UnsupportedOperation"),
        ("/endpoints/none/other", {}, "UnknownOperationException"),
    ],
)
def test_runtime_requests_that_cannot_be_answered(sagemaker, path, headers, code):
    status, answer_headers, _ = ask(sagemaker, "", b"x", path, **headers)
    assert (status, answer_headers["x-amzn-ErrorType"]) == (400, code)


def test_jobs_cut_off_by_the_end_of_the_last_server_have_failed(platform, sagemaker, request_for_training):
    sagemaker.store.training_jobs.put("job-1", records.new(request_for_training(), "arn"))
    again = SageMaker(platform)
    job = again.call("DescribeTrainingJob", {"TrainingJobName": "job-1"})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == "InternalServerError: the local cloud was stopped"


def test_an_unknown_image_fails_a_job_and_events_tell(sagemaker, events, request_for_training):
    sagemaker.call("CreateTrainingJob", request_for_training())
    job = sagemaker.training_jobs.wait("job-1", None)
    assert job["FailureReason"].startswith("ClientError: Cannot pull the training image")
    with pytest.raises(ResourceInUseError, match="names must be unique"):
        sagemaker.call("CreateTrainingJob", request_for_training())
    deadline = time.monotonic() + 5
    while len(events) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [detail["SecondaryStatus"] for _, detail in events] == ["Starting", "Failed"]
    sagemaker.call("DeleteTrainingJob", {"TrainingJobName": "job-1"})
    with pytest.raises(InvalidRequestError, match="Requested resource not found"):
        sagemaker.call("DescribeTrainingJob", {"TrainingJobName": "job-1"})


def model(sagemaker, name: str = "m", **container) -> None:
    sagemaker.call(
        "CreateModel",
        {
            "ModelName": name,
            "ExecutionRoleArn": ROLE,
            "PrimaryContainer": {"Image": "team/image:1", **container},
        },
    )


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({}, InvalidRequestError, "Either PrimaryContainer or Containers"),
        (
            {"PrimaryContainer": {"Image": "i"}, "Containers": [{"Image": "i"}]},
            InvalidRequestError,
            "not both",
        ),
        ({"Containers": [{"Image": "i"}, {"Image": "i"}]}, UnsupportedError, "several Containers"),
        (
            {"PrimaryContainer": {"ModelDataUrl": "s3://b/m.tar.gz"}},
            InvalidRequestError,
            "Image or ModelPackage",
        ),
        ({"PrimaryContainer": {"Image": "i", "Mode": "MultiModel"}}, UnsupportedError, "MultiModel"),
        (
            {"PrimaryContainer": {"Image": "i", "ModelDataUrl": "https://b/m.tar.gz"}},
            InvalidRequestError,
            "ModelDataUrl",
        ),
        (
            {"PrimaryContainer": {"Image": "i"}, "ExecutionRoleArn": None},
            InvalidRequestError,
            "ExecutionRoleArn",
        ),
        ({"PrimaryContainer": {"ModelPackageName": "none"}}, InvalidRequestError, "does not exist"),
    ],
)
def test_models_that_could_not_be_served_are_refused(sagemaker, changes, error, message):
    with pytest.raises(error, match=message):
        sagemaker.call("CreateModel", {"ModelName": "m", "ExecutionRoleArn": ROLE, **changes})


def variant(**changes):
    return {
        "VariantName": "A",
        "ModelName": "m",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        **changes,
    }


@pytest.mark.parametrize(
    ("request_changes", "error", "message"),
    [
        ({"ProductionVariants": [variant(), variant()]}, InvalidRequestError, "must be unique"),
        (
            {"ProductionVariants": [variant(InstanceType=None)]},
            InvalidRequestError,
            "InstanceType or Serverless",
        ),
        (
            {"ProductionVariants": [variant(InitialInstanceCount=None)]},
            InvalidRequestError,
            "InitialInstanceCount",
        ),
        ({"ProductionVariants": [variant(ModelName=None)]}, UnsupportedError, "inference components"),
        ({"ShadowProductionVariants": [variant()]}, UnsupportedError, "ShadowProductionVariants"),
        (
            {
                "DataCaptureConfig": {
                    "EnableCapture": True,
                    "InitialSamplingPercentage": 1,
                    "DestinationS3Uri": "s3://b/c",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            UnsupportedError,
            "EnableCapture",
        ),
    ],
)
def test_configs_that_could_not_be_served_are_refused(sagemaker, request_changes, error, message):
    model(sagemaker)
    with pytest.raises(error, match=message):
        sagemaker.call(
            "CreateEndpointConfig",
            {"EndpointConfigName": "c", "ProductionVariants": [variant()], **request_changes},
        )


def spec(name: str, weight: float):
    return {"variant": name, "weight": weight, "serverless": None, "image": "i", "instances": 1}


def test_weights_decide_and_a_variant_without_weight_gets_nothing(platform):
    fleet = Fleet(platform, "e", "c", [spec("A", 1), spec("B", 0)])  # type: ignore[list-item]
    assert {fleet.choose(None).spec["variant"] for _ in range(50)} == {"A"}
    assert fleet.choose("B").spec["variant"] == "B"
    assert fleet.choose("C") is None
    fleet.weights = {"A": 0.0, "B": 0.0}
    assert fleet.choose(None) is None


def test_a_server_waits_for_its_requests_before_it_ends(platform):
    (server,) = Fleet(platform, "e", "c", [spec("A", 1)]).servers.values()  # type: ignore[list-item]
    assert server.acquire() is None
    server.port = 1
    assert server.acquire() == 1
    retiring = threading.Thread(target=server.retire, args=(5.0,))
    retiring.start()
    retiring.join(0.1)
    assert retiring.is_alive()
    assert server.acquire() is None
    server.release()
    retiring.join(2)
    assert not retiring.is_alive()


def test_the_status_in_events_is_in_capitals(sagemaker, events):
    sagemaker.store.endpoints.put(
        "e", endpoint_records.new({"EndpointName": "e", "EndpointConfigName": "c"}, "arn", [])
    )
    endpoint_records.update(sagemaker.platform, sagemaker.store, "e", "RollingBack", FailureReason="x")
    deadline = time.monotonic() + 5
    while not events and time.monotonic() < deadline:
        time.sleep(0.01)
    assert events[0][1]["EndpointStatus"] == "ROLLING_BACK"


# -- the registry --------------------------------------------------------------------------------


def package(sagemaker, **changes):
    request = {
        "ModelPackageGroupName": "g",
        "InferenceSpecification": {"Containers": [{"Image": "i", "ModelDataUrl": "s3://b/m.tar.gz"}]},
        **changes,
    }
    return sagemaker.call("CreateModelPackage", request)["ModelPackageArn"]


def test_versions_are_never_given_twice(sagemaker):
    sagemaker.call("CreateModelPackageGroup", {"ModelPackageGroupName": "g"})
    first = package(sagemaker)
    sagemaker.call("DeleteModelPackage", {"ModelPackageName": first})
    assert package(sagemaker).endswith("/g/2")
    assert package(sagemaker, ClientToken="t") == package(sagemaker, ClientToken="t")
    with pytest.raises(ConflictError):
        sagemaker.call("DeleteModelPackageGroup", {"ModelPackageGroupName": "g"})


def test_packages_without_a_group_are_named(sagemaker):
    arn = package(sagemaker, ModelPackageGroupName=None, ModelPackageName="single")
    assert arn.endswith(":model-package/single")
    listed = sagemaker.call("ListModelPackages", {})["ModelPackageSummaryList"]
    assert [item["ModelPackageName"] for item in listed] == ["single"]
    for changes in (
        {"ModelPackageName": "both"},
        {"ModelPackageGroupName": "nobody"},
        {"ModelPackageGroupName": None},
        {"InferenceSpecification": None},
    ):
        with pytest.raises(InvalidRequestError):
            package(sagemaker, **changes)


def test_properties_are_merged_and_removed(sagemaker):
    sagemaker.call("CreateModelPackageGroup", {"ModelPackageGroupName": "g"})
    arn = package(sagemaker, CustomerMetadataProperties={"a": "1", "b": "2"})
    sagemaker.call(
        "UpdateModelPackage",
        {
            "ModelPackageArn": arn,
            "CustomerMetadataProperties": {"b": "3", "c": "4"},
            "CustomerMetadataPropertiesToRemove": ["a"],
        },
    )
    described = sagemaker.call("DescribeModelPackage", {"ModelPackageName": arn})
    assert described["CustomerMetadataProperties"] == {"b": "3", "c": "4"}
    assert described["ModelPackageName"] == "g"


# -- Step Functions ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidRequestError("x"), "ValidationException"),
        (UnsupportedError("x"), "NotImplementedException"),
        (ResourceInUseError("x"), "ResourceInUse"),
        (ResourceNotFoundError("x"), "ResourceNotFound"),
        (ConflictError("x"), "ConflictException"),
    ],
)
def test_tasks_get_errors_as_boto3_has_them(error, code):
    def call(*_args, **_kwargs):
        raise error

    with pytest.raises(ClientError) as failed:
        asyncio.run(Tasks(SimpleNamespace(call=call)).call("CreateModel", {}))  # type: ignore[arg-type]
    assert failed.value.response["Error"] == {"Code": code, "Message": error.message}


def test_the_state_machines_parameters_are_left_as_they_are(sagemaker, request_for_training):
    given = request_for_training()
    before = json.dumps(given)

    async def train():
        tasks = Tasks(sagemaker)
        await tasks.call("CreateTrainingJob", given)
        await tasks.ended("DescribeTrainingJob", given["TrainingJobName"])
        return await tasks.call("DescribeTrainingJob", {"TrainingJobName": given["TrainingJobName"]})

    assert asyncio.run(train())["TrainingJobStatus"] == "Failed"  # there is no such image
    assert json.dumps(given) == before
