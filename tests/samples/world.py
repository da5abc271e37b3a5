"""What the events in ``events/`` speak of: the stack of template.yaml with some content, in any cloud.

In moto for the tests of the handlers, and in the local cloud for the functions in their containers. Its
account is that of the events; the local cloud takes an access key of twelve digits for the account's number.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from tests.unit.functions import stack
from tests.unit.functions.fakes import labels_csv, output_archive, predictions_csv
from tests.unit.functions.states import RUN_ID

LABELS = [str(row % 10) for row in range(100)]
MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST = (
    '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", '
    '"config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2, '
    '"digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}, "layers": []}'
)
DIGEST = "sha256:8a5735c970941d62db8421d4465921bd32db8ec973ad5779a72ed764fb182bf4"
"""Of that manifest; the events about pushed images name it."""

TOKEN = "AQCEAAAAKgAAAAMAAAAAAAAAAdmVyeSBzZWNyZXQgdGFzayB0b2tlbg=="
"""Under which a run waits for approval, says the ledger."""

PIPELINE_BUCKET = "retrain-pipeline-artifacts"
OBJECTS = {
    "datasets/mnist/train-images-idx3-ubyte.gz": b"images",
    "datasets/mnist/train-labels-idx1-ubyte.gz": b"labels",
    "datasets/mnist/_SUCCESS": b"",
    "datasets/mnist/manifest.json": (
        b'{"files": ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]}'
    ),
    "datasets/partial/manifest.json": b'{"files": ["rows-1.csv", "rows-2.csv"]}',
    "datasets/partial/rows-1.csv": b"1,2\n",
    "datasets/fresh/rows.csv": b"1,2\n",
    "datasets/fresh/manifest.json": b"rows.csv",
    "holdout/mnist/labels.csv": labels_csv(LABELS),
}


class World:
    """The stack and its content.

    Parameters
    ----------
    client
        Makes clients of a service, all in the account and region of the events.
    pipelines_client
        Makes them in the account whose keys the jobs of CodePipeline carry; in AWS that is the same one.
    """

    def __init__(
        self, client: Callable[[str], Any], pipelines_client: Callable[[str], Any] | None = None
    ) -> None:
        self._client = client
        self._pipelines_client = pipelines_client or client

    def create(self) -> None:
        """Make everything; there is nothing yet."""
        stack.create(self._client)
        s3 = self._client("s3")
        for key, body in OBJECTS.items():
            s3.put_object(Bucket=stack.NAMES["DataBucket"], Key=key, Body=body)
        output = output_archive(predictions=predictions_csv(LABELS, LABELS))
        key = f"runs/{RUN_ID}/training/retrain-{RUN_ID}-r0t0/output/output.tar.gz"
        s3.put_object(Bucket=stack.NAMES["ArtifactsBucket"], Key=key, Body=output)
        self._push_images()
        self._pipeline_artifacts()
        self._register_packages()
        self._earlier_runs()
        self._client("sqs").create_queue(QueueName="DelayQueue")
        self._client("sqs").create_queue(QueueName="inbox")
        self._client("sns").subscribe(
            TopicArn=stack.NAMES["NotificationTopic"],
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:{stack.REGION}:{stack.ACCOUNT}:inbox",
        )

    def _earlier_runs(self) -> None:
        """A champion, a run that was rejected and not told, and an endpoint that newer data got to first."""
        run_id = "mnist-fedcba987654-1"
        place = f"arn:aws:states:{stack.REGION}:{stack.ACCOUNT}:execution:retrain"
        run = {
            "run_id": run_id,
            "execution_arn": f"{place}:{run_id}",
            "outcome": "REJECTED",
            "dataset": "mnist",
            "finished_at": "2026-01-31T12:10:00.000Z",
        }
        for pk, sk, item in (
            (f"RUN#{run_id}", "RUN", run),
            ("ENDPOINT#retrain-mnist", "CHAMPION", {"run_id": "mnist-aaaaaaaaaaaa-1"}),
        ):
            attributes = {name: {"S": value} for name, value in {"pk": pk, "sk": sk, **item}.items()}
            self._client("dynamodb").put_item(TableName=stack.NAMES["LedgerTable"], Item=attributes)

        claim: dict[str, dict[str, str]] = {
            **{name: {"S": text} for name, text in (("pk", "ENDPOINT#retrain-renewed"), ("sk", "CLAIM"))},
            **{name: {"N": number} for name, number in (("order", "2"), ("turn", "1"))},
            "run_id": {"S": "renewed-fedcba987654-1"},
        }
        self._client("dynamodb").put_item(TableName=stack.NAMES["LedgerTable"], Item=claim)

    def _push_images(self) -> None:
        ecr = self._client("ecr")
        with contextlib.suppress(ecr.exceptions.RepositoryAlreadyExistsException):
            ecr.create_repository(repositoryName="retrain-training")
        for tag in ("1.0", "2.0"):
            with contextlib.suppress(ecr.exceptions.ImageAlreadyExistsException):
                ecr.put_image(
                    repositoryName="retrain-training",
                    imageManifest=MANIFEST,
                    imageManifestMediaType=MEDIA_TYPE,
                    imageDigest=DIGEST,  # AWS would compute it; moto makes one up
                    imageTag=tag,
                )

    def _register_packages(self) -> None:
        """Packages as the registry has them by now: not decided, approved, rejected, not decided for days."""
        sagemaker, group = self._client("sagemaker"), stack.arn("ModelPackageGroup").rpartition("/")[2]
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
        statuses = ("PendingManualApproval", "Approved", "Rejected", "PendingManualApproval")
        for version, status in enumerate(statuses, 1):
            sagemaker.create_model_package(
                ModelPackageGroupName=group,
                ModelApprovalStatus=status,
                InferenceSpecification={"Containers": [{"Image": stack.IMAGE}]},
            )
            # Of the events' account; the local cloud's SageMaker has one account alone, and minds no other's.
            arn = f"arn:aws:sagemaker:{stack.REGION}:{stack.ACCOUNT}:model-package/{group}/{version}"
            if status in {"Approved", "Rejected"}:
                waiting = {"pk": f"APPROVAL#{arn}", "sk": "APPROVAL", "model_package_arn": arn}
                waiting |= {"run_id": RUN_ID, "expired": "Nobody approved.", "task_token": TOKEN}
                item = {name: {"S": value} for name, value in waiting.items()}
                self._client("dynamodb").put_item(TableName=stack.NAMES["LedgerTable"], Item=item)

    def _pipeline_artifacts(self) -> None:
        s3 = self._pipelines_client("s3")
        s3.create_bucket(Bucket=PIPELINE_BUCKET)
        definitions = [{"name": "web", "imageUri": "web:1"}, {"name": "training", "imageUri": stack.IMAGE}]
        for name, content in {
            "image-detail": _zipped("imageDetail.json", json.dumps({"ImageURI": stack.IMAGE}).encode()),
            "image-definitions": _zipped("imagedefinitions.json", json.dumps(definitions).encode()),
            "source": _zipped("README.md", b"A program."),
            "bomb": _zipped("imageDetail.json", b" " * 20_000_000),
            "text": b"no archive",
        }.items():
            s3.put_object(Bucket=PIPELINE_BUCKET, Key=f"retrain-pipeline/Handover/{name}", Body=content)

    def runs(self) -> list[dict[str, Any]]:
        """The inputs of all executions."""
        states = self._client("stepfunctions")
        listed = states.list_executions(stateMachineArn=stack.NAMES["StateMachine"])["executions"]
        inputs = [states.describe_execution(executionArn=found["executionArn"])["input"] for found in listed]
        return [json.loads(text) for text in inputs]

    def decisions(self) -> dict[str, dict[str, Any]]:
        """What the ledger has about triggers, by their ids."""
        answer = self._client("dynamodb").query(
            TableName=stack.NAMES["LedgerTable"],
            IndexName="ByKind",
            KeyConditionExpression="kind = :kind",
            ExpressionAttributeValues={":kind": {"S": "trigger"}},
        )
        plain = TypeDeserializer().deserialize
        found = [{name: plain(value) for name, value in item.items()} for item in answer["Items"]]
        return {record["trigger_id"]: record for record in found}

    def told(self) -> list[str]:
        """The subjects of all notifications."""
        sqs = self._client("sqs")
        url = sqs.get_queue_url(QueueName="inbox")["QueueUrl"]
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["Subject"] for message in messages]


@functools.cache
def _zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def environment(function: str) -> dict[str, str]:
    """The environment of a function of a stack in which every way in has its datasets."""
    return stack.environment(function) | {"RETRAIN_DATASETS": "mnist"}


def function_of(event: str) -> str:
    """The function that an event is for, by the first word of its file's name."""
    return _FUNCTIONS[event.partition("_")[0]]


_FUNCTIONS = {
    "upload": "StartRetrainingFunction",
    "delay": "StartRetrainingFunction",
    "request": "StartRetrainingFunction",
    "push": "StartRetrainingFunction",
    "fire": "StartRetrainingFunction",
    "raise": "StartRetrainingFunction",
    "codepipeline": "CodePipelineJobFunction",
    "prepare": "PrepareTrainingFunction",
    "evaluate": "EvaluateChallengerFunction",
    "ask": "RequestApprovalFunction",
    "approve": "ResolveApprovalFunction",
    "claim": "ClaimEndpointFunction",
    "verify": "VerifyEndpointFunction",
    "record": "RecordOutcomeFunction",
    "clean": "CleanUpFunction",
    "write": "WriteReportFunction",
    "notify": "NotifyFunction",
    "interrupt": "ReportInterruptionFunction",
}
