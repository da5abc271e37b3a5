"""The local cloud as a process: starting, stopping, being killed, and what is left of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from retrain.localcloud import guardian, process, statefiles
from retrain.localcloud.clients import client
from retrain.localcloud.errors import DeployError, PortTakenError, StartError

PROJECT = Path(__file__).resolve().parents[2]
MENDS = Path(__file__).with_name("mends")
GONE_SECONDS = 5.0


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / ".retrain"
    yield folder
    process.down(folder)


def up(state_dir: Path, said: list[str] | None = None, **options: Any) -> process.LocalCloud:
    options = {"port": None, "project_root": MENDS, "images": {}, "deploy": False, **options}
    return process.up(state_dir, on_progress=(said if said is not None else []).append, **options)


def marker_of(state_dir: Path) -> str:
    record = statefiles.read_record(state_dir)
    assert record is not None
    return record.marker


class TestUpAndDown:
    def test_it_listens_on_this_computer_only(self, state_dir: Path) -> None:
        cloud = up(state_dir)
        listening = [
            connection.laddr
            for running in (psutil.Process(cloud.pid), *psutil.Process(cloud.pid).children(recursive=True))
            for connection in running.net_connections("all")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening == [("127.0.0.1", cloud.port)]

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://example.com"},
            {"Host": "rebound.example.com"},
            {"Origin": "null"},
            {"Origin": "https://anybodys-bucket.s3.amazonaws.com"},
            {"Sec-Fetch-Site": "cross-site"},
        ],
    )
    def test_it_refuses_what_a_foreign_page_sends(
        self, local_cloud: process.LocalCloud, headers: dict[str, str]
    ) -> None:
        request = urllib.request.Request(f"{local_cloud.endpoint_url}/_ministack/health", headers=headers)
        with pytest.raises(urllib.error.HTTPError, match="403") as raised:
            urllib.request.urlopen(request)
        raised.value.close()

    def test_a_second_up_gives_the_running_one(self, state_dir: Path) -> None:
        first, said = up(state_dir), []
        assert up(state_dir, said) == first == process.status(state_dir)
        running = f"(pid {first.pid}, since {first.started_at})"
        assert said == [f"The local cloud runs already, on {first.endpoint_url} {running}."]

    def test_ups_at_once_start_one(self, state_dir: Path) -> None:
        clouds: list[process.LocalCloud] = []
        threads = [threading.Thread(target=lambda: clouds.append(up(state_dir))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(clouds) == 3
        assert len({cloud.pid for cloud in clouds}) == 1

    def test_down_leaves_nothing(self, state_dir: Path) -> None:
        up(state_dir)
        marker = marker_of(state_dir)
        assert process.down(state_dir)
        assert guardian.processes_of(marker) == []
        assert process.status(state_dir) is None
        assert not process.down(state_dir)

    def test_down_leaves_the_record_of_an_up_that_came_meanwhile(
        self, state_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        up(state_dir)
        meanwhile: list[process.LocalCloud] = []
        sweep = guardian.sweep

        def sweep_while_another_starts(marker: str, session: int | None = None) -> int:
            monkeypatch.setattr(guardian, "sweep", sweep)
            swept = sweep(marker, session)
            meanwhile.append(up(state_dir))
            return swept

        monkeypatch.setattr(guardian, "sweep", sweep_while_another_starts)
        assert process.down(state_dir)
        assert [process.status(state_dir)] == meanwhile

    def test_a_taken_port(self, state_dir: Path) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            with pytest.raises(PortTakenError) as raised:
                up(state_dir, port=port)
        assert str(raised.value).startswith(f"Port {port} is taken by ")
        assert f"(pid {os.getpid()})" in str(raised.value)
        assert "--port" in str(raised.value)

    def test_a_start_that_fails_shows_the_log(self, state_dir: Path) -> None:
        state_dir.mkdir()
        (state_dir / "ministack").write_text("no folder")
        (state_dir / "crashed").write_text("no folder either")
        with pytest.raises(
            StartError, match=r"(?s)ended with exit code 1 when it started. The end of .*crashed"
        ):
            up(state_dir)
        assert process.status(state_dir) is None

    def test_a_stack_that_cannot_be_deployed_leaves_nothing(self, state_dir: Path, tmp_path: Path) -> None:
        with pytest.raises(DeployError, match="There is no template"):
            up(state_dir, project_root=tmp_path, deploy=True)
        assert process.status(state_dir) is None

    def test_ctrl_c_during_up_leaves_nothing(self, state_dir: Path, wait_until: Callable[..., Any]) -> None:
        program = (
            "import sys, time; from pathlib import Path; from retrain.localcloud import process\n"
            "def say(text):\n"
            "    print(text, flush=True)\n"
            "    if 'listens' in text: time.sleep(60)\n"
            f"folder = Path({str(state_dir)!r})\n"
            "process.up(folder, port=None, project_root=Path('.'), images={}, on_progress=say)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            process_group=0,
        ) as starting:
            assert starting.stdout is not None
            while "listens" not in starting.stdout.readline():
                assert starting.poll() is None
            marker = marker_of(state_dir)
            os.killpg(starting.pid, signal.SIGINT)
            assert "KeyboardInterrupt" in starting.communicate(timeout=90)[1]
        assert process.status(state_dir) is None
        wait_until(lambda: guardian.processes_of(marker) == [], seconds=GONE_SECONDS)


class TestBeingKilled:
    def test_no_process_outlives_the_server(self, state_dir: Path, wait_until: Callable[..., Any]) -> None:
        cloud = up(state_dir, deploy=True)
        functions = client("lambda", cloud.endpoint_url)
        name = functions.list_functions()["Functions"][0]["FunctionName"]
        answer = functions.invoke(FunctionName=name, Payload=json.dumps({"linger": 600}))
        pid = int(json.load(answer["Payload"]))
        marker = marker_of(state_dir)
        assert os.getsid(pid) == pid  # a process that left the server's session, and whose parent is init
        started = guardian.processes_of(marker, cloud.pid)
        assert {cloud.pid, pid} <= {running.pid for running in started}

        os.kill(cloud.pid, signal.SIGKILL)
        begun = time.monotonic()
        wait_until(lambda: not any(_alive(running) for running in started), seconds=GONE_SECONDS)
        assert time.monotonic() - begun < GONE_SECONDS

        assert process.status(state_dir) is None
        said: list[str] = []
        again = up(state_dir, said, deploy=True)
        assert again.pid != cloud.pid
        assert said[0] == f"The last local cloud (pid {cloud.pid}) ended without being stopped."
        assert any("moved to" in line and "starts empty" in line for line in said)
        assert client("lambda", again.endpoint_url).list_functions()["Functions"]

    def test_a_pid_that_another_program_has_now(self, state_dir: Path) -> None:
        state_dir.mkdir()
        path = statefiles.write_record(state_dir, port=1, marker="m", stack_name="s", project_root=MENDS)
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "created": record["created"] - 100}))
        assert process.status(state_dir) is None
        assert not process.down(state_dir)  # and does not end the tests
        assert up(state_dir).pid != os.getpid()


class TestKeepingData:
    def test_from_down_to_up(self, state_dir: Path, wait_until: Callable[..., Any]) -> None:
        cloud = up(state_dir, deploy=True, parameters={"Greeting": "good day"})
        outputs = _outputs(cloud)
        s3, dynamodb = client("s3", cloud.endpoint_url), client("dynamodb", cloud.endpoint_url)
        bucket = outputs["DataBucket"]
        versions = [
            s3.put_object(Bucket=bucket, Key="a/b c", Body=body)["VersionId"] for body in (b"1", b"2")
        ]
        dynamodb.put_item(TableName=outputs["Table"], Item={"key": {"S": "kept"}, "times": {"N": "4"}})
        client("sqs", cloud.endpoint_url).send_message(
            QueueUrl=outputs["DeadLetters"], MessageBody="a letter"
        )
        topic = client("sns", cloud.endpoint_url).create_topic(Name="kept")["TopicArn"]
        states = client("stepfunctions", cloud.endpoint_url)
        execution = states.start_execution(stateMachineArn=outputs["Machine"], name="kept")["executionArn"]
        _await_end(states, execution)
        process.down(state_dir)

        said: list[str] = []
        cloud = up(state_dir, said, deploy=True)
        assert "The data of the last run is there again." in said
        assert _parameters(cloud)["Greeting"] == "good day"
        outputs = _outputs(cloud)
        assert outputs["DataBucket"] == bucket
        assert f":{cloud.port}/" in outputs["DeadLetters"]
        s3, states = client("s3", cloud.endpoint_url), client("stepfunctions", cloud.endpoint_url)
        kept = [
            s3.get_object(Bucket=bucket, Key="a/b c", VersionId=version)["Body"].read()
            for version in versions
        ]
        assert kept == [b"1", b"2"]
        dynamodb = client("dynamodb", cloud.endpoint_url)
        item = dynamodb.get_item(TableName=outputs["Table"], Key={"key": {"S": "kept"}})
        assert item["Item"]["times"]["N"] == "4"
        messages = client("sqs", cloud.endpoint_url).receive_message(QueueUrl=outputs["DeadLetters"])[
            "Messages"
        ]
        assert messages[0]["Body"] == "a letter"
        assert topic in [t["TopicArn"] for t in client("sns", cloud.endpoint_url).list_topics()["Topics"]]
        assert states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED"
        second = states.start_execution(stateMachineArn=outputs["Machine"])["executionArn"]
        assert _await_end(states, second) == "SUCCEEDED"
        # And what is to come finds its way: from the bucket through rule and queue to the function.
        s3.put_object(Bucket=bucket, Key="datasets/x/y.gz", Body=b"1")
        key = {"key": {"S": "datasets/x/y.gz"}}
        wait_until(lambda: "Item" in dynamodb.get_item(TableName=outputs["Table"], Key=key))
        up(state_dir, deploy=True, parameters={"Greeting": "good night"})
        assert _parameters(cloud)["Greeting"] == "good night", "one that runs is updated"

    def test_reset_removes_it(self, state_dir: Path) -> None:
        cloud = up(state_dir)
        statefiles.write_parameters(state_dir, {"Greeting": "good day"})
        client("s3", cloud.endpoint_url).create_bucket(Bucket="to-be-gone")
        process.reset(state_dir)
        assert process.status(state_dir) is None
        said: list[str] = []
        cloud = up(state_dir, said)
        assert client("s3", cloud.endpoint_url).list_buckets()["Buckets"] == []
        assert not any("moved" in line for line in said)
        assert statefiles.read_parameters(state_dir) == {}


def _outputs(cloud: process.LocalCloud) -> dict[str, str]:
    stack = client("cloudformation", cloud.endpoint_url).describe_stacks(StackName="retrain")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _parameters(cloud: process.LocalCloud) -> dict[str, str]:
    stack = client("cloudformation", cloud.endpoint_url).describe_stacks(StackName="retrain")["Stacks"][0]
    return {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}


def _await_end(states: Any, execution: str) -> str:
    deadline = time.monotonic() + 15
    while (status := str(states.describe_execution(executionArn=execution)["status"])) == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return status


def _alive(running: psutil.Process) -> bool:
    try:
        return running.is_running() and running.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
