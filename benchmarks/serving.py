"""Serving one image per request: requests per second, latency, start-up and memory; peers on request.

    python benchmarks/serving.py [--peers] [--only NAME ...] [--rounds 3] [--seconds 3]

Ours is the real serving program, `python -m container serve`, with every check that it makes. All servers
hold the same network and answer the same 784-byte image with the same JSON. In each round all servers are
started one after the other, each timed until its first 200, and then asked in turns over 1, 8 and 32 open
connections by a load generator in a process of its own (http_load.py), which shares the cores with the
server; what it takes of them is printed. torch has one thread in each, which is quicker here. Memory is that
of the server's whole process tree, after the load. Figures are medians over the rounds, with the least and
the greatest. A server's own processor time per request says the same on a busy machine as on an idle one.
Each peer gets an environment of its own below ~/.cache/retrain/benchmarks, made on first use.
"""

import argparse
import contextlib
import http.client
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from measuring import machine, spread
from servers import OURS, SERVERS, Server, ServerError, free_port

ROOT = Path(__file__).resolve().parents[1]
TRAINING = ROOT / "training"
CONNECTIONS = (1, 8, 32)
PATIENCE = 90
"""Seconds until a server has to answer."""


@dataclass
class Figures:
    """What was measured of one server, a value per round."""

    startup: list[float] = field(default_factory=list)
    rss: list[float] = field(default_factory=list)
    pss: list[float] = field(default_factory=list)
    loads: dict[int, list[dict]] = field(default_factory=lambda: {count: [] for count in CONNECTIONS})

    def values(self, connections: int, name: str) -> list[float]:
        return [load[name] for load in self.loads[connections]]


@dataclass
class Running:
    """A started server."""

    port: int
    process: psutil.Process
    startup: float


class Results:
    """All servers' figures, and why a server has none."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}
        self._figures: dict[str, Figures] = {}

    def __getitem__(self, server: Server) -> Figures:
        return self._figures.setdefault(server.name, Figures())

    def measured(self) -> list[tuple[str, Figures]]:
        return [(name, one) for name, one in self._figures.items() if name not in self.reasons]

    def left(self, servers: Sequence[Server]) -> list[Server]:
        return [server for server in servers if server.name not in self.reasons]

    @contextlib.contextmanager
    def leaving_out(self, server: Server) -> Iterator[None]:
        """What goes wrong with one server is told at the end, and stops none of the others."""
        try:
            yield
        except (ServerError, OSError, subprocess.CalledProcessError) as error:
            self.reasons[server.name] = str(error)


def make_model(folder: Path) -> None:
    """Write the reference network, as a training leaves it."""
    sys.path.insert(0, str(TRAINING))
    import torch

    from network import ThreeConvolutions, save_network
    from onnx_export import export_network

    torch.manual_seed(1)
    network = ThreeConvolutions()
    (folder / "code").mkdir(parents=True)
    save_network(network, folder / "model.pt", {})
    export_network(network, folder / "model.onnx", torch.zeros(1, 28, 28, dtype=torch.uint8))
    for name in ("inference.py", "network.py"):
        shutil.copy(TRAINING / name, folder / "code")
    shutil.copy(TRAINING / "network.py", folder)


@contextlib.contextmanager
def started(server: Server, folder: Path) -> Iterator[Running]:
    """Start a server, and wait for its first 200."""
    python, port = server.python(), free_port()
    command = server.command(python, port, folder)
    # One thread for each prediction: the network is small, and threads that wait for others spin.
    variables = {
        "OMP_NUM_THREADS": "1",
        "SAGEMAKER_BASE_DIR": str(folder.parent),
        "SAGEMAKER_BIND_TO_PORT": str(port),
    }
    variables["TMPDIR"] = str(folder.parent / f"tmp-{port}")  # TorchServe starts once for each
    Path(variables["TMPDIR"]).mkdir()
    variables["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    log = folder.parent / f"server-{port}.log"
    began = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=TRAINING if server is OURS else folder.parent,
            env=os.environ | variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not answers(server, port):
            if process.poll() is not None or time.perf_counter() - began > PATIENCE:
                raise ServerError(f"it does not serve: ...{log.read_text(errors='replace')[-600:]}")
            time.sleep(0.002)
        yield Running(port, psutil.Process(process.pid), time.perf_counter() - began)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(server: Server, port: int) -> bool:
    """Whether the server answers the benchmark's request with a prediction."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("POST", server.path, server.body, {"Content-Type": server.content_type})
        response = connection.getresponse()
        return response.status == 200 and len(json.loads(response.read())["predictions"]) == 1
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def memory(process: psutil.Process) -> tuple[float, float]:
    """MB of the process and all below it: resident, and with what they share counted once."""
    tree = [process, *process.children(recursive=True)]
    full = [one.memory_full_info() for one in tree]
    return sum(one.rss for one in full) / 1e6, sum(getattr(one, "pss", one.rss) for one in full) / 1e6


