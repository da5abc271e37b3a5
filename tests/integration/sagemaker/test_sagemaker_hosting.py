"""Models, endpoint configs and endpoints of the local SageMaker, with a tiny image."""

from __future__ import annotations

import collections
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/training"
BUCKET = "sagemaker-tests"
ARN = "arn:aws:sagemaker:us-east-1:000000000000"


def test_an_endpoint_comes_up_answers_and_goes(tiny):
    model = tiny.model("seven", LABEL="x")
    config = tiny.config(model)
    name = tiny.name("endpoint")
    arn = tiny.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)["EndpointArn"]
    assert arn == f"{ARN}:endpoint/{name}"
    assert tiny.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] in ("Creating", "InService")
    endpoint = tiny.settled(name)
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["EndpointConfigName"] == config
    assert "PendingDeploymentSummary" not in endpoint
    (variant,) = endpoint["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (
        "A",
        1.0,
        1,
    )

    answer = tiny.runtime.invoke_endpoint(
        EndpointName=name,
        Body=b"hello",
        ContentType="text/plain",
        Accept="text/x",
        CustomAttributes="trace=1",
    )
    assert answer["InvokedProductionVariant"] == "A"
    assert answer["ContentType"] == "application/json"
    assert answer["CustomAttributes"] == "trace=1"
    body = tiny.ask(name, "hello", ContentType="text/plain", Accept="text/x")
    assert {key: body[key] for key in ("answer", "bytes", "content_type", "accept")} == {
        "answer": "seven",
        "bytes": 5,
        "content_type": "text/plain",
        "accept": "text/x",
    }
    tiny.wait_until(
        lambda: "answering 5 bytes" in tiny.lines(f"/aws/sagemaker/Endpoints/{name}", "A/"),
        what="the log line",
    )

    tiny.sagemaker.delete_endpoint(EndpointName=name)
    tiny.wait_until(lambda: not psutil.pid_exists(body["pid"]), what="the end of the server")

    def gone() -> bool:
        try:
            tiny.sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            return f'Could not find endpoint "{arn}".' in str(error)
        return False

    tiny.wait_until(gone, what="the endpoint's absence")
    with pytest.raises(tiny.runtime.exceptions.ClientError, match="of account 000000000000 not found"):
        tiny.ask(name)


def test_a_model_that_does_not_load_fails_the_endpoint_with_its_last_words(tiny):
    model = tiny.model(BROKEN="weights of another network")
    name = tiny.name("endpoint")
    tiny.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=tiny.config(model))
    endpoint = tiny.settled(name)
    assert endpoint["EndpointStatus"] == "Failed"
    assert endpoint["FailureReason"] == (
        "The primary container for production variant A did not pass the ping health check. Please check "
        "CloudWatch logs for this endpoint. The container exited with code 1: "
        "RuntimeError: weights of another network"
    )
    with pytest.raises(ClientError, match="in status Failed"):
        tiny.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=tiny.config(tiny.model()))
    tiny.sagemaker.delete_endpoint(EndpointName=name)


def test_a_server_that_never_becomes_healthy_fails_the_endpoint_in_time(tiny):
    # 60 seconds is the least that the API takes; the platform's own tests shorten it.
    model = tiny.model(PING_STATUS="503")
    name = tiny.name("endpoint")
    config = tiny.config(model, ContainerStartupHealthCheckTimeoutInSeconds=60)
    tiny.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    time.sleep(0.5)
    described = tiny.sagemaker.describe_endpoint(EndpointName=name)
    assert described["EndpointStatus"] == "Creating"
    (variant,) = described["PendingDeploymentSummary"]["ProductionVariants"]
    assert variant["VariantStatus"][0]["StatusMessage"] == "Launching 1 instance(s)."
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (0, 1)
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        tiny.sagemaker.delete_endpoint(EndpointName=name)


def test_a_missing_artifact_fails_the_endpoint(tiny):
    model = tiny.name("model")
    url = f"s3://{BUCKET}/models/nothing/model.tar.gz"
    tiny.sagemaker.create_model(
        ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "tiny:1", "ModelDataUrl": url}
    )
    name = tiny.name("endpoint")
    tiny.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=tiny.config(model))
    reason = tiny.settled(name)["FailureReason"]
    assert reason.startswith(f'Failed to download model data for container "container_1" from URL: "{url}".')


def test_an_artifact_that_would_reach_outside_its_folder_fails_the_endpoint(tiny):
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("../../evil.txt")
        member.size = 4
        tar.addfile(member, io.BytesIO(b"evil"))
    model = tiny.name("model")
    tiny.s3.put_object(Bucket=BUCKET, Key=f"models/{model}/model.tar.gz", Body=buffer.getvalue())
    tiny.sagemaker.create_model(
        ModelName=model,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": "tiny:1", "ModelDataUrl": f"s3://{BUCKET}/models/{model}/model.tar.gz"},
    )
    name = tiny.name("endpoint")
    tiny.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=tiny.config(model))
    assert "outside the destination" in tiny.settled(name)["FailureReason"]


def test_requests_are_shared_out_by_weight_and_by_name(tiny):
    config = tiny.config(tiny.model("a"), tiny.model("b"), weights=(3, 1))
    name = tiny.deploy(config)
    with ThreadPoolExecutor(8) as pool:
        answers = collections.Counter(answer["answer"] for answer in pool.map(tiny.ask, [name] * 200))
    assert set(answers) == {"a", "b"}
    assert 110 < answers["a"] < 190
    assert {tiny.ask(name, TargetVariant="B")["answer"] for _ in range(5)} == {"b"}
    with pytest.raises(ClientError, match="Variant C of endpoint"):
        tiny.ask(name, TargetVariant="C")
    tiny.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "A", "DesiredWeight": 0}],
    )
    assert tiny.settled(name)["ProductionVariants"][0]["CurrentWeight"] == 0
    assert {tiny.ask(name)["answer"] for _ in range(20)} == {"b"}


