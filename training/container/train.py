"""`train`: run a training program the way SageMaker's own images do."""

from __future__ import annotations

import collections
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import IO

from container.environment import JobConfig, command_line, program_environment, read_config
from container.errors import ConfigurationError, ContainerError, ExecuteUserScriptError
from container.failure import describe, last_words, write_failure
from container.layout import IMAGE_DIR, Layout
from container.source import fetch_source, find_program, install_requirements

DEFAULT_PROGRAM = "train.py"
STARTUP_DIR = Path(__file__).resolve().parent / "startup"
STDERR_LINES_KEPT = 200
STDERR_DRAIN_SECONDS = 5.0


def main() -> int:
    """Run the job's program; return the exit status, having written the failure file if it is not 0."""
    layout = Layout.from_environment()
    runner = ProgramRunner()
    try:
        config = read_config(layout)
        for folder in (layout.model, layout.output / "data"):
            folder.mkdir(parents=True, exist_ok=True)
        folder, program, submitted = locate_program(layout, config)
        packages = install_requirements(folder, layout) if folder != IMAGE_DIR else None
        environment = os.environ | program_environment(layout, config, program, submitted)
        environment["PYTHONPATH"] = python_path(folder, packages)
        environment["PYTHONUNBUFFERED"] = "1"  # log lines appear when they are written
        # A thread of OpenMP that waits for the others spins for milliseconds. Where the cores are shared,
        # with other hosts of the job or anything else, they take each other's time: measured, an epoch of the
        # reference model took 35 to 60 s on two busy cores, 12 s with this shorter spin; on two idle ones 3.2
        # s and 3.7 s.
        if "OMP_WAIT_POLICY" not in os.environ:
            environment.setdefault("GOMP_SPINCOUNT", "1000")
        interpreter = ["/bin/sh"] if program.suffix == ".sh" else [sys.executable]
        runner.run([*interpreter, str(program), *command_line(config.hyperparameters)], folder, environment)
    except ExecuteUserScriptError as error:
        if not runner.stopped:
            write_failure(layout, error)
        return error.exit_code
    except ContainerError as error:
        print(describe(error), file=sys.stderr, flush=True)
        write_failure(layout, error)
        return 1
    except Exception as error:
        write_failure(layout, error)
        raise
    return 0


def locate_program(layout: Layout, config: JobConfig) -> tuple[Path, Path, str]:
    """Find what to run: the submitted program (script mode), or the image's own.

    Returns
    -------
    tuple[Path, Path, str]
        The folder of the code, the program's file in it, and where the code came from.

    Raises
    ------
    ConfigurationError
        If the program is of a kind that cannot be run.
    SourceError
        If it cannot be fetched or found.
    """
    name = str(config.framework.get("sagemaker_program") or DEFAULT_PROGRAM)
    submitted = config.framework.get("sagemaker_submit_directory")
    if Path(name).suffix not in (".py", ".sh"):
        raise ConfigurationError(f"The entry point {name!r} is neither a .py nor a .sh file.")
    if submitted:
        folder = fetch_source(str(submitted), layout, config.framework.get("sagemaker_region"))
    elif config.framework.get("sagemaker_program") and (layout.code / name).is_file():
        folder = layout.code
    else:
        folder = IMAGE_DIR
    return folder, find_program(folder, name), str(submitted or folder)


def python_path(folder: Path, packages: Path | None) -> str:
    """Return PYTHONPATH for the program: its own folder and packages before the image's.

    The image's modules are left out for submitted code, whose own may have the same names.
    """
    inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    others = [entry for entry in inherited if Path(entry).resolve() != IMAGE_DIR]
    return os.pathsep.join(map(str, [STARTUP_DIR, folder, *([packages] if packages else []), *others]))


class ProgramRunner:
    """Runs one program, passes its output on as it comes, and passes SIGTERM on to it.

    Attributes
    ----------
    stopped : bool
        Whether the platform asked to stop.
    """

    def __init__(self) -> None:
        self.stopped = False
        self._starting = False
        self._process: subprocess.Popen[bytes] | None = None
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the form of a signal handler
        self.stopped = True
        if self._process is not None:
            self._process.send_signal(number)
        elif not self._starting:
            raise SystemExit(128 + number)  # nothing runs yet that would want to save its work

    def run(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        """Run the command to its end.

        Raises
        ------
        ExecuteUserScriptError
            If it ends with another status than 0.
        """
        print(f"running {shlex.join(command)}", flush=True)
        self._starting = True  # a signal that comes while the process is made is passed on just after
        process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE)
        self._process = process
        if self.stopped:
            process.send_signal(signal.SIGTERM)
        assert process.stderr is not None  # noqa: S101 - it was asked for as a pipe
        lines: collections.deque[str] = collections.deque(maxlen=STDERR_LINES_KEPT)
        pump = threading.Thread(target=_pass_on, args=(process.stderr, lines), daemon=True)
        pump.start()
        status = process.wait()
        # Something that the program left behind may hold the pipe open: it is not waited for.
        pump.join(STDERR_DRAIN_SECONDS)
        if status:
            exit_code = status if status > 0 else 128 - status
            words = last_words(lines) or _without_words(status)
            raise ExecuteUserScriptError(exit_code, words, shlex.join(command))


def _pass_on(stream: IO[bytes], lines: collections.deque[str]) -> None:
    for line in stream:
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
        lines.append(line.decode(errors="replace"))


def _without_words(status: int) -> str:
    if status < 0:
        return f"the program was ended by {signal.Signals(-status).name} and said nothing"
    return "the program said nothing on standard error"