def processor_time(process: psutil.Process) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))


def load(server: Server, running: Running, connections: int, seconds: float) -> dict:
    """Have the load generator ask a running server."""
    before = processor_time(running.process)
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "http_load.py", "127.0.0.1", str(running.port), server.path,
         str(connections), str(seconds), server.content_type],
        input=server.body,
        capture_output=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise ServerError(f"the load generator failed: {done.stderr.decode()[-600:]}")
    found: dict = json.loads(done.stdout)
    if found["failures"] or not found["answers"]:
        raise ServerError(f"wrong answers under load: {found['failures'] or 'none at all'}")
    found["server_us"] = 1e6 * (processor_time(running.process) - before) / found["all_answers"]
    return found


def measure(servers: Sequence[Server], folder: Path, seconds: float, results: Results) -> None:
    """One round: start all servers, then ask them in turns."""
    with contextlib.ExitStack() as stack:
        up: dict[str, Running] = {}
        for server in servers:
            with results.leaving_out(server):
                up[server.name] = stack.enter_context(started(server, folder))
                results[server].startup.append(up[server.name].startup)
        for connections in CONNECTIONS:
            for server in results.left(servers):
                with results.leaving_out(server):
                    results[server].loads[connections].append(
                        load(server, up[server.name], connections, seconds)
                    )
        for server in results.left(servers):
            rss, pss = memory(up[server.name].process)
            results[server].rss.append(rss)
            results[server].pss.append(pss)


def table(results: Results) -> Iterator[str]:
    yield (
        "| server | req/s at 1 | at 8 | at 32 | p50 / p99 ms at 1 | at 8 | at 32 | its processor time, "
        "µs per request, at 1 / 8 / 32 | first 200, s | RSS / PSS, MB |"
    )
    yield "| --- " * 10 + "|"
    for name, figures in results.measured():
        rates = [spread(figures.values(count, "requests_per_second")) for count in CONNECTIONS]
        delays = [
            " / ".join(f"{statistics.median(figures.values(count, key)):.2f}" for key in ("p50_ms", "p99_ms"))
            for count in CONNECTIONS
        ]
        cost = " / ".join(
            f"{statistics.median(figures.values(count, 'server_us')):.0f}" for count in CONNECTIONS
        )
        weight = f"{statistics.median(figures.rss):.0f} / {statistics.median(figures.pss):.0f}"
        yield f"| {' | '.join([name, *rates, *delays, cost, spread(figures.startup, 2), weight])} |"


def ratios(results: Results) -> Iterator[str]:
    """Ours over each peer, round by round, since the machine may be busier in one round than in another."""
    own = results[OURS]
    for name, figures in results.measured():
        if figures is own:
            continue
        for title, key, power in (
            ("requests/s", "requests_per_second", 1),
            ("processor time", "server_us", -1),
        ):
            cells = []
            for count in CONNECTIONS:
                pairs = zip(own.values(count, key), figures.values(count, key), strict=True)
                cells.append(spread([(mine / theirs) ** power for mine, theirs in pairs], 2))
            yield f"{title}, times better than {name}: {'; '.join(cells)} at 1; 8; 32 connections"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peers", action="store_true", help="measure the others as well")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="peers whose names begin so")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each load")
    given = parser.parse_args()
    servers = [OURS]
    if given.peers or given.only:
        servers += [one for one in SERVERS if not given.only or one.name.startswith(tuple(given.only))]
    print(f"{machine()}; {given.rounds} rounds of {given.seconds:g} s", flush=True)
    results = Results()
    with TemporaryDirectory() as scratch:
        make_model(Path(scratch) / "model")
        for server in servers:
            with results.leaving_out(server):
                server.python()
        for number in range(given.rounds):
            measure(results.left(servers), Path(scratch) / "model", given.seconds, results)
            print(f"round {number + 1} of {given.rounds}", file=sys.stderr, flush=True)
    own = OURS.name not in results.reasons
    for line in (*table(results), "", *(ratios(results) if own else ())):
        print(line)
    generator = [one["generator_us"] for _, figures in results.measured() for one in figures.loads[8]]
    if generator:
        print(
            f"the load generator's own processor time: {spread(generator)} µs per request, at 8 connections"
        )
    for server in results.left(servers):
        print(f"{server.name}: {', '.join(server.packages or own_packages())}")
    for name, reason in results.reasons.items():
        print(f"NOT MEASURED: {name}: {reason}")
    sys.exit(not own)


def own_packages() -> list[str]:
    names = ("starlette", "uvicorn", "httptools", "onnxruntime", "numpy")
    return [f"{name}=={version(name)}" for name in names]


if __name__ == "__main__":
    main()
