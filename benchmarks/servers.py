"""The servers that serving.py compares: each an environment of its own, a command, and a request."""

import base64
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "benchmarks" / "peers"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "retrain" / "benchmarks"

TORCH = ("torch==2.13.0", "numpy==2.4.6")
IMAGE = random.Random(1).randbytes(784)
AS_JSON = json.dumps({"image": base64.b64encode(IMAGE).decode()}).encode()


class ServerError(Exception):
    """A server cannot be set up, started or measured."""


@dataclass(frozen=True)
class Server:
    """A server to measure.

    `command` is given the environment's Python, a free port and the folder of the model, and returns the
    command; `packages` go into an environment of that name.
    """

    name: str
    command: Callable[[Path, int, Path], list[str]]
    packages: tuple[str, ...] = ()
    environment: str = ""
    path: str = "/invocations"
    content_type: str = "application/octet-stream"
    body: bytes = IMAGE
    variables: dict[str, str] = field(default_factory=dict)

    def python(self) -> Path:
        """The environment's Python; the environment is made if it is not there."""
        if not self.packages:
            return Path(sys.executable)
        return environment(self.environment, self.packages)


def environment(name: str, packages: Sequence[str]) -> Path:
    """Return the Python of an environment with these packages; it is made if it is not there."""
    folder = CACHE / name
    if not (folder / ".complete").is_file():
        # Not into the figures, which may be read by a program.
        print(f"setting up {folder}: {', '.join(packages)}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        venv.EnvBuilder(with_pip=True).create(folder)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", *packages]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerError(f"its packages do not install: {done.stderr.strip()[-600:]}")
        (folder / ".complete").touch()
    return folder / "bin" / "python"


def ours(python: Path, port: int, folder: Path) -> list[str]:
    return [str(python), "-m", "container", "serve"]


def script(name: str, *arguments: str) -> Callable[[Path, int, Path], list[str]]:
    return lambda python, port, folder: [str(python), str(PEERS / name), str(port), str(folder), *arguments]


def torchserve(python: Path, port: int, folder: Path, **batching: int) -> list[str]:
    """Pack the model and write the configuration; everything else is as it comes."""
    place = folder.parent / f"torchserve-{port}"
    (place / "store").mkdir(parents=True)
    handler = PEERS / "torchserve_handler.py"
    subprocess.run(
        [python.parent / "torch-model-archiver", "--model-name", "mnist", "--version", "1.0",
         "--handler", handler, "--serialized-file", folder / "model.pt",
         "--extra-files", folder / "network.py", "--export-path", place / "store"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    lines = [f"{name}_address=http://127.0.0.1:{number}" for name, number in
             (("inference", port), ("management", free_port()), ("metrics", free_port()))]  # fmt: skip
    if batching:
        models = {"mnist": {"1.0": {"defaultVersion": True, "marName": "mnist.mar", **batching}}}
        lines.append(f"models={json.dumps(models)}")
    (place / "config.properties").write_text("\n".join(lines) + "\n")
    return [
        str(python.parent / "torchserve"), "--start", "--foreground", "--disable-token-auth", "--model-store",
        str(place / "store"), "--models", "mnist=mnist.mar", "--ts-config", str(place / "config.properties"),
    ]  # fmt: skip


def torchserve_batching(python: Path, port: int, folder: Path) -> list[str]:
    return torchserve(
        python, port, folder, minWorkers=2, maxWorkers=2, batchSize=16, maxBatchDelay=2, responseTimeout=120
    )


OURS = Server("Retrain", ours)
LITSERVE = ("litserve==0.2.19", *TORCH)
TORCHSERVE = (
    "torchserve==0.12.0",
    "torch-model-archiver==0.12.0",
    "setuptools<80",
    *TORCH,
    "pyyaml",
    "psutil",
    "packaging",
    "pillow",
    "nvgpu",
    "captum",
    "enum-compat",
)
SERVERS = (
    Server(
        "Starlette + ONNX Runtime, bare",
        script("starlette_onnx.py"),
        ("starlette==1.10.0", "uvicorn[standard]==0.54.0", "onnxruntime==1.32.0", "numpy==2.4.6"),
        "starlette-onnx",
    ),
    Server(
        "FastAPI + torch",
        script("fastapi_torch.py"),
        ("fastapi==0.165.0", "uvicorn[standard]==0.54.0", *TORCH),
        "fastapi-torch",
    ),
    Server(
        "LitServe",
        script("litserve_torch.py", "1"),
        LITSERVE,
        "litserve",
        "/predict",
        "application/json",
        AS_JSON,
    ),
    Server(
        "LitServe, batched",
        script("litserve_torch.py", "32"),
        LITSERVE,
        "litserve",
        "/predict",
        "application/json",
        AS_JSON,
    ),
    Server("TorchServe", torchserve, TORCHSERVE, "torchserve", "/predictions/mnist"),
    Server("TorchServe, batched", torchserve_batching, TORCHSERVE, "torchserve", "/predictions/mnist"),
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
