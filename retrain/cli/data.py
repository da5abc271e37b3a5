"""`retrain data`: datasets to try Retrain with."""

from __future__ import annotations

from typing import Annotated

import typer

from retrain.cli.options import AsJson
from retrain.cli.output import Output

app = typer.Typer(help="Datasets to try Retrain with.", no_args_is_help=True)


@app.callback()
def _data() -> None:
    """Keep 'mnist' a command of its own while it is the only one."""


@app.command("mnist")
def mnist(
    *,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the result.")] = False,
) -> None:
    """Fetch the 70,000 handwritten digits of MNIST, once, and print where they are.

    Two folders are made, ready for 'retrain upload': the training images, and the holdout with its
    labels.csv.
    """
    from retrain.datasets import mnist as source
    from retrain.datasets.files import cache_folder

    output = Output(as_json=as_json)
    found = source.fetch(say=(lambda _: None) if quiet else output.say)
    training, holdout = source.folders(found, cache_folder())
    if as_json:
        output.json(
            {
                "source": found.source,
                "folder": found.folder,
                "training": {"folder": training, "images": found.train_count},
                "holdout": {"folder": holdout, "images": found.test_count},
            }
        )
        return
    output.print(f"source    {found.source}")
    output.print(f"training  {found.train_count:,} images  {training}")
    output.print(f"holdout   {found.test_count:,} images  {holdout}")
    if not found.is_complete:
        output.say(
            "These are 5,000 of the 70,000 images: a model trained on them is worse than one trained on all.",
            "yellow",
        )
    if output.for_people:
        output.say(f"Next: retrain upload {holdout} --dataset mnist --holdout")
        output.say(f"      retrain upload {training} --dataset mnist")
