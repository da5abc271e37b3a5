"""The adapters: AWS's answers and errors turned into ours."""

import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.response import StreamingBody
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from retraining import errors
from retraining.aws import clients, ledger
from retraining.aws.endpoints import SageMakerEndpoints
from retraining.aws.ledger import DynamoLedger
from retraining.aws.runtime import SageMakerRuntime
from retraining.aws.state_machine import StepFunctionsMachine
from retraining.aws.storage import S3Storage
from retraining.ports import EndpointAnswer, ServedModel
from tests.unit.functions import stack

NUMBERS = st.integers(-(10**15), 10**15) | st.floats(-9.9e125, 9.9e125).filter(
    lambda number: number == 0 or abs(number) >= 1e-130
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=15,
)


def client_error(code: str, status: int = 400, message: str = "No.") -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "Operation")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (client_error("AccessDeniedException"), errors.AccessRefusedError),
        (client_error("AccessDenied", 403), errors.AccessRefusedError),
        (client_error("ThrottlingException"), errors.TransientAwsError),
        (client_error("ProvisionedThroughputExceededException"), errors.TransientAwsError),
        (client_error("SlowDown", 503), errors.TransientAwsError),
        (client_error("Whatever", 500), errors.TransientAwsError),
        (client_error("ValidationException"), errors.AwsError),
        (EndpointConnectionError(endpoint_url="https://example.org"), errors.TransientAwsError),
        (NoCredentialsError(), errors.AwsError),
    ],
)
def test_errors_are_translated(raised, expected):
    with pytest.raises(errors.AwsError) as caught, clients.translated("Doing something"):
        raise raised
    assert type(caught.value) is expected
    assert str(caught.value).startswith("Doing something failed: ")


class TestRuntime:
    """Live endpoints, as botocore's stubs play them."""

    @pytest.fixture
    def runtime(self, aws: None) -> Iterator[Stubber]:
        with Stubber(clients.client("sagemaker-runtime")) as stubber:
            yield stubber

    def invoke(self) -> EndpointAnswer:
        return SageMakerRuntime().invoke("retrain-mnist", "text/csv", b"4,2")

    def test_an_answer(self, runtime):
        body = StreamingBody(io.BytesIO(b"[7]"), 3)
        asked = {"EndpointName": "retrain-mnist", "ContentType": "text/csv", "Body": b"4,2"}
        runtime.add_response("invoke_endpoint", {"Body": body}, {**asked, "Accept": "application/json"})
        assert self.invoke() == EndpointAnswer(b"[7]")

    @pytest.mark.parametrize(
        ("more", "fault"),
        [
            ({"OriginalStatusCode": 500, "OriginalMessage": "ill\n"}, "answered with status 500: ill?"),
            ({"OriginalStatusCode": 415, "OriginalMessage": ""}, "answered with status 415"),
            ({"OriginalStatusCode": 0, "OriginalMessage": "timed out"}, "did not answer: timed out"),
            ({}, "did not answer"),
        ],
    )
    def test_what_the_model_gets_wrong_is_no_error_of_ours(self, runtime, more, fault):
        runtime.add_client_error("invoke_endpoint", "ModelError", "Received ...", 424, modeled_fields=more)
        assert self.invoke() == EndpointAnswer(b"", f"the model {fault}")

    def test_a_model_that_takes_too_long(self, aws, monkeypatch):
        def hang(**_: object) -> None:
            raise ReadTimeoutError(endpoint_url="https://example.org")

        monkeypatch.setattr(clients.client("sagemaker-runtime"), "invoke_endpoint", hang)
        assert self.invoke() == EndpointAnswer(b"", "the model did not answer in time")

    @pytest.mark.parametrize(
        ("code", "status", "error"),
        [
            ("ModelNotReadyException", 429, errors.TransientAwsError),
            ("ThrottlingException", 429, errors.TransientAwsError),
            ("ServiceUnavailable", 503, errors.TransientAwsError),
            ("InternalDependencyException", 530, errors.TransientAwsError),
            ("AccessDeniedException", 403, errors.AccessRefusedError),
            ("ValidationError", 400, errors.AwsError),
        ],
    )
    def test_what_sagemaker_gets_wrong_is(self, runtime, code, status, error):
        runtime.add_client_error("invoke_endpoint", code, "No.", status)
        with pytest.raises(errors.AwsError, match=r"^Invoking the endpoint retrain-mnist failed: ") as caught:
            self.invoke()
        assert type(caught.value) is error


def test_a_serverless_endpoint_config_says_so(aws):
    sagemaker = clients.client("sagemaker")
    role = f"arn:aws:iam::{stack.ACCOUNT}:role/training"
    container = {"Image": stack.IMAGE, "ModelDataUrl": "s3://artifacts/model.tar.gz"}
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer=container)
    for name, served in {
        "serverless": {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}},
        "realtime": {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1},
    }.items():
        variant = {"VariantName": "AllTraffic", "ModelName": "m", **served}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        assert SageMakerEndpoints().served_model(name) == ServedModel(
            "m", "s3://artifacts/model.tar.gz", name
        )


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), clients.translated("Dividing"):
        _ = 1 / 0


