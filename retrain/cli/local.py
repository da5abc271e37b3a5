"""`retrain local`: the whole service on this machine, without an AWS account and without Docker."""

from __future__ import annotations

import shlex
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrain.cli import codepipeline, schedule
from retrain.cli.options import AsJson
from retrain.cli.output import Output
from retrain.cli.pairs import parse_pairs
from retrain.errors import UsageError
from retrain.project import project_root, state_dir

if TYPE_CHECKING:
    from retrain.localcloud.process import LocalCloud

app = typer.Typer(help="The local cloud: AWS on this machine, on 127.0.0.1 only.", no_args_is_help=True)
app.add_typer(schedule.app, name="schedule")
app.add_typer(codepipeline.app, name="codepipeline")

NOT_RUNNING = 1


@app.command("up")
def up(
    *,
    port: Annotated[
        int, typer.Option(help="Port on 127.0.0.1; 0 takes any that is free.", min=0, max=65535)
    ] = 4566,
    image: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=FOLDER: the folder that stands for the image of that repository. Repeatable.",
            metavar="NAME=FOLDER",
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=VALUE: a parameter of the stack, which holds until 'reset'. Repeatable.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start the local cloud in the background and deploy the stack; a second 'up' changes only parameters."""
    from retrain.localcloud import process

    output = Output(as_json=as_json)
    root = project_root()
    images = {**_images(image or []), **process.default_images(root)}
    cloud = process.up(
        state_dir(root),
        port=port or None,
        project_root=root,
        images=images,
        parameters=_parameters(parameter or []),
        on_progress=output.say,
    )
    _print_cloud(output, cloud)
    if output.for_people:
        output.say('Next: retrain data mnist; or, for another program: eval "$(retrain local env)"')


@app.command("down")
def down(*, as_json: AsJson = False) -> None:
    """Stop the local cloud and everything that runs in it; its data is kept."""
    from retrain.localcloud import process

    output = Output(as_json=as_json)
    stopped = process.down(state_dir())
    if as_json:
        output.json({"stopped": stopped})
    else:
        output.print("The local cloud is stopped." if stopped else "No local cloud was running.")


@app.command("status")
def status(*, as_json: AsJson = False) -> None:
    """Say whether the local cloud runs, and where. Exit code 0 if it does, 1 if not."""
    output = Output(as_json=as_json)
    cloud = _running()
    if cloud is not None:
        _print_cloud(output, cloud)
        return
    if as_json:
        output.json({"running": False})
    else:
        output.print("No local cloud is running: 'retrain local up' starts it.")
    raise typer.Exit(NOT_RUNNING)


@app.command("reset")
def reset(
    *, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False, as_json: AsJson = False
) -> None:
    """Stop the local cloud and delete its data: buckets, runs, endpoints, logs."""
    from retrain.localcloud import process

    output = Output(as_json=as_json)
    folder = state_dir()
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"This deletes all data of the local cloud in {folder}: say so with --yes.")
        typer.confirm(f"Delete all data of the local cloud in {folder}?", abort=True, err=True)
    process.reset(folder)
    if as_json:
        output.json({"reset": True, "state_dir": folder})
    else:
        output.print(f"The local cloud is stopped and its data in {folder} is deleted.")


@app.command("env")
def env(*, as_json: AsJson = False) -> None:
    """Print what other programs need to use the local cloud: eval "$(retrain local env)"."""
    from retrain.localcloud import process

    output = Output(as_json=as_json)
    environment = process.environment(_must_run())
    if as_json:
        output.json(environment)
        return
    for name, value in environment.items():
        output.print(f"export {name}={shlex.quote(value)}")


@app.command("logs")
def logs(
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.", min=0)] = 100,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as lines come, until Ctrl-C.")
    ] = False,
) -> None:
    """Print the local cloud's own log (a training job's: 'retrain logs')."""
    from retrain.localcloud import process

    path = process.log_path(state_dir())
    if not path.is_file():
        raise UsageError(
            f"There is no log at {path}: the local cloud has not run here. 'retrain local up' starts it."
        )
    output = Output()
    for line in _tail(path, lines, follow=follow):
        output.print(line)


def _running() -> LocalCloud | None:
    from retrain.localcloud import process

    return process.status(state_dir())


def _must_run() -> LocalCloud:
    cloud = _running()
    if cloud is None:
        raise UsageError("No local cloud is running: 'retrain local up' starts it.")
    return cloud


def _print_cloud(output: Output, cloud: LocalCloud) -> None:
    if output.as_json:
        output.json(
            {
                "running": True,
                "endpoint_url": cloud.endpoint_url,
                "port": cloud.port,
                "pid": cloud.pid,
                "started_at": cloud.started_at,
                "stack_name": cloud.stack_name,
                "state_dir": cloud.state_dir,
            }
        )
        return
    output.print(f"endpoint  {cloud.endpoint_url}")
    output.print(f"stack     {cloud.stack_name}")
    output.print(f"pid       {cloud.pid}, since {cloud.started_at}")
    output.print(f"state     {cloud.state_dir}")


def _images(texts: list[str]) -> dict[str, Path]:
    images = {}
    for text in texts:
        name, separator, folder = text.partition("=")
        if not name or not separator or not folder:
            raise UsageError(f"--image wants NAME=FOLDER, such as my-model=./model, not '{text}'.")
        path = Path(folder).expanduser().resolve()
        if not (path / "Dockerfile").is_file():
            raise UsageError(
                f"--image {text}: {path} holds no Dockerfile, whose ENTRYPOINT says what to run."
            )
        images[name] = path
    return images


def _parameters(texts: list[str]) -> dict[str, str]:
    return parse_pairs(
        texts,
        lambda text: UsageError(f"--parameter wants NAME=VALUE, such as RequireApproval=true, not '{text}'."),
    )


def _tail(path: Path, lines: int, *, follow: bool) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from (line.rstrip("\n") for line in deque(file, maxlen=lines))
        while follow:
            line = file.readline()
            if line:
                yield line.rstrip("\n")
            else:
                time.sleep(0.2)
