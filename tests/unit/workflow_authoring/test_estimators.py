"""Estimators: images, source code, hyperparameters, and the names of older versions."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from retrain.workflow.errors import (
    EstimatorError,
    MissingRequiredParameterError,
    UnknownFieldError,
)
from retrain.workflow.estimators import (
    DataCaptureConfig,
    Estimator,
    Model,
    PipelineModel,
    PyTorch,
    Session,
    SKLearn,
    TensorFlow,
    TrainingInput,
    XGBoost,
    s3_input,
)
from retrain.workflow.inputs import ExecutionInput
from tests.unit.workflow_authoring.conftest import ROLE

CPU, GPU = "ml.c5.xlarge", "ml.g5.xlarge"


@pytest.fixture
def program(tmp_path):
    folder = tmp_path / "code"
    (folder / "pkg" / "__pycache__").mkdir(parents=True)
    (folder / "train.py").write_text("print('train')")
    (folder / "pkg" / "net.py").write_text("x = 1")
    (folder / "pkg" / "__pycache__" / "net.cpython-311.pyc").write_bytes(b"junk")
    return folder


def pytorch(program, **arguments: Any) -> PyTorch:
    settings = {
        "entry_point": "train.py",
        "source_dir": str(program),
        "role": ROLE,
        "framework_version": "2.6.0",
        "instance_count": 2,
        "instance_type": CPU,
        "output_path": "s3://bucket/out",
    }
    return PyTorch(**{**settings, **arguments})


@pytest.mark.parametrize(
    ("kind", "version", "instance", "region", "account", "image"),
    [
        (PyTorch, "2.6.0", CPU, "us-east-1", "763104351884", "pytorch-training:2.6.0-cpu-py312"),
        (PyTorch, "2.10.0", GPU, "eu-central-1", "763104351884", "pytorch-training:2.10.0-gpu-py313"),
        (
            PyTorch,
            "1.13.1",
            "ml.p3.2xlarge",
            "cn-north-1",
            "727897471807",
            "pytorch-training:1.13.1-gpu-py39",
        ),
        (PyTorch, "2.1.0", "ml.g5g.xlarge", "us-west-2", "763104351884", "pytorch-training:2.1.0-cpu-py310"),
        (TensorFlow, "2.12.0", CPU, "us-east-1", "763104351884", "tensorflow-training:2.12.0-cpu-py310"),
        (SKLearn, "1.2-1", CPU, "us-east-1", "683313688378", "sagemaker-scikit-learn:1.2-1-cpu-py3"),
        (XGBoost, "1.7-1", GPU, "eu-west-1", "141502667606", "sagemaker-xgboost:1.7-1-cpu-py3"),
    ],
)
def test_the_image_of_a_framework(kind, version, instance, region, account, image, program):
    estimator = kind(
        entry_point="train.py",
        source_dir=str(program),
        role=ROLE,
        framework_version=version,
        instance_count=1,
        instance_type=instance,
        sagemaker_session=Session(region=region),
    )
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    assert estimator.training_image_uri() == f"{account}.dkr.ecr.{region}.{suffix}/{image}"


def test_an_image_that_is_not_known_gets_a_sentence(program):
    with pytest.raises(EstimatorError, match="Give image_uri"):
        pytorch(program, framework_version="2.13.0").training_image_uri()
    with pytest.raises(EstimatorError, match=r"such as '2\.6\.0'"):
        pytorch(program, framework_version="latest").training_image_uri()
    with pytest.raises(EstimatorError, match="images so old are not known"):
        pytorch(program, framework_version="0.4.0").training_image_uri()
    placeholder = ExecutionInput()["type"]
    with pytest.raises(EstimatorError, match="leaves open whether it has a GPU"):
        pytorch(program, instance_type=placeholder).training_image_uri()
    own = pytorch(program, framework_version=None, image_uri="own:1", instance_type=placeholder)
    assert own.training_image_uri() == "own:1"
    with pytest.raises(EstimatorError, match="whose account"):
        SKLearn(
            entry_point="train.py",
            role=ROLE,
            framework_version="1.2-1",
            instance_type=CPU,
            sagemaker_session=Session(region="mars-1"),
        ).training_image_uri()


def test_serving_takes_the_last_image_there_is_and_says_so(program):
    model = pytorch(program).create_model()
    assert model.serving_image_uri(CPU).endswith("pytorch-inference:2.6.0-cpu-py312")
    later = pytorch(program, framework_version="2.10.0").create_model()
    with pytest.warns(
        UserWarning, match="no image for serving PyTorch 2.10.0: the last one, 2.6.0-gpu-py312"
    ):
        assert later.serving_image_uri(GPU).endswith("pytorch-inference:2.6.0-gpu-py312")


def test_the_source_is_packed_the_same_way_every_time(program):
    estimator = pytorch(program)
    source = estimator.source
    again = pytorch(program, entry_point="train.py").source
    assert (source.uri, source.content) == (again.uri, again.content)
    assert source.uri == f"s3://bucket/train-{source.digest[:12]}/source/sourcedir.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(source.content)) as tar:
        assert tar.getnames() == ["pkg/net.py", "train.py"]
        assert {member.mtime for member in tar} == {0}
    (program / "train.py").write_text("print('changed')")
    assert pytorch(program).source.uri != source.uri


def test_a_single_program_and_its_dependencies(program, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "util.py").write_text("y = 2")
    estimator = pytorch(
        program,
        entry_point=str(program / "train.py"),
        source_dir=None,
        dependencies=[str(shared), str(program / "pkg" / "net.py")],
        code_location="s3://code/below",
    )
    with tarfile.open(fileobj=io.BytesIO(estimator.source.content)) as tar:
        assert tar.getnames() == ["net.py", "shared/util.py", "train.py"]
    assert estimator.source.uri.startswith("s3://code/below/train-")
    assert estimator.program() == "train.py"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"entry_point": "absent.py"}, "no file in the source_dir"),
        ({"source_dir": "/nowhere"}, "no folder"),
        ({"entry_point": "/nowhere/train.py", "source_dir": None}, "is no file"),
        ({"dependencies": ["/nowhere"]}, "dependency /nowhere does not exist"),
        ({"code_location": "bucket"}, "S3 URI such as"),
        ({"distribution": {"horovod": {}}}, "not 'horovod'"),
        ({"entry_point": ExecutionInput()["program"], "source_dir": None}, "needs source_dir"),
    ],
)
def test_a_source_that_cannot_be_packed_gets_a_sentence(program, changes, sentence):
    with pytest.raises((EstimatorError, MissingRequiredParameterError), match=sentence):
        pytorch(program, **changes).hyperparameters()


def test_the_source_is_uploaded_unless_it_is_there(program):
    client = boto3.client("s3", aws_access_key_id="a", aws_secret_access_key="b")

    class BotoSession:
        region_name = "us-east-1"

        def client(self, service: str, region_name: str | None = None) -> Any:
            assert service == "s3"
            return client

    estimator = pytorch(program, sagemaker_session=Session(BotoSession()))
    key = estimator.source.key
    with Stubber(client) as stub:
        stub.add_client_error("head_object", "404", http_status_code=404)
        stub.add_response("put_object", {}, {"Bucket": "bucket", "Key": key, "Body": ANY})
        stub.add_response("head_object", {}, {"Bucket": "bucket", "Key": key})
        assert estimator.upload() == estimator.upload() == estimator.source.uri
        stub.assert_no_pending_responses()
        stub.add_client_error("head_object", "404", http_status_code=404)
        stub.add_client_error("put_object", "NoSuchBucket", http_status_code=404)
        with pytest.raises(EstimatorError, match="no bucket 'bucket'"):
            estimator.upload()
    assert pytorch(program, source_dir="s3://there/src.tar.gz").upload() is None


def test_the_hyperparameters_of_script_mode(program):
    placeholder = ExecutionInput(schema={"rate": float, "name": str})
    estimator = pytorch(
        program,
        hyperparameters={"epochs": 2, "backend": "gloo", "on": True, "layers": [1, 2]},
        distribution={
            "torch_distributed": {"enabled": True},
            "mpi": {"enabled": True, "processes_per_host": 2},
        },
    )
    estimator.set_hyperparameters(rate=placeholder["rate"], name=placeholder["name"])
    found = estimator.hyperparameters()
    assert found["rate"].to_jsonpath() == "States.Format('{}', $$.Execution.Input['rate'])"
    assert found["name"] is placeholder["name"]
    texts = {name: value for name, value in found.items() if isinstance(value, str)}
    assert {name: json.loads(value) for name, value in texts.items()} == {
        "epochs": 2,
        "backend": "gloo",
        "on": True,
        "layers": [1, 2],
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": estimator.source.uri,
        "sagemaker_container_log_level": 20,
        "sagemaker_region": "us-east-1",
        "sagemaker_torch_distributed_enabled": True,
        "sagemaker_mpi_enabled": True,
        "sagemaker_mpi_num_of_processes_per_host": 2,
        "sagemaker_mpi_custom_mpi_options": "",
    }


def test_the_hyperparameters_of_other_images_are_texts():
    estimator = Estimator("image:1", ROLE, 1, CPU, hyperparameters={"k": 5, "on": True, "name": "a"})
    assert estimator.hyperparameters() == {"k": "5", "on": "True", "name": "a"}


def test_the_names_of_older_versions_work_with_a_warning(program):
    with pytest.warns(DeprecationWarning, match="is called") as warned:
        old = Estimator(
            image_name="image:1",
            role=ROLE,
            train_instance_count=1,
            train_instance_type=CPU,
            train_volume_size=20,
            train_max_run=3600,
            train_use_spot_instances=True,
            train_max_wait=7200,
            output_path="s3://b/o",
        )
    assert {str(each.message).split("'")[1] for each in warned} == {
        "image_name",
        "train_instance_count",
        "train_instance_type",
        "train_volume_size",
        "train_max_run",
        "train_use_spot_instances",
        "train_max_wait",
    }
    assert all(each.filename == __file__ for each in warned)
    new = Estimator(
        "image:1",
        ROLE,
        1,
        CPU,
        volume_size=20,
        max_run=3600,
        use_spot_instances=True,
        max_wait=7200,
        output_path="s3://b/o",
    )
    assert old.training_request("s3://b/data") == new.training_request("s3://b/data")
    with pytest.warns(DeprecationWarning, match="'train_instance_type' is called 'instance_type'"):
        by_framework = pytorch(program, instance_type=None, train_instance_type=CPU)
    assert by_framework.instance_type == CPU
    with pytest.warns(DeprecationWarning, match="TrainingInput"):
        assert s3_input("s3://b/d").config == TrainingInput("s3://b/d").config
    with pytest.warns(DeprecationWarning, match="'image' is called 'image_uri'"):
        assert Model(image="i:1").image_uri == "i:1"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Estimator("i", ROLE, 1), "Estimator needs instance_type"),
        (lambda: Estimator(role=ROLE, instance_count=1, instance_type=CPU), "needs image_uri"),
        (lambda: Estimator("i", ROLE, 1, CPU, use_spot_instances=True), "needs max_wait"),
        (
            lambda: PyTorch(role=ROLE, framework_version="2.6.0", instance_count=1, instance_type=CPU),
            "needs entry_point",
        ),
        (
            lambda: PyTorch("t.py", role=ROLE, instance_count=1, instance_type=CPU),
            "needs framework_version, or image_uri",
        ),
        (lambda: Model().request("name"), "needs role|needs image_uri"),
        (lambda: PipelineModel([], ROLE), "needs models"),
        (lambda: DataCaptureConfig(True), "destination_s3_uri"),
    ],
)
def test_what_is_missing_gets_a_sentence(make, sentence):
    with pytest.raises((MissingRequiredParameterError, EstimatorError), match=sentence):
        make()


def test_unknown_arguments_are_refused_with_the_nearest_name():
    with pytest.raises(UnknownFieldError, match="did you mean 'instance_type'"):
        Estimator("i", ROLE, 1, CPU, instancetype=CPU)
    with pytest.raises(UnknownFieldError, match="the old name of 'instance_count'"):
        Estimator("i", ROLE, 1, CPU, train_instance_count=2)


def test_everything_that_a_training_job_can_be_told():
    estimator = Estimator(
        "image:1",
        ROLE,
        1,
        CPU,
        output_path="s3://b/o",
        output_kms_key="k1",
        volume_kms_key="k2",
        subnets=["s"],
        security_group_ids=["g"],
        use_spot_instances=True,
        max_wait=100000,
        checkpoint_s3_uri="s3://b/c",
        environment={"A": "b"},
        enable_network_isolation=True,
        encrypt_inter_container_traffic=True,
        max_retry_attempts=3,
        debugger_hook_config=False,
        disable_profiler=True,
        metric_definitions=[{"Name": "m", "Regex": "r"}],
    )
    assert estimator.training_request(
        {"a": "s3://b/a", "b": TrainingInput("s3://b/b", content_type="text/csv")}
    ) == {
        "AlgorithmSpecification": {
            "TrainingImage": "image:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "m", "Regex": "r"}],
        },
        "OutputDataConfig": {"S3OutputPath": "s3://b/o", "KmsKeyId": "k1"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400, "MaxWaitTimeInSeconds": 100000},
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": CPU,
            "VolumeSizeInGB": 30,
            "VolumeKmsKeyId": "k2",
        },
        "RoleArn": ROLE,
        "InputDataConfig": [
            {
                "ChannelName": "a",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": "s3://b/a",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            },
            {
                "ChannelName": "b",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": "s3://b/b",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
                "ContentType": "text/csv",
            },
        ],
        "Environment": {"A": "b"},
        "VpcConfig": {"SecurityGroupIds": ["g"], "Subnets": ["s"]},
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": "s3://b/c"},
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
        "RetryStrategy": {"MaximumRetryAttempts": 3},
        "ProfilerConfig": {"DisableProfiler": True},
    }


@pytest.mark.parametrize("data", ["bucket/key", 5, {"train": 5}, [TrainingInput("s3://b/a")]])
def test_what_is_no_data_gets_a_sentence(data):
    with pytest.raises(EstimatorError):
        Estimator("i", ROLE, 1, CPU, output_path="s3://b/o").training_request(data)


def test_what_was_not_given_is_asked_of_the_account():
    class BotoSession:
        region_name = "eu-west-1"

        def client(self, service: str, region_name: str | None = None) -> Any:
            return {"sts": Sts, "iam": Iam}[service]()

    class Sts:
        def get_caller_identity(self) -> Any:
            return {"Account": "111122223333"}

    class Iam:
        def get_role(self, **request: str) -> Any:
            return {"Role": {"Arn": f"arn:{request['RoleName']}"}}

    estimator = Estimator("i", "TrainingRole", 1, CPU, sagemaker_session=Session(BotoSession()))
    request = estimator.training_request("s3://b/d")
    assert request["OutputDataConfig"]["S3OutputPath"] == "s3://sagemaker-eu-west-1-111122223333/"
    assert request["RoleArn"] == "arn:TrainingRole"


def test_no_region_gets_a_sentence(program, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(EstimatorError, match="No AWS region is set"):
        pytorch(program).training_image_uri()