@given(JSON)
def test_the_ledger_holds_every_json_value(value):
    assert ledger.from_attribute(ledger.to_attribute(value)) == value


@pytest.mark.parametrize(
    ("number", "held"),
    [
        (1e-214, 0),
        (-1e-131, 0),
        (1e-130, 1e-130),
        (1e200, 9.999999999999999e125),
        (-1e126, -9.999999999999999e125),
        (0, 0),
    ],
)
def test_the_ledger_holds_the_nearest_number_that_dynamodb_knows(number, held):
    assert ledger.from_attribute(ledger.to_attribute(number)) == held


def test_the_ledger_refuses_what_is_no_json():
    with pytest.raises(TypeError, match="Decimal"):
        ledger.to_attribute(Decimal(1))


@pytest.mark.usefixtures("aws")
class TestWithAws:
    """Against moto."""

    def test_listing_goes_past_a_page(self):
        bucket = stack.NAMES["DataBucket"]
        for number in range(1_005):
            clients.client("s3").put_object(Bucket=bucket, Key=f"datasets/mnist/{number:04d} ü+%", Body=b"x")
        found = list(S3Storage().list_objects(bucket, "datasets/mnist/"))
        assert len(found) == 1_005
        assert found[7].key == "datasets/mnist/0007 ü+%"
        assert found[7].etag == "9dd4e461268c8034f5c8564e155c67a6"
        assert found[7].last_modified.tzinfo is not None

    def test_objects_that_are_not_there(self):
        with pytest.raises(errors.ObjectMissingError, match="There is no s3://"):
            S3Storage().read(stack.NAMES["DataBucket"], "nothing")
        with pytest.raises(errors.AwsError, match="NoSuchBucket"):
            list(S3Storage().list_objects("no-such-bucket-anywhere", ""))

    def test_what_was_written_is_read(self):
        storage, bucket = S3Storage(), stack.NAMES["ArtifactsBucket"]
        storage.write(bucket, "runs/r/run.json", b"{}", "application/json")
        assert storage.read(bucket, "runs/r/run.json") == b"{}"

    def test_records_of_runs_and_champions(self):
        table = DynamoLedger(stack.NAMES["LedgerTable"])
        assert table.get_run("r1") is None
        record = {
            "run_id": "r1",
            "kind": "run",
            "started_at": "2026",
            "decision": {"metrics": {"accuracy": 0.98}},
        }
        table.put_run(record)
        assert table.get_run("r1") == record
        champion = {"endpoint_name": "e", "kind": "champion", "started_at": "2026", "previous": None}
        table.put_champion(champion)
        assert table.get_champion("e") == champion
        assert table.get_champion("other") is None

    def test_executions(self):
        machine = StepFunctionsMachine(stack.NAMES["StateMachine"])
        request = {"dataset": {"name": "mnist"}}
        assert machine.describe("mnist-0-1") is None
        assert machine.start("mnist-0-1", request)
        assert not machine.start("mnist-0-1", {"dataset": {"name": "other"}})
        known = machine.describe("mnist-0-1")
        assert known is not None
        assert known.status in {"RUNNING", "SUCCEEDED"}
        arn = f"{stack.NAMES['StateMachine'].replace('stateMachine', 'execution')}:mnist-0-1"
        answer = clients.client("stepfunctions").describe_execution(executionArn=arn)
        assert json.loads(answer["input"]) == request

    def test_endpoints(self):
        endpoints, sagemaker = SageMakerEndpoints(), clients.client("sagemaker")
        assert endpoints.describe("retrain-mnist") is None
        assert endpoints.served_model("config") is None
        container = {"Image": stack.IMAGE, "ModelDataUrl": "s3://artifacts/model.tar.gz"}
        role = stack.arn("SageMakerRole")
        sagemaker.create_model(ModelName="model", PrimaryContainer=container, ExecutionRoleArn=role)
        variant = {"VariantName": "AllTraffic", "ModelName": "model", "InstanceType": "ml.m5.large"}
        variant |= {"InitialInstanceCount": 1, "InitialVariantWeight": 1.0}
        sagemaker.create_endpoint_config(EndpointConfigName="config", ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName="retrain-mnist", EndpointConfigName="config")
        endpoint = endpoints.describe("retrain-mnist")
        assert endpoint is not None
        assert (endpoint.status, endpoint.endpoint_config_name) == ("InService", "config")
        model = endpoints.served_model("config")
        assert model is not None
        assert model.model_data_url == "s3://artifacts/model.tar.gz"
        sagemaker.delete_model(ModelName="model")
        assert endpoints.served_model("config") is None
