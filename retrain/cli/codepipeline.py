"""`retrain local codepipeline`: a built image, sent to Retrain through a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from retrain.cli.options import AsJson
from retrain.cli.output import Output
from retrain.errors import UsageError
from retrain.operations import codepipeline
from retrain.project import state_dir

if TYPE_CHECKING:
    from retrain.aws import Stack

app = typer.Typer(help="Pipelines of the local cloud.", no_args_is_help=True)

_STYLES = {"Succeeded": "green", "Failed": "bold red"}


@app.command("run")
def run(
    *,
    image: Annotated[
        str,
        typer.Option(
            help="The image that was built; without a registry, one of the local cloud's.", metavar="IMAGE"
        ),
    ],
    dataset: Annotated[str, typer.Option(help="The dataset's name.")] = "mnist",
    way: Annotated[
        str, typer.Option(help="native: Step Functions' own action; lambda: the function codepipeline_job.")
    ] = codepipeline.LAMBDA,
    image_file: Annotated[
        str, typer.Option(help="How the build says which image it has made.", metavar="FILE")
    ] = codepipeline.DETAIL,
    on_rejected: Annotated[
        str | None,
        typer.Option(
            help="fail or succeed, instead of what the stack says; for --way lambda.", metavar="POLICY"
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Train even if the same has been trained before.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the pipeline to its end.")] = False,
    timeout: Annotated[float | None, typer.Option(help="Give up after so many seconds.", min=0)] = None,
    as_json: AsJson = False,
) -> None:
    """Hand an image to Retrain through a pipeline: source, then Retrain by one of two ways.

    With --watch, the exit code is 0 if the pipeline has succeeded, and 1 if it has not.
    """
    _check("--way", way, codepipeline.WAYS)
    _check("--image-file", image_file, codepipeline.IMAGE_FILES)
    _check("--on-rejected", on_rejected or "fail", ("fail", "succeed"))
    if on_rejected and way == codepipeline.NATIVE:
        raise UsageError(
            "--on-rejected is for --way lambda: to the native action, a rejected challenger is a success."
        )
    output = Output(as_json=as_json)
    stack = _stack()
    request: dict[str, Any] = {"dataset": {"name": dataset}} | ({"force": True} if force else {})
    build = codepipeline.Build(codepipeline.in_registry(image), request, image_file)
    name, execution_id = codepipeline.release(stack, build, way, on_rejected=on_rejected)
    if not watch:
        if as_json:
            output.json({"pipeline": name, "execution": execution_id})
        else:
            output.print(f"The pipeline {name} has begun its execution {execution_id}.")
        return
    _watch(output, stack, name, execution_id, timeout)


def _watch(output: Output, stack: Stack, name: str, execution_id: str, timeout: float | None) -> None:
    details: dict[str, Any] = {}
    for detail in codepipeline.follow(stack, name, execution_id, timeout=timeout):
        details[detail["actionName"]] = detail
        if not output.as_json:
            output.print(_line(detail))
    ended = codepipeline.status(stack, name, execution_id)
    variables = details.get("Retrain", {}).get("output", {}).get("outputVariables", {})
    if output.as_json:
        output.json(
            {"pipeline": name, "execution": execution_id, "status": ended, "actions": list(details.values())}
        )
    else:
        for variable, value in variables.items():
            output.print(f"  {variable}  {value}")
        output.print(Text.assemble("pipeline ", name, "  ", (ended, _STYLES.get(ended, ""))))
    raise typer.Exit(0 if ended == "Succeeded" else 1)


def _line(detail: dict[str, Any]) -> Text:
    result = detail["output"].get("executionResult", {})
    told = result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary", "")
    status = detail["status"]
    return Text.assemble(
        f"{detail['actionName']:<8} ", (status, _STYLES.get(status, "")), f"  {told}" if told else ""
    )


def _check(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{option} is '{value}'; it must be one of {', '.join(choices)}.")


def _stack() -> Stack:
    """The stack of the local cloud that runs here."""
    from retrain.aws import Stack, Target
    from retrain.localcloud import process

    cloud = process.status(state_dir())
    if cloud is None:
        raise UsageError("No local cloud is running: 'retrain local up' starts it.")
    target = Target(cloud.endpoint_url, process.environment(cloud), local_cloud=True)
    return Stack(cloud.stack_name, target)
