"""Lambda invocations: MiniStack's pool of workers, with `FunctionProcess` in it and with a bound."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.context import LocalCloudContext
from retrain.localcloud.repairs.lambda_forks import ForkServers
from retrain.localcloud.repairs.lambda_packages import runtime_folder
from retrain.localcloud.repairs.lambda_pool import WorkerPool
from retrain.localcloud.repairs.lambda_worker import FunctionProcess, unpacked

log = logging.getLogger("retrain.localcloud")

MAX_RUNNING = max(8, 2 * (os.cpu_count() or 1))
"""How many invocations run at once; further ones wait, and are throttled in the end."""

WAIT_SECONDS = 60.0

seams.expect(seams.RUNTIME, "Worker", "func_name config code_zip")
seams.expect(seams.RUNTIME, "_worker_class_for", "config")
seams.expect(seams.RUNTIME, "execution_credentials", "config")
seams.expect(seams.RUNTIME, "reset", "")
seams.expect(seams.LAMBDA, "acquire_worker", "func_name config code_zip qualifier max_concurrency")
seams.expect(seams.LAMBDA, "_execute_function_warm", "func event request_id")
seams.expect(seams.LAMBDA, "_resolve_layer_zip", "attachment")
seams.expect(seams.LAMBDA, "_throttle_response", "reason_code msg retry_after")
seams.expect(seams.LAMBDA, "_xray_trace_id_for_invocation", "config inbound_trace_header")

_running = threading.BoundedSemaphore(MAX_RUNNING)
_forks = ForkServers()


def install(context: LocalCloudContext) -> None:
    """Run Python functions in `FunctionProcess`."""
    runtime, service = seams.module(seams.RUNTIME), seams.module(seams.LAMBDA)
    folder = context.state_dir / "lambda"
    packages = runtime_folder(folder / "runtime")
    pool = WorkerPool(runtime)

    class PythonWorker(runtime.Worker):  # type: ignore[misc, name-defined]
        """MiniStack's worker, with another process in it."""

        def __init__(self, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
            super().__init__(func_name, config, code_zip)
            self._function: FunctionProcess | None = None

        def _spawn(self) -> None:
            _, error = self._start()
            if error is not None:
                raise RuntimeError(f"{error['errorType']}: {error['errorMessage']}")

        def _start(self) -> tuple[FunctionProcess, dict[str, Any] | None]:
            path = [
                unpacked(self.code_zip, folder / "code"),
                *_layers(self.config, folder / "layers"),
                packages,
            ]
            credentials = runtime.execution_credentials(self.config)
            function = FunctionProcess(
                self.config, path, credentials, self.config["FunctionArn"].split(":")[3], _forks
            )
            self._function = function
            self._proc: Any = function.process  # MiniStack ends it through this
            began = time.monotonic()
            error = function.start()
            if error is not None:
                self._end(function)
            else:
                pool.started(time.monotonic() - began)
            return function, error

        def run(self, event: Any, request_id: str, trace: str | None) -> dict[str, Any]:
            """Invoke the function, starting its process where there is none."""
            with self._lock:
                function, printed = self._function, ""
                # kill_workers takes _proc away from a worker whose function was changed.
                if self._proc is None or function is None or not function.alive:
                    function, error = self._start()
                    printed = function.drain_log()
                    if error is not None:
                        return {"error": {**error, "requestId": request_id}, "log": printed}
                answer = function.invoke(event, request_id, trace)
                answer["log"] = "\n".join(filter(None, (printed, answer["log"])))
                if not function.alive:
                    self._end(function)
                return answer

        def _end(self, function: FunctionProcess) -> None:
            function.kill()
            self._proc = None

    def worker_class(original: Callable[..., Any], config: dict[str, Any]) -> Any:
        return PythonWorker if str(config.get("Runtime", "")).startswith("python") else original(config)

    def execute(
        original: Callable[..., Any], func: dict[str, Any], event: Any, request_id: str
    ) -> dict[str, Any]:
        config, code = func.get("config") or func, func.get("code_zip")
        if not code or not str(config.get("Runtime", "")).startswith("python"):
            result: dict[str, Any] = original(func, event, request_id)
            return result
        if not _running.acquire(timeout=WAIT_SECONDS):
            throttled: dict[str, Any] = service._throttle_response(
                "ConcurrentInvocationLimitExceeded",
                f"Rate exceeded: {MAX_RUNNING} functions are running on this computer, and none has ended "
                f"for {WAIT_SECONDS:.0f} s.",
            )
            return throttled
        try:
            worker = pool.take(config, code)
            try:
                answer = worker.run(event, request_id, service._xray_trace_id_for_invocation(config))
            finally:
                pool.give_back(worker)
        finally:
            _running.release()
        if "error" in answer:
            return {"body": answer["error"], "error": True, "log": answer["log"]}
        return {"body": answer["result"], "log": answer["log"]}

    seams.wrap(seams.RUNTIME, "_worker_class_for", worker_class)
    seams.wrap(seams.LAMBDA, "_execute_function_warm", execute)


def shutdown() -> None:
    """End all functions' processes."""
    seams.module(seams.RUNTIME).reset()
    _forks.close()


def _layers(config: dict[str, Any], folder: Path) -> list[Path]:
    """The folders of a function's layers in which Python finds packages; the last layer comes first."""
    resolve = seams.module(seams.LAMBDA)._resolve_layer_zip
    found: list[Path] = []
    for layer in config.get("Layers", []):
        archive = resolve(layer)
        if not archive:
            continue
        root = unpacked(archive, folder)
        found[:0] = [*sorted(root.glob("python/lib/python3.*/site-packages")), root / "python"]
    return [path for path in found if path.is_dir()]
