"""The image of training/ in Docker: its size, how soon it serves, and what it answers on one core.

    python benchmarks/image.py [--image NAME] [--runs N] [--seconds N]

The model is trained by the image itself, for one epoch on noise: what it knows does not change how long an
answer takes. The clients run on this machine, outside the container, over connections that stay open; the
container gets one core by Docker's --cpus. Times to the first answer include Docker's own for a container.
Where others use the machine, its processor time per request is the sounder figure.
"""

import argparse
import http.client
import io
import json
import os
import platform
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from retrain.datasets.idx import encode_idx

CLIENTS = 4
MEGABYTE = 1e6


def docker(*arguments: str) -> str:
    """Run a docker command, and give its output."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def serving(image: str, model: Path, *options: str) -> Iterator[tuple[str, int, float]]:
    """Serve a model; gives container, port, and the seconds until /ping answered for the first time."""
    began = time.perf_counter()
    mount = f"{model}:/opt/ml/model:ro"
    name = docker(
        "run", "--detach", "--publish", "127.0.0.1::8080", "--volume", mount, *options, image, "serve"
    )
    try:
        port = int(docker("port", name, "8080/tcp").splitlines()[0].rpartition(":")[2])
        while not pings(port):
            time.sleep(0.01)
        yield name, port, time.perf_counter() - began
    finally:
        docker("rm", "--force", name)


def pings(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def train(image: str, base: Path) -> float:
    """Have the image train a model; gives the seconds that it took."""
    random = np.random.default_rng(0)
    folder = base / "input" / "data" / "training"
    folder.mkdir(parents=True)
    (base / "input" / "config").mkdir()
    images = random.integers(0, 256, (2000, 28, 28), dtype=np.uint8)
    (folder / "train-images-idx3-ubyte").write_bytes(encode_idx(images))
    (folder / "train-labels-idx1-ubyte").write_bytes(encode_idx(random.integers(0, 10, 2000, dtype=np.uint8)))
    configuration = {
        "hyperparameters": {"epochs": "1"},
        "inputdataconfig": {"training": {"TrainingInputMode": "File"}},
        "resourceconfig": {"current_host": "algo-1", "hosts": ["algo-1"]},
    }
    for name, content in configuration.items():
        (base / "input" / "config" / f"{name}.json").write_text(json.dumps(content))
    began = time.perf_counter()
    docker("run", "--rm", "--volume", f"{base}:/opt/ml", image, "train")
    seconds = time.perf_counter() - began
    mine = f"{os.getuid()}:{os.getgid()}"
    docker(
        "run", "--rm", "--volume", f"{base}:/opt/ml", "--entrypoint", "chown", image, "-R", mine, "/opt/ml"
    )
    return seconds


def processor_seconds(name: str) -> float:
    """The processor time that a container has used, by its control group."""
    program = (
        "cat /sys/fs/cgroup/cpu.stat 2> /dev/null || "
        "echo usage_usec $(($(cat /sys/fs/cgroup/cpuacct/cpuacct.usage) / 1000))"
    )
    lines = docker("exec", name, "sh", "-c", program).splitlines()
    return float(dict(line.split() for line in lines)["usage_usec"]) / 1e6


def load(port: int, rows: int, seconds: float) -> tuple[float, list[float]]:
    """Ask from several clients at once; gives requests per second, and the seconds of each."""
    buffer = io.BytesIO()
    np.save(buffer, np.random.default_rng(1).integers(0, 256, (rows, 28, 28), dtype=np.uint8))
    body, headers = buffer.getvalue(), {"Content-Type": "application/x-npy"}
    taken: list[list[float]] = [[] for _ in range(CLIENTS)]
    end = time.perf_counter() + seconds

    def ask(mine: list[float]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while (began := time.perf_counter()) < end:
            connection.request("POST", "/invocations", body, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
            mine.append(time.perf_counter() - began)
        connection.close()

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in taken]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    all_of_them = sorted(second for mine in taken for second in mine)
    return len(all_of_them) / (time.perf_counter() - began), all_of_them


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--image", default="retrain-training:local")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    version = docker("version", "--format", "{{.Server.Version}}")
    busy = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Docker {version}, load {busy:.1f} before")
    size = int(docker("image", "inspect", "--format", "{{.Size}}", given.image))
    layers = docker("history", "--format", "{{.Size}} {{.CreatedBy}}", given.image).splitlines()
    programs, packages = [line.split()[0] for line in layers if "COPY" in line][:2]
    print(f"size: {size / MEGABYTE:.0f} MB, of it packages {packages} and programs {programs}")
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "ml"
        print(f"train: {train(given.image, base):.1f} s for one epoch over 2,000 images, start to end")
        model = base / "model"
        for label, options in (("all cores", ()), ("one core", ("--cpus", "1"))):
            firsts = []
            for _ in range(given.runs):
                with serving(given.image, model, *options) as (_, _, first):
                    firsts.append(first)
            print(
                f"serve, {label}: first /ping after {statistics.median(firsts):.1f} s "
                f"(median of {given.runs}; {min(firsts):.1f} to {max(firsts):.1f})"
            )
        with serving(given.image, model, "--cpus", "1") as (name, port, _):
            for rows in (1, 32):
                load(port, rows, 1)
                before = processor_seconds(name)
                rate, taken = load(port, rows, given.seconds)
                used = (processor_seconds(name) - before) / len(taken)
                print(
                    f"{rows:3} image(s) per request: {rate:6.0f} requests/s, {rate * rows:6.0f} images/s; "
                    f"median {1000 * statistics.median(taken):.1f} ms, "
                    f"p99 {1000 * taken[int(0.99 * len(taken))]:.1f} ms ({CLIENTS} clients); "
                    f"{1e6 * used:.0f} µs of processor time each"
                )


if __name__ == "__main__":
    main()
