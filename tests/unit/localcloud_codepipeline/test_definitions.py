"""Pipelines that make no sense are refused when they are made, and those that are not served here as well."""

from __future__ import annotations

from typing import Any

import pytest

from retrain.localcloud.codepipeline.service import CodePipeline
from retrain.localcloud.sagemaker.errors import ApiError
from tests.unit.localcloud_codepipeline.conftest import by_lambda, natively, pipeline, source


def create(service: CodePipeline, declaration: dict[str, Any]) -> dict[str, Any]:
    return service.call("CreatePipeline", {"pipeline": declaration})["pipeline"]


def test_a_pipeline_is_kept_and_given_back(service):
    declaration = pipeline(by_lambda(UserParameters="{}"))
    assert create(service, declaration) == {**declaration, "version": 1}
    found = service.call("GetPipeline", {"name": "retrain"})
    assert found["pipeline"] == {**declaration, "version": 1}
    assert found["metadata"]["pipelineArn"] == "arn:aws:codepipeline:us-east-1:000000000000:retrain"
    changed = pipeline(natively(Input="{}"))
    assert service.call("UpdatePipeline", {"pipeline": changed})["pipeline"]["version"] == 2
    assert [one["version"] for one in service.call("ListPipelines", {})["pipelines"]] == [2]
    service.call("DeletePipeline", {"name": "retrain"})
    service.call("DeletePipeline", {"name": "retrain"})
    assert service.call("ListPipelines", {})["pipelines"] == []


def changed(action: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**action, **changes}


MANUAL = {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}


@pytest.mark.parametrize(
    ("declaration", "code", "said"),
    [
        (pipeline(), "InvalidStructureException", "minimum of two stages"),
        (pipeline(by_lambda(), name="a b"), "ValidationException", "regular expression"),
        (pipeline(by_lambda(), artifactStore=None), "InvalidStructureException", "no artifactStore"),
        (
            pipeline(changed(by_lambda(), configuration={})),
            "InvalidActionDeclarationException",
            "FunctionName is missing",
        ),
        (
            pipeline(by_lambda(Functionname="x")),
            "InvalidActionDeclarationException",
            "Functionname is unknown",
        ),
        (pipeline(by_lambda(UserParameters="x" * 1001)), "ValidationException", "less than or equal to 1000"),
        (
            pipeline(changed(by_lambda(), inputArtifacts=[{"name": "Other"}])),
            "InvalidActionDeclarationException",
            "takes Other, which no earlier action gives",
        ),
        (pipeline(source()), "InvalidStageDeclarationException", "first stage"),
        (pipeline(natively(InputType="File")), "InvalidActionDeclarationException", "Literal or FilePath"),
        (pipeline(natively(InputType="FilePath")), "InvalidActionDeclarationException", "needs Input"),
        (pipeline(by_lambda(), by_lambda()), "InvalidActionDeclarationException", "more than one namespace"),
        (
            pipeline(changed(by_lambda(), actionTypeId=MANUAL)),
            "UnsupportedOperation",
            "Approval AWS Manual 1",
        ),
        (
            pipeline(changed(by_lambda(), outputArtifacts=[{"name": "Out"}])),
            "UnsupportedOperation",
            "output artifact of the action Retrain",
        ),
        (pipeline(changed(by_lambda(), timeoutInMinutes=9)), "UnsupportedOperation", "timeoutInMinutes"),
        (
            pipeline(by_lambda(), artifactStores={"us-east-1": {"type": "S3", "location": "artifacts"}}),
            "UnsupportedOperation",
            "artifactStores",
        ),
        (pipeline(by_lambda(), variables=[{"name": "x"}]), "InvalidStructureException", "V2"),
        (pipeline(by_lambda(), colour="red"), "SerializationException", "colour"),
    ],
)
def test_pipelines_that_are_refused(service, declaration, code, said):
    with pytest.raises(ApiError) as refused:
        create(service, declaration)
    assert (refused.value.code, said in refused.value.message) == (code, True), refused.value.message
    assert service.call("ListPipelines", {})["pipelines"] == []


def test_names_are_taken_once(service):
    create(service, pipeline(by_lambda()))
    with pytest.raises(ApiError) as refused:
        create(service, pipeline(by_lambda()))
    assert refused.value.code == "PipelineNameInUseException"


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("GetPipeline", {"name": "none"}, "PipelineNotFoundException"),
        ("StartPipelineExecution", {"name": "none"}, "PipelineNotFoundException"),
        ("StartPipelineExecution", {}, "ValidationException"),
        ("RetryStageExecution", {}, "ValidationException"),
        ("PollForJobs", {"actionTypeId": MANUAL}, "UnsupportedOperation"),
        ("ListActionTypes", {}, "UnsupportedOperation"),
        ("MakeCoffee", {}, "UnknownOperationException"),
    ],
)
def test_calls_that_are_refused(service, operation, request_, code):
    with pytest.raises(ApiError) as refused:
        service.call(operation, request_)
    assert refused.value.code == code
