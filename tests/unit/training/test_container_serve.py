"""`python -m container serve`: a real server on a free port, asked over HTTP."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from network import ThreeConvolutions, predict_probabilities, save_network
from onnx_export import export_network
from tests.unit.training.digits import draw_digits
from tests.unit.training.job import DEADLINE, TRAINING, clean_environment, finish

IMAGES = draw_digits(4, seed=5)[0]


def start(base: Path, **variables: str) -> subprocess.Popen[str]:
    environment = {"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_BIND_TO_PORT": "0"}
    return subprocess.Popen(
        [sys.executable, "-m", "container", "serve"],
        env=clean_environment(**(environment | variables)),
        cwd=base,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def serving(base: Path, **variables: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """Start a server, wait until it serves, and stop it."""
    process = start(base, **variables)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("serving on "), (line, finish(process).stderr)
        with httpx.Client(base_url=line.split()[-1], timeout=30, trust_env=False) as client:
            yield client, process
    finally:
        process.kill()
        process.communicate()


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Return when the process has made the file."""
    deadline = time.monotonic() + DEADLINE
    while not path.exists():
        assert process.poll() is None, finish(process).stderr
        assert time.monotonic() < deadline, f"no {path.name} within {DEADLINE} s"
        time.sleep(0.01)


def model_folder(base: Path, script: str | None = None) -> Path:
    """Make a served model's folder, with the reference network or a user's script."""
    code = base / "model" / "code"
    code.mkdir(parents=True)
    if script is None:
        save_network(ThreeConvolutions(), base / "model" / "model.pt", {})
        for name in ("inference.py", "network.py"):
            shutil.copy(TRAINING / name, code)
    else:
        (code / "inference.py").write_text(textwrap.dedent(script))
    return base


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    base = model_folder(tmp_path_factory.mktemp("served"))
    with serving(base, SAGEMAKER_MAX_PAYLOAD_IN_MB="1") as (client, _):
        yield client


def png(size: tuple[int, int] = (28, 28)) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", size).save(buffer, "PNG")
    return buffer.getvalue()


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, IMAGES)
    return buffer.getvalue()


def test_ping(client: httpx.Client) -> None:
    assert client.get("/ping").status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type", "count"),
    [
        (npy(), "application/x-npy", 4),
        (json.dumps(IMAGES.tolist()).encode(), "application/json", 4),
        (png(), "image/png", 1),
        (IMAGES.tobytes(), "application/octet-stream", 4),
    ],
)
def test_every_content_type_is_answered(
    client: httpx.Client, body: bytes, content_type: str, count: int
) -> None:
    answer = client.post("/invocations", content=body, headers={"content-type": content_type})

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    predictions = answer.json()["predictions"]
    assert len(predictions) == count
    for prediction in predictions:
        assert len(prediction["probabilities"]) == 10
        assert prediction["label"] == int(np.argmax(prediction["probabilities"]))
        assert sum(prediction["probabilities"]) == pytest.approx(1, abs=1e-4)


def test_a_body_without_content_type_is_json(client: httpx.Client) -> None:
    request = client.build_request("POST", "/invocations", content=json.dumps(IMAGES[0].tolist()).encode())
    request.headers.pop("content-type", None)

    assert client.send(request).status_code == 200


@pytest.mark.parametrize(
    ("body", "headers", "status", "message"),
    [
        (b"x", {"content-type": "image/jpeg"}, 415, "'image/jpeg' is not supported"),
        (npy(), {"content-type": "application/x-npy", "accept": "text/html"}, 406, "cannot be 'text/html'"),
        (b"{", {"content-type": "application/json"}, 400, "no JSON"),
        (b"", {"content-type": "application/json"}, 400, "empty"),
        (png((10, 10)), {"content-type": "image/png"}, 400, "10x10 pixels"),
        (b"x" * 100, {"content-type": "application/octet-stream"}, 400, "784 bytes"),
        (b"x" * 1_100_000, {"content-type": "application/octet-stream"}, 413, "larger than 1048576 bytes"),
    ],
)
def test_bad_requests_are_answered_in_words(
    client: httpx.Client, body: bytes, headers: dict[str, str], status: int, message: str
) -> None:
    answer = client.post("/invocations", content=body, headers=headers)

    assert answer.status_code == status
    assert message in answer.json()["error"]


def test_other_paths_and_methods(client: httpx.Client) -> None:
    assert client.get("/invocations").status_code == 405
    assert client.get("/").status_code == 404


def test_requests_at_the_same_time_get_their_own_answers(client: httpx.Client) -> None:
    headers = {"content-type": "application/octet-stream"}
    bodies = [image.tobytes() for image in IMAGES]
    alone = [client.post("/invocations", content=body, headers=headers).json() for body in bodies]
    found: list[object] = [None] * 16

    def ask(number: int) -> None:
        found[number] = client.post("/invocations", content=bodies[number % 4], headers=headers).json()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [alone[number % 4] for number in range(16)]


