"""`retrain program set | show | remove`: what a dataset is trained with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from retrain.cli.options import Cloud, on_a_stack
from retrain.cli.output import Output
from retrain.operations import program as operations

app = typer.Typer(help="A dataset's own training program.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The dataset's name.", metavar="DATASET", show_default=False)]
Hyperparameters = Annotated[
    list[str] | None,
    typer.Option("--hyperparameter", help="NAME=VALUE. Repeatable.", metavar="NAME=VALUE"),
]


@app.command("set")
@on_a_stack
def set_program(
    cloud: Cloud,
    dataset: Name,
    folder: Annotated[
        Path,
        typer.Argument(help="The folder with the program.", metavar="FOLDER", show_default=False),
    ],
    *,
    entry_point: Annotated[
        str, typer.Option(help="The file in it that trains, and has model_fn.")
    ] = "train.py",
    hyperparameter: Hyperparameters = None,
    instance_type: Annotated[
        str | None, typer.Option(help="To train on, such as ml.c5.xlarge; else the stack's.")
    ] = None,
    instance_count: Annotated[
        int | None, typer.Option(help="How many of them; else the stack's.", min=1, max=100)
    ] = None,
) -> None:
    """Upload a program, and train the dataset with it from the next run on. Nothing is started."""
    output = cloud.output
    further = {
        "hyperparameters": operations.parse_hyperparameters(hyperparameter or []),
        "instance_type": instance_type,
        "instance_count": instance_count,
    }
    packed = operations.pack(dataset, folder, entry_point)
    stack = cloud.stack()
    _print(output, dataset, operations.change(stack, dataset, packed, further))
    output.say(f"The next upload trains with it; 'retrain start --dataset {dataset}' what is there already.")


@app.command()
@on_a_stack
def show(cloud: Cloud, dataset: Name) -> None:
    """Print what the dataset is trained with."""
    output = cloud.output
    stack = cloud.stack()
    _print(output, dataset, operations.of(stack, dataset))


@app.command()
@on_a_stack
def remove(cloud: Cloud, dataset: Name) -> None:
    """Train the dataset by the stack's parameters again. Models that serve go on serving."""
    output = cloud.output
    stack = cloud.stack()
    operations.remove(stack, dataset)
    _print(output, dataset, None)


def _print(output: Output, dataset: str, training: dict[str, Any] | None) -> None:
    if output.as_json:
        output.json({"dataset": dataset, "training": training})
        return
    if training is None:
        output.print(
            f"{dataset} is trained by the stack's parameters (TrainingImageUri, TrainingSourceS3Uri, ...)."
        )
        return
    rows = [[name, _text(value)] for name, value in training.items()]
    output.table(("FIELD", "VALUE"), rows)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={each}" for name, each in value.items())
    return str(value)
