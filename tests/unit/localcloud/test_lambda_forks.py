"""A function's process that was forked cannot be told from one that was started."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from retrain.localcloud.guardian import MARKER, wait_for_end
from retrain.localcloud.repairs import lambda_forks
from retrain.localcloud.repairs.lambda_forks import ForkedProcess, ForkServers
from retrain.localcloud.repairs.lambda_packages import runtime_folder
from retrain.localcloud.repairs.lambda_worker import FunctionProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Processes are forked on Linux alone.")

CODE = """
    import os, random, signal, subprocess, sys, threading, time, uuid

    def look(event, context):
        import boto3
        streams = {number: os.readlink(f"/proc/self/fd/{number}").partition(":")[0] for number in range(3)}
        return {
            "environment": {name: value for name, value in os.environ.items() if "STREAM" not in name},
            "folder": os.getcwd(),
            "path": sys.path,
            "arguments": sys.argv,
            "flags": str(sys.flags),
            "boto3": boto3.__file__,
            "layer": __import__("of_layer").__file__,
            "leads its group": os.getpgrp() == os.getpid(),
            "signals": [str(signal.getsignal(number)) for number in (2, 13, 15, 17)],
            "streams": streams,
            "descriptors": len(os.listdir("/proc/self/fd")),
            "threads": threading.active_count(),
            "zone": time.tzname,
            "modules of the runtime": [name for name in sys.modules if name.startswith("lambda_")],
        }

    def chance(event, context):
        return [random.random(), uuid.uuid4().hex]

    def end(event, context):
        if event["how"] == "exit":
            sys.exit(3)
        if event["how"] == "signal":
            os.kill(os.getpid(), signal.SIGSEGV)
        if event["how"] == "never":
            print(subprocess.Popen(["sleep", "60"]).pid)
            time.sleep(60)
        raise ValueError("as asked")
"""


class Started:
    """What never forks."""

    def process(self, *_: Any) -> None:
        return None


Make = Callable[..., FunctionProcess]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders that all functions here import from."""
    folder = tmp_path_factory.mktemp("functions")
    (folder / "layer").mkdir()
    (folder / "layer" / "of_layer.py").touch()
    return [folder / "layer", runtime_folder(folder / "runtime")]


@pytest.fixture(scope="module")
def forks() -> Iterator[ForkServers]:
    servers = ForkServers()
    yield servers
    servers.close()


@pytest.fixture
def make(
    base: list[Path], forks: ForkServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    """Make a function's process, forked unless told otherwise; it has started."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv(MARKER, "test")
    made = []

    def process(handler: str = "look", servers: Any = forks, files: Any = (), **variables: str) -> Any:
        code = tmp_path / "code"
        code.mkdir(exist_ok=True)
        (code / "app.py").write_text(textwrap.dedent(CODE))
        for name in files:
            (code / name).write_text("")
        config = {
            "FunctionName": "looker",
            "Handler": f"app.{handler}",
            "Runtime": "python3.13",
            "Timeout": 20,
            "Environment": {"Variables": variables},
        }
        made.append(FunctionProcess(config, [code, *base], {}, "us-east-1", servers))
        assert made[-1].start() is None
        made[-1].drain_log()
        return made[-1]

    yield process
    for function in made:
        function.kill()


def ask(function: FunctionProcess, **event: Any) -> dict[str, Any]:
    return function.invoke(event, "request", None)


def test_both_see_the_same(make: Make) -> None:
    variables = {"GREETING": "hello", "TZ": "Asia/Tokyo"}
    forked, started = make(**variables), make(servers=Started(), **variables)
    assert isinstance(forked.process, ForkedProcess)
    assert not isinstance(started.process, ForkedProcess)
    assert ask(forked)["result"] == ask(started)["result"]


@pytest.mark.parametrize("how", ["exit", "signal", "raise"])
def test_both_end_the_same_way(make: Make, how: str) -> None:
    forked, started = make("end"), make("end", servers=Started())
    seen = [ask(function, how=how) for function in (forked, started)]
    assert seen[0] == seen[1]
    assert forked.alive == started.alive == (how == "raise")


def test_a_kill_takes_what_it_started_along(make: Make) -> None:
    function = make("end")
    function._config["Timeout"] = 1
    answer = ask(function, how="never")
    assert answer["error"]["errorType"] == "Sandbox.Timedout"
    started = [process for process in psutil.process_iter() if process.pid == int(answer["log"])]
    assert wait_for_end(started, 20)
    assert function.process.poll() == -signal.SIGKILL


def test_processes_do_not_share_their_chance(make: Make) -> None:
    one, other = (ask(make("chance"))["result"] for _ in range(2))
    assert not set(one) & set(other)


def test_what_is_forked_has_one_thread_and_no_connection(make: Make) -> None:
    server = psutil.Process(make().process.pid).parent()
    assert server is not None
    assert server.num_threads() == 1
    assert not server.net_connections("inet")


@pytest.mark.parametrize(
    ("files", "variables"),
    [(["urllib3.py"], {}), (["six.py"], {}), ([], {"HOME": "/tmp"}), ([], {"LD_LIBRARY_PATH": "/opt"})],
)
def test_what_would_have_changed_the_imports_is_started(make: Make, files: Any, variables: Any) -> None:
    assert not isinstance(make("chance", files=files, **variables).process, ForkedProcess)


def test_without_its_fork_server_a_process_is_dead_and_another_one_is_made(make: Make) -> None:
    lost = make()
    parent = psutil.Process(lost.process.pid).parent()
    assert parent is not None
    parent.kill()
    assert not lost.alive
    lost.kill()
    assert isinstance(make().process, ForkedProcess)


def test_there_are_only_so_many_fork_servers(base: list[Path], tmp_path: Path) -> None:
    servers, environment = ForkServers(), {"PATH": os.environ["PATH"]}
    layers = [tmp_path / str(number) for number in range(lambda_forks.MAX_SERVERS + 1)]
    for layer in layers:
        layer.mkdir()

    def process(number: int) -> ForkedProcess | None:
        return servers.process([tmp_path, layers[number], *base], environment)

    with ExitStack() as opened:
        opened.callback(servers.close)
        made = []
        for number in range(lambda_forks.MAX_SERVERS):
            found = process(number)
            assert found is not None
            for stream in (found.stdin, found.stdout, found.stderr):
                opened.enter_context(stream)
            made.append(found)
        assert process(-1) is None
        made[0].kill()
        made[0].wait(20)
        last = process(-1)
        assert last is not None
        for stream in (last.stdin, last.stdout, last.stderr):
            opened.enter_context(stream)
