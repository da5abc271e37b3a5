"""What is kept, who runs, and who is turned away."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from retrain.localcloud import clients, environment, guardian, server, statefiles
from retrain.states.service import Store


def used(state_dir: Path) -> None:
    """Leave data as a server that ran."""
    statefiles.prepare(state_dir, 4566)
    (state_dir / "ministack" / "state" / "s3.json").write_text("{}")
    (state_dir / "sagemaker").mkdir(exist_ok=True)
    (state_dir / "sagemaker" / "jobs.json").write_text("[]")


class TestKeptData:
    def test_a_first_start_says_nothing(self, tmp_path: Path) -> None:
        assert statefiles.prepare(tmp_path, 4566) == []
        assert (tmp_path / ".gitignore").read_text() == "*\n"

    def test_after_a_good_end_it_is_there(self, tmp_path: Path) -> None:
        used(tmp_path)
        statefiles.mark_clean(tmp_path, 4566)
        assert statefiles.prepare(tmp_path, 4566) == ["The data of the last run is there again."]
        assert (tmp_path / "sagemaker" / "jobs.json").exists()

    def test_it_follows_the_server_to_another_port(self, tmp_path: Path) -> None:
        used(tmp_path)
        kept = tmp_path / "ministack" / "state" / "sqs.json"
        kept.write_text('{"http://127.0.0.1:45/0/q": "http://127.0.0.1:456/x 127.0.0.1:45"}')
        statefiles.mark_clean(tmp_path, 45)
        for _ in range(2):
            statefiles.prepare(tmp_path, 4566)
            assert kept.read_text() == '{"http://127.0.0.1:4566/0/q": "http://127.0.0.1:456/x 127.0.0.1:45"}'

    def test_state_machines_follow_it_too(self, tmp_path: Path) -> None:
        used(tmp_path)
        store = Store(tmp_path / "states" / "states.sqlite")
        store.put("machine", "m", {"queue": "http://127.0.0.1:45/0/q", "other": "http://127.0.0.1:456/0/q"})
        store.close()
        statefiles.mark_clean(tmp_path, 45)
        statefiles.prepare(tmp_path, 4566)
        store = Store(tmp_path / "states" / "states.sqlite")
        assert store.get("machine", "m") == {
            "queue": "http://127.0.0.1:4566/0/q",
            "other": "http://127.0.0.1:456/0/q",
        }
        store.close()

    def test_a_start_that_comes_to_nothing_does_not_spoil_it(self, tmp_path: Path) -> None:
        used(tmp_path)
        statefiles.mark_clean(tmp_path, 4566)
        statefiles.prepare(tmp_path, 4566)
        assert statefiles.prepare(tmp_path, 4566) == ["The data of the last run is there again."]

    def test_after_a_bad_end_it_is_moved_aside(self, tmp_path: Path) -> None:
        for _ in range(2):
            used(tmp_path)
            statefiles.mark_in_use(tmp_path)
            (note,) = statefiles.prepare(tmp_path, 4566)
            assert "not stopped in good order" in note
            assert str(tmp_path / "crashed") in note
            assert not (tmp_path / "sagemaker").exists()
            assert (tmp_path / "crashed" / "sagemaker" / "jobs.json").exists()
            assert (tmp_path / "crashed" / "ministack" / "state" / "s3.json").exists()

    def test_data_of_another_version_is_moved_aside(self, tmp_path: Path) -> None:
        used(tmp_path)
        (tmp_path / "ministack" / "clean.json").write_text(json.dumps({"ministack": "0.1"}))
        (note,) = statefiles.prepare(tmp_path, 4566)
        assert "another version of MiniStack (0.1)" in note

    def test_removal_keeps_what_was_built(self, tmp_path: Path) -> None:
        used(tmp_path)
        (tmp_path / "build").mkdir()
        statefiles.remove(tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == [".gitignore", "build"]


class TestRecord:
    def test_of_this_process(self, tmp_path: Path) -> None:
        statefiles.write_record(tmp_path, port=1, marker="m", stack_name="s", project_root=tmp_path)
        record = statefiles.read_record(tmp_path)
        assert record is not None
        assert record.process() is not None

    @pytest.mark.parametrize("text", ["", "{", "{}", '{"pid": 1}', "[]"])
    def test_half_written(self, tmp_path: Path, text: str) -> None:
        statefiles.record_path(tmp_path).write_text(text)
        assert statefiles.read_record(tmp_path) is None

    def test_of_a_process_that_has_ended(self, tmp_path: Path) -> None:
        statefiles.write_record(tmp_path, port=1, marker="m", stack_name="s", project_root=tmp_path)
        path = statefiles.record_path(tmp_path)
        ended = subprocess.run(
            [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
        )
        path.write_text(json.dumps({**json.loads(path.read_text()), "pid": int(ended.stdout)}))
        record = statefiles.read_record(tmp_path)
        assert record is not None
        assert record.process() is None


class TestSweep:
    def test_all_that_carry_the_marker_and_nobody_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        marker = uuid.uuid4().hex
        sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
        other = guardian.spawn(sleep)
        monkeypatch.setenv(guardian.MARKER, marker)
        ours = [guardian.spawn(sleep), guardian.spawn(sleep, env={"PATH": "/bin"})]
        try:
            assert guardian.sweep(marker) == len(ours)
            assert [process.wait(timeout=5) for process in ours] == [-9, -9]
            assert other.poll() is None
            assert guardian.sweep(marker) == 0
        finally:
            for process in (*ours, other):
                process.kill()
                process.wait()


class TestEnvironment:
    def test_the_developers_aws_does_not_get_in(self) -> None:
        given = {
            "AWS_PROFILE": "prod",
            "PATH": "/bin",
            "LAMBDA_STRICT": "1",
            "SFN_MOCK_CONFIG": "x",
            "HOME": "/h",
        }
        assert environment.without_developers_aws(given) == {"PATH": "/bin", "HOME": "/h"}

    def test_clients_need_no_profile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_PROFILE", "of another account")
        clients._session.cache_clear()
        made = clients.client("sts", f"http://127.0.0.1:{uuid.uuid4().int % 1000}")
        assert made.meta.region_name == "us-east-1"

    def test_a_proxy_is_gone_round(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert set(environment.client_environment(4566)) == {
            *("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"),
        }
        monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
        monkeypatch.setenv("NO_PROXY", "intranet")
        assert environment.client_environment(4566)["NO_PROXY"] == "intranet,127.0.0.1,localhost"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1:4566", True),
        ("localhost", True),
        ("[::1]:4566", True),
        ("bucket.localhost:4566", True),
        ("s3.us-east-1.amazonaws.com", True),
        ("evil.example.com", False),
        ("127.0.0.1.evil.example.com:4566", False),
        ("", False),
    ],
)
def test_hosts(host: str, local: bool) -> None:
    assert server._is_local(host) is local
