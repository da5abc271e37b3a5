"""Trains by writing down what it was given; serves by telling it. Misbehaves as it is told to."""

import http.server
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
CONFIG = BASE / "input" / "config"
COUNT = itertools.count(1)
COUNT_LOCK = threading.Lock()


def train() -> int:
    hyperparameters = json.loads((CONFIG / "hyperparameters.json").read_text())
    resources = json.loads((CONFIG / "resourceconfig.json").read_text())
    host = resources["current_host"]
    files = sorted(path for path in (BASE / "input" / "data").rglob("*") if path.is_file())
    seen = {path.relative_to(BASE / "input" / "data").as_posix(): path.read_text() for path in files}
    print(f"host={host} files={len(seen)}", flush=True)
    for epoch in range(1, int(hyperparameters.get("epochs", "1")) + 1):
        print(
            f"epoch={epoch}/3 train_loss={1 / epoch:.4f} holdout_accuracy={1 - 0.1 / epoch:.4f}", flush=True
        )
    (BASE / "model" / f"{host}.json").write_text(json.dumps(seen))
    (BASE / "model" / "weights.txt").write_text(hyperparameters.get("answer", "42"))
    if hyperparameters.get("output"):
        (BASE / "output" / "data" / "predictions.csv").write_text("id,label,prediction\n")
    fate = hyperparameters.get(f"fate_{host}", hyperparameters.get("fate", "succeed"))
    return globals()[f"fate_{fate}"](hyperparameters)


def fate_succeed(_hyperparameters):
    return 0


def fate_environment(_hyperparameters):
    (BASE / "model" / "environment.json").write_text(json.dumps(dict(os.environ)))
    return 0


def fate_fail(_hyperparameters):
    (BASE / "output" / "failure").write_text("the data has no labels")
    return 3


def fate_raise(_hyperparameters):
    raise ValueError("a column is missing")


def fate_lose_peer(_hyperparameters):
    (BASE / "output" / "failure").write_text("RuntimeError: Connection closed by peer [127.0.0.1]:9999")
    return 1


def fate_killed(_hyperparameters):
    os.kill(os.getpid(), signal.SIGKILL)


def fate_hang(_hyperparameters):
    print("hanging", flush=True)
    time.sleep(600)


def fate_hang_deaf(_hyperparameters):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(f"deaf pid={os.getpid()} child={child.pid}", flush=True)
    time.sleep(600)


def fate_save_when_told(_hyperparameters):
    def save(_number, _frame):
        (BASE / "model" / "half.txt").write_text("half")
        sys.exit(0)

    signal.signal(signal.SIGTERM, save)
    print("waiting to be told", flush=True)
    time.sleep(600)


def fate_fill(hyperparameters):
    size = int(hyperparameters["bytes"])
    with (BASE / "model" / "huge.bin").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)
    print("filled", flush=True)
    if hyperparameters.get("then") != "exit":
        time.sleep(600)
    return 0


def fate_disk_full(_hyperparameters):
    raise OSError(28, "No space left on device")


def fate_checkpoint(_hyperparameters):
    """Goes on from the last checkpoint; the first time it waits to be taken away."""
    folder = BASE / "checkpoints"
    step = int((folder / "step.txt").read_text()) if (folder / "step.txt").exists() else 0
    print(f"resumed_at={step}", flush=True)
    if step == 0:
        (folder / "step.txt").write_text("7")
        time.sleep(600)
    (BASE / "model" / "resumed_at.txt").write_text(str(step))
    return 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(int(os.environ.get("PING_STATUS", "200")), b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        order = body.decode(errors="replace")
        if order == "die":
            os._exit(7)
        if order.startswith("status "):
            self.answer(int(order.split()[1]), b'{"error": "as you wish"}')
            return
        if order.startswith("sleep "):
            time.sleep(float(order.split()[1]))
        if not self.is_well():
            self.answer(500, b'{"error": "one in so many"}')
            return
        time.sleep(float(os.environ.get("SLOW_SECONDS", "0")))
        print(f"answering {len(body)} bytes", flush=True)
        weights = BASE / "model" / "weights.txt"
        content = {
            "answer": weights.read_text() if weights.exists() else None,
            "name": os.environ.get("MODEL_LABEL"),
            "pid": os.getpid(),
            "content_type": self.headers.get("Content-Type"),
            "accept": self.headers.get("Accept"),
            "bytes": len(body),
        }
        self.answer(200, json.dumps(content).encode())

    def is_well(self):
        """Every so many requests, as FAIL_EVERY says, go wrong."""
        every = int(os.environ.get("FAIL_EVERY", "0"))
        with COUNT_LOCK:
            number = next(COUNT)
        return not every or number % every

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.headers.get("X-Amzn-SageMaker-Custom-Attributes"):
            self.send_header(
                "X-Amzn-SageMaker-Custom-Attributes", self.headers["X-Amzn-SageMaker-Custom-Attributes"]
            )
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


def serve() -> int:
    if os.environ.get("BROKEN"):
        print("loading the model", file=sys.stderr)
        raise RuntimeError(os.environ["BROKEN"])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    address = (os.environ["BIND_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit({"train": train, "serve": serve}[sys.argv[1]]())
