"""What can be said of the image without Docker; the rest: ``make image-check``."""

from __future__ import annotations

import fnmatch
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from container import health

TRAINING = Path(__file__).resolve().parents[3] / "training"
TRAIN = b"python\0-m\0container\0train\0"
SERVE = b"python\0-m\0container\0serve\0"


def allowed() -> list[str]:
    lines = (TRAINING / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*", "first everything is left out"
    assert all(pattern.startswith("!") for pattern in patterns[1:])
    return [pattern[1:] for pattern in patterns[1:]]


def test_the_context_lets_in_programs_and_versions_only() -> None:
    assert {Path(pattern).name for pattern in allowed()} == {"*.py", "requirements.txt", "constraints.txt"}
    assert not [pattern for pattern in allowed() if "**" in pattern], "** lets whole folders out of sight"


def test_every_program_gets_into_the_image() -> None:
    folders = {
        str(Path(pattern).parent) for pattern in allowed() if fnmatch.fnmatch("a.py", Path(pattern).name)
    }
    holding = {str(path.parent.relative_to(TRAINING)) for path in TRAINING.rglob("*.py")}
    assert folders == holding, "each folder with programs needs its line in training/.dockerignore"


def test_the_versions_are_current() -> None:
    program = TRAINING.parent / "cicd" / "pins.py"
    done = subprocess.run([sys.executable, program, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class _Server(HTTPServer):
    status = 200


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    """Something that answers ``/ping`` with the status that it is given."""

    class Handler(BaseHTTPRequestHandler):
        server: _Server

        def do_GET(self) -> None:
            self.send_response(self.server.status if self.path == "/ping" else 404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    made = _Server(("127.0.0.1", 0), Handler)
    monkeypatch.setenv("SAGEMAKER_BIND_TO_PORT", str(made.server_address[1]))
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


class TestHealth:
    def test_a_container_that_serves_is_well_when_ping_is(self, server: _Server) -> None:
        assert health.main(SERVE) == 0

    @pytest.mark.parametrize("status", [204, 500, 503])
    def test_any_other_answer_is_not_well(self, server: _Server, status: int) -> None:
        server.status = status
        assert health.main(SERVE) == 1

    def test_none_is_not_well_either(
        self, server: _Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("SAGEMAKER_BIND_TO_PORT", "1")
        assert health.main(SERVE) == 1
        assert "/ping does not answer" in capsys.readouterr().err

    def test_a_proxy_is_not_asked(self, server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        assert health.main(SERVE) == 0

    def test_a_container_that_trains_is_well_as_long_as_it_runs(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SAGEMAKER_BIND_TO_PORT", "1")
        assert health.main(TRAIN) == 0
