"""`retrain predict`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrain.cli import digits, render
from retrain.cli.options import Cloud, on_a_stack
from retrain.cli.output import Output
from retrain.errors import UsageError

if TYPE_CHECKING:
    from retrain.operations.predict import Answer, Picture

    Question = tuple[Picture, int | None]


@on_a_stack
def predict(
    cloud: Cloud,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Requests, sent as they are: .json, .jsonl, .csv, or anything with --content-type. Or "
            "images of 28x28: .png, .npy (one or many), or raw bytes.",
            metavar="FILE...",
            show_default=False,
        ),
    ] = None,
    *,
    dataset: Annotated[str, typer.Option("--dataset", help="Whose endpoint to ask.")] = "mnist",
    sample: Annotated[
        int, typer.Option(help="Ask about so many of MNIST's test images, too.", min=0, max=1000)
    ] = 0,
    seed: Annotated[int | None, typer.Option(help="Which ones; by default others each time.")] = None,
    content_type: Annotated[
        str | None,
        typer.Option(help="Send the files as they are, as this, and print what is answered.", metavar="TYPE"),
    ] = None,
) -> None:
    """Ask a dataset's live endpoint: about requests of your own, or which digits it sees."""
    from retrain.operations import predict as operations

    if not files and not sample:
        raise UsageError("There is nothing to predict: name a file, or ask for test images with --sample 5.")
    output = cloud.output
    types = [content_type or operations.content_type(file) for file in files or []]
    if any(types):
        if sample or not all(types):
            raise UsageError("Images and other files take two calls: their answers look different.")
        _ask_as_it_is(cloud, dataset, list(zip(files or [], map(str, types), strict=True)))
        return
    questions: list[Question] = [
        (picture, None) for file in files or [] for picture in operations.read_pictures(file)
    ]
    if sample:
        questions += _samples(output, sample, seed)
    stack = cloud.stack()
    endpoint = stack.endpoint_name(dataset)
    answers = [operations.ask(stack, endpoint, picture) for picture, _ in questions]
    show_answers(output, questions, answers)


def _ask_as_it_is(cloud: Cloud, dataset: str, files: list[tuple[Path, str]]) -> None:
    from retrain.operations import predict as operations

    requests = [(file, kind, operations.read(file)) for file, kind in files]
    stack = cloud.stack()
    endpoint = stack.endpoint_name(dataset)
    answers = [
        operations.readable(operations.invoke(stack, endpoint, body, kind)) for _, kind, body in requests
    ]
    if cloud.output.as_json:
        cloud.output.json(
            [{"name": str(file), "answer": answer} for (file, _), answer in zip(files, answers, strict=True)]
        )
        return
    for answer in answers:
        cloud.output.print(answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False))


def show_answers(output: Output, questions: list[Question], answers: list[Answer]) -> None:
    """Print each picture with its answer: drawn on a terminal or in a pipe, as data in JSON."""
    if output.as_json:
        output.json(
            [
                {
                    "name": picture.name,
                    "label": answer.label,
                    "truth": truth,
                    "probabilities": list(answer.probabilities),
                }
                for (picture, truth), answer in zip(questions, answers, strict=True)
            ]
        )
        return
    colours = output.for_people and output.unicode and output.out.color_system not in (None, "standard")
    blocks = [
        [
            *render.answer_block(picture, answer, truth, colours=colours, unicode=output.unicode),
            Path(picture.name).name,
        ]
        for (picture, truth), answer in zip(questions, answers, strict=True)
    ]
    for line in digits.side_by_side(blocks, output.out.width - len(output.indent)):
        output.print(line)
    judged = [
        (truth, answer.label)
        for (_, truth), answer in zip(questions, answers, strict=True)
        if truth is not None
    ]
    if judged:
        output.print(f"{sum(truth == label for truth, label in judged)} of {len(judged)} right")


def _samples(output: Output, count: int, seed: int | None) -> list[Question]:
    import numpy as np

    from retrain.datasets import mnist
    from retrain.operations.predict import picture

    found = mnist.fetch(say=output.say)
    images, labels = found.images(mnist.TEST_IMAGES), found.images(mnist.TEST_LABELS)
    chosen = np.random.default_rng(seed).choice(len(labels), size=min(count, len(labels)), replace=False)
    return [(picture(images[row], f"test image {row}"), int(labels[row])) for row in chosen.tolist()]
