"""Every error of AWS, as the sentence that a person gets."""

from __future__ import annotations

import inspect
import socket
from types import SimpleNamespace

import pytest
from botocore import exceptions as botocore

from retrain import errors
from retrain.aws import Stack, Target, connect
from retrain.aws_errors import explained_errors
from tests.unit.cli.fakes import KEYS, refusal


@pytest.mark.parametrize(
    ("raised", "kind", "sentence"),
    [
        (
            refusal("AccessDeniedException", "Query", "User x may not."),
            errors.AccessDeniedError,
            (
                "AWS refused Query while looking: User x may not (AccessDeniedException). Check the "
                "credentials ('aws sts get-caller-identity') and what they allow."
            ),
        ),
        (
            refusal("ThrottlingException", "Query", "Rate exceeded"),
            errors.AwsCallError,
            "Query failed while looking: Rate exceeded (ThrottlingException).",
        ),
        (
            botocore.NoCredentialsError(),
            errors.NoCloudError,
            (
                "No local cloud is running here and there are no AWS credentials: start the local cloud with "
                "'retrain local up', or set up credentials with 'aws configure' (or --profile)."
            ),
        ),
        (
            botocore.NoRegionError(),
            errors.NoCloudError,
            "No AWS region is set: pass --region, or set AWS_DEFAULT_REGION.",
        ),
        (
            botocore.ProfileNotFound(profile="prod"),
            errors.NoCloudError,
            (
                "The config profile (prod) could not be found. 'aws configure list-profiles' names those "
                "that exist."
            ),
        ),
        (
            botocore.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
            errors.CloudUnreachableError,
            (
                "Nothing answers at http://127.0.0.1:1 (while looking): is the local cloud up? 'retrain "
                "local status' tells, 'retrain local up' starts it."
            ),
        ),
        (
            botocore.ParamValidationError(report="bad"),
            errors.CloudError,
            "AWS could not be used while looking: Parameter validation failed:\nbad",
        ),
    ],
)
def test_each_exception_has_its_sentence(raised, kind, sentence):
    with pytest.raises(kind) as caught, explained_errors("looking", "http://127.0.0.1:1"):
        raise raised
    assert str(caught.value) == sentence
    assert type(caught.value) is kind


def test_aws_out_of_reach_is_not_taken_for_the_local_cloud():
    sentence = "AWS could not be reached while looking"
    with pytest.raises(errors.CloudUnreachableError, match=sentence), explained_errors("looking"):
        raise botocore.ConnectTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com")


def test_no_cloud_and_no_credentials(retrain):
    ended = retrain("runs")
    assert ended.code == 1
    assert ended.err == (
        "retrain: No local cloud is running here and there are no AWS credentials: start the local cloud "
        "with 'retrain local up', or set up credentials with 'aws configure' (or --profile).\n"
    )


def test_no_region(retrain, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    assert retrain("runs").err == "retrain: No AWS region is set: pass --region, or set AWS_DEFAULT_REGION.\n"


def test_no_such_profile(retrain):
    assert "The config profile (prod) could not be found" in retrain("runs", "--profile", "prod").err


def test_nothing_listens_at_the_endpoint_url(retrain, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    ended = retrain("runs")
    assert ended.code == 1
    assert ended.err.startswith(
        f"Using {url}, as AWS_ENDPOINT_URL says (unset it for AWS).\n"
        f"retrain: Nothing answers at {url} (while reading the stack 'retrain'): is the local"
    )


def test_no_such_stack():
    def refuse(**_):
        raise refusal("ValidationError", "DescribeStacks", "Stack with id other does not exist")

    real = Stack("other", Target(environment=KEYS))
    real._clients["cloudformation"] = SimpleNamespace(describe_stacks=refuse)
    with pytest.raises(errors.StackNotFoundError) as caught:
        real.output("DataBucketName")
    assert str(caught.value) == (
        "There is no stack 'other' in us-east-1: name another with --stack-name, deploy it with 'sam "
        "deploy', or start the local cloud with 'retrain local up'."
    )


def test_another_programs_stack(stack):
    with pytest.raises(
        errors.StackNotFoundError, match="'retrain' has no output NoSuch: it is not a Retrain stack"
    ):
        stack.output("NoSuch")


def test_the_local_cloud_is_used_and_said_so_when_it_is_up(monkeypatch, tmp_path):
    from retrain.localcloud import process

    cloud = process.LocalCloud("http://127.0.0.1:4566", 1, 4566, tmp_path, "2026-08-01T12:00:00Z", "retrain")
    monkeypatch.setattr(process, "status", lambda _: cloud)
    assert connect().target.endpoint_url == "http://127.0.0.1:4566"
    assert connect().target.local_cloud
    assert connect().is_near
    assert connect(use_aws=True).target == Target()
    assert connect(profile="prod").target == Target(profile="prod")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:9999")
    assert connect().target == Target()
    assert connect().is_near


def test_the_tree_is_drawn_whole():
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.RetrainError)
    ]
    assert len(kinds) > 10
    for kind in kinds:
        assert f" {kind.__name__} " in errors.__doc__
        assert kind.__name__.endswith("Error")
        assert kind.exit_code == (2 if issubclass(kind, errors.UsageError) else 1)