def test_an_update_switches_without_losing_a_request(tiny):
    name = tiny.deploy(tiny.config(tiny.model("old")))
    first = tiny.ask(name)
    answers: list[str] = []
    errors: list[Exception] = []
    done = threading.Event()

    def ask_on() -> None:
        while not done.is_set():
            try:
                answers.append(tiny.ask(name)["answer"])
            except ClientError as error:
                errors.append(error)

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(ask_on)
        config = tiny.config(tiny.model("new"))
        tiny.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
        during = tiny.sagemaker.describe_endpoint(EndpointName=name)
        endpoint = tiny.settled(name)
        tiny.wait_until(lambda: answers[-20:] == ["new"] * 20, what="the new model")
        done.set()
    assert not errors
    assert during["EndpointStatus"] == "Updating"
    assert during["PendingDeploymentSummary"]["EndpointConfigName"] == config
    assert endpoint["EndpointConfigName"] == config
    assert "PendingDeploymentSummary" not in endpoint
    assert answers[0] == "old"
    assert not psutil.pid_exists(first["pid"])


def test_an_update_that_does_not_come_up_leaves_the_old_config_serving(tiny):
    config = tiny.config(tiny.model("old"))
    name = tiny.deploy(config)
    tiny.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=tiny.config(tiny.model(BROKEN="no")))
    with pytest.raises(ClientError, match=f'Cannot update in-progress endpoint "{ARN}:endpoint/{name}"'):
        tiny.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    endpoint = tiny.settled(name)
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["EndpointConfigName"] == config
    assert "did not pass the ping health check" in endpoint["FailureReason"]
    assert tiny.ask(name)["answer"] == "old"
    config = tiny.config(tiny.model("new"))
    tiny.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    endpoint = tiny.settled(name)
    assert endpoint["EndpointConfigName"] == config
    assert "FailureReason" not in endpoint


def test_what_the_model_says_of_a_bad_request_reaches_the_caller(tiny):
    name = tiny.deploy(tiny.config(tiny.model()))
    for status, who in ((400, "client"), (500, "server")):
        with pytest.raises(tiny.runtime.exceptions.ModelError) as refused:
            tiny.ask(name, f"status {status}")
        answer = refused.value.response
        assert answer["OriginalStatusCode"] == status
        assert answer["OriginalMessage"] == '{"error": "as you wish"}'
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert answer["Error"]["Message"].startswith(
            f"Received {who} error ({status}) from primary with message"
        )
        assert f"/aws/sagemaker/Endpoints/{name}" in answer["LogStreamArn"]
    with pytest.raises(ClientError, match="HTTP content length exceeded 6291456 bytes"):
        tiny.ask(name, "x" * 6_291_457)
    assert tiny.ask(name, "x" * 6_291_456)["bytes"] == 6_291_456


def test_a_server_that_dies_is_restarted(tiny):
    name = tiny.deploy(tiny.config(tiny.model()))
    before = tiny.ask(name)["pid"]
    with pytest.raises(ClientError):
        tiny.ask(name, "die")

    def answers() -> int | None:
        try:
            return int(tiny.ask(name)["pid"])
        except ClientError:
            return None

    assert tiny.wait_until(answers, what="an answer") != before
    lines = tiny.lines(f"/aws/sagemaker/Endpoints/{name}", "A/")
    assert any("exited with code 7; restart 1 of 5" in line for line in lines)


def test_configs_name_models_that_exist_and_things_are_created_once(tiny):
    model, config = tiny.model(), tiny.name("config")
    with pytest.raises(ClientError, match=f'Could not find model "{ARN}:model/nobody"'):
        tiny.config("nobody")
    with pytest.raises(ClientError, match="Cannot create already existing model"):
        tiny.sagemaker.create_model(
            ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "tiny:1"}
        )
    with pytest.raises(
        ClientError, match=f'Could not find endpoint configuration "{ARN}:endpoint-config/{config}"'
    ):
        tiny.sagemaker.create_endpoint(EndpointName="e", EndpointConfigName=config)
    with pytest.raises(ClientError, match="Invalid ModelDataUrl"):
        tiny.sagemaker.create_model(
            ModelName=tiny.name("model"),
            ExecutionRoleArn=ROLE,
            PrimaryContainer={"Image": "tiny:1", "ModelDataUrl": "s3://bucket/model.zip"},
        )


def test_what_an_endpoint_serves_may_be_deleted_under_it(tiny):
    model = tiny.model("still here")
    config = tiny.config(model)
    name = tiny.deploy(config)
    tiny.sagemaker.delete_endpoint_config(EndpointConfigName=config)
    tiny.sagemaker.delete_model(ModelName=model)
    assert tiny.ask(name)["answer"] == "still here"


def test_a_serverless_variant_and_an_unpacked_model_are_served(tiny):
    prefix = tiny.put(weights_txt="loose")
    model = tiny.name("model")
    source = {"S3Uri": prefix, "S3DataType": "S3Prefix", "CompressionType": "None"}
    tiny.sagemaker.create_model(
        ModelName=model,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": "tiny:1", "ModelDataSource": {"S3DataSource": source}},
    )
    config = tiny.name("config")
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    tiny.sagemaker.create_endpoint_config(
        EndpointConfigName=config,
        ProductionVariants=[{"VariantName": "A", "ModelName": model, "ServerlessConfig": serverless}],
    )
    name = tiny.deploy(config)
    assert tiny.ask(name)["answer"] == "loose"
    (variant,) = tiny.settled(name)["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == serverless