def test_an_onnx_model_is_served_without_torch(tmp_path: Path) -> None:
    base = model_folder(tmp_path)
    network = ThreeConvolutions()
    save_network(network, base / "model" / "model.pt", {})
    export_network(network, base / "model" / "model.onnx", torch.from_numpy(IMAGES))
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "torch.py").write_text("raise SystemExit('torch was imported')\n")

    path = os.pathsep.join((str(tmp_path / "hidden"), str(TRAINING)))
    with serving(base, PYTHONPATH=path) as (client, process):
        headers = {"content-type": "application/octet-stream"}
        answer = client.post("/invocations", content=IMAGES.tobytes(), headers=headers)
        refused = client.post("/invocations", content=b"x", headers=headers)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

    found = [prediction["probabilities"] for prediction in answer.json()["predictions"]]
    expected = predict_probabilities(network, torch.from_numpy(IMAGES)).numpy()
    assert np.allclose(found, expected, atol=2e-6)
    assert refused.status_code == 400


MODEL_FN_ONLY = """
    import torch
    import torchvision

    class Double(torch.nn.Module):
        def forward(self, x):
            if x.sum() < 0:
                raise RuntimeError("negative numbers " + "x" * 2000)
            return 2 * x

    def model_fn(model_dir):
        return Double()
"""


def test_a_script_with_model_fn_alone_is_served_and_outlives_its_failures(tmp_path: Path) -> None:
    base = model_folder(tmp_path, MODEL_FN_ONLY)

    with serving(base) as (client, _):
        good = client.post("/invocations", json=[[1, 2]])
        bad = client.post("/invocations", json=[[-1, -2]])
        health = client.get("/ping")

    assert good.json() == [[2.0, 4.0]]
    assert bad.status_code == 500
    assert bad.json()["error"].startswith("The model failed: RuntimeError: negative numbers")
    assert len(bad.json()["error"]) <= 500
    assert health.status_code == 200


def test_the_program_that_the_environment_names_is_served(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "mnist.py").write_text("def model_fn(model_dir):\n    return lambda data: {'from': 'source'}\n")
    base = model_folder(tmp_path / "ml", "raise RuntimeError('not this one')")

    with serving(base, SAGEMAKER_PROGRAM="mnist.py", SAGEMAKER_SUBMIT_DIRECTORY=str(source)) as (client, _):
        assert client.post("/invocations", json=[1]).json() == {"from": "source"}


def test_a_model_that_does_not_load_ends_the_server_with_the_reason(tmp_path: Path) -> None:
    base = model_folder(tmp_path)
    (base / "model" / "model.pt").write_bytes(b"spoiled")

    done = finish(start(base))

    assert done.returncode == 1
    assert "ModelLoadError: inference.py: ModelFileError" in done.stderr
    assert "cannot be read as saved weights" in done.stderr
    assert "serving" not in done.stdout


def test_a_port_in_use_ends_the_server_with_the_reason(tmp_path: Path) -> None:
    base = model_folder(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        done = finish(start(base, SAGEMAKER_BIND_TO_PORT=str(port)))

    assert done.returncode == 1
    assert f"ConfigurationError: Cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_no_number(tmp_path: Path) -> None:
    done = finish(start(tmp_path, SAGEMAKER_BIND_TO_PORT="http"))

    assert done.returncode == 1
    assert "SAGEMAKER_BIND_TO_PORT is 'http', expected a whole number" in done.stderr


SLOW = """
    import pathlib, time

    def model_fn(model_dir):
        return pathlib.Path(model_dir)

    def predict_fn(data, folder):
        (folder / "started").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
        return {"done": True}
"""


def test_sigterm_lets_running_requests_finish(tmp_path: Path) -> None:
    base = model_folder(tmp_path, SLOW)
    answers: list[httpx.Response] = []

    with serving(base) as (client, process):
        asker = threading.Thread(target=lambda: answers.append(client.post("/invocations", json=[1])))
        asker.start()
        wait_for(base / "model" / "started", process)
        process.send_signal(signal.SIGTERM)
        (base / "model" / "go").touch()
        asker.join(30)
        assert process.wait(30) == 0

    assert answers[0].json() == {"done": True}


def test_sigterm_while_the_model_loads_ends_the_server(tmp_path: Path) -> None:
    script = "import pathlib, time\npathlib.Path(__file__).with_name('loading').touch()\ntime.sleep(600)\n"
    base = model_folder(tmp_path, script)
    process = start(base)
    wait_for(base / "model" / "code" / "loading", process)

    process.send_signal(signal.SIGTERM)

    assert finish(process).returncode == 0


def test_other_commands_are_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "container", "dance"],
        env=clean_environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "usage: python -m container train|serve" in done.stderr
