"""`retrain workflow`: state machine definitions, drawn, checked, and with the rights that they need."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from retrain.cli.options import AsJson
from retrain.cli.output import Output
from retrain.cli.states import STANDARD_INPUT, Substitutions
from retrain.errors import DefinitionFileError, SubstitutionArgumentError

if TYPE_CHECKING:
    from retrain.states.model import StateMachine
    from retrain.workflow.drawing import Drawing, Progress

app = typer.Typer(
    help="State machine definitions: drawn, checked, and the rights they need.", no_args_is_help=True
)

EXIT_FAILED = 1

DefinitionFile = Annotated[
    str, typer.Argument(help="A definition in JSON or YAML; - for standard input.", metavar="FILE")
]


class Format(StrEnum):
    """What a graph is drawn as."""

    text = "text"
    svg = "svg"
    mermaid = "mermaid"


@app.command()
def graph(
    file: DefinitionFile,
    *,
    form: Annotated[Format, typer.Option("--format", "-f", help="What to draw it as.")] = Format.text,
    target: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file.", metavar="PATH")
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(
            help="Colour the states by an execution: what `aws stepfunctions get-execution-history` printed.",
            metavar="FILE",
        ),
    ] = None,
    width: Annotated[
        int | None, typer.Option(help="Columns of a text; the terminal's if not given.", min=40, max=400)
    ] = None,
    substitutions: Substitutions = None,
) -> None:
    """Draw a state machine: Parallel and Map nested, choices labelled, catchers dashed."""
    from retrain.workflow.drawing import draw

    output = Output()
    machine = _machine(file, substitutions)
    drawing = draw(machine, _progress(history) if history is not None else None)
    plain = target is not None or not output.for_people
    text = _drawn(
        drawing, form, width or (80 if plain else output.out.width), colour=not plain, output=output
    )
    if target is None:
        sys.stdout.write(text)
        return
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DefinitionFileError(f"{target} cannot be written: {error.strerror or error}.") from None
    output.say(f"{target} written.")


@app.command()
def iam(
    file: DefinitionFile,
    *,
    logging: Annotated[bool, typer.Option("--logging", help="It logs to CloudWatch Logs.")] = False,
    tracing: Annotated[bool, typer.Option("--tracing", help="It is traced by X-Ray.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print a table: which state needs what, and why.")
    ] = False,
    name: Annotated[
        str, typer.Option(help="The state machine's name, for distributed Maps.", metavar="NAME")
    ] = "*",
    partition: Annotated[str | None, typer.Option(help="Such as aws or aws-cn.")] = None,
    region: Annotated[str | None, typer.Option(help="Such as eu-central-1.")] = None,
    account_id: Annotated[str | None, typer.Option(help="Twelve digits.")] = None,
    substitutions: Substitutions = None,
) -> None:
    """Print the policy that the role of a state machine needs.

    Partition, region and account are CloudFormation's pseudo parameters, for Fn::Sub, unless they are given.
    """
    from retrain.workflow.iam import Scope, needs
    from retrain.workflow.iam.policies import by_purpose, document

    output = Output()
    given = {"partition": partition, "region": region, "account": account_id}
    scope = Scope(name=name, **{key: value for key, value in given.items() if value is not None})
    found = needs(_machine(file, substitutions), scope, logging=logging, tracing=tracing)
    if explain:
        rows = [
            [", ".join(each.actions), ", ".join(each.resources), ", ".join(each.states), each.why]
            for each in by_purpose(found.needs)
        ]
        output.table(("ACTIONS", "RESOURCES", "STATES", "WHY"), rows)
    else:
        output.json(document(found.needs))
    for note in found.notes:
        output.say(note, "yellow")


@app.command()
def validate(
    files: Annotated[
        list[str],
        typer.Argument(help="Definitions in JSON or YAML; - for standard input.", metavar="FILE..."),
    ],
    *,
    express: Annotated[bool, typer.Option("--express", help="For an Express state machine.")] = False,
    substitutions: Substitutions = None,
    as_json: AsJson = False,
) -> None:
    """Say for what AWS would refuse a definition, and what in it can hardly be meant.

    Beyond `retrain states validate`: paths that no earlier state can have produced, unknown actions, loops
    without an end. Ends with 1 if AWS would refuse one of the definitions.
    """
    from retrain.cli.diagnostics import report
    from retrain.workflow.checks import check

    kind: Any = "EXPRESS" if express else "STANDARD"
    found = {file: check(_text(file, substitutions), kind=kind) for file in files}
    if report(Output(as_json=as_json), found):
        raise typer.Exit(EXIT_FAILED)


def _drawn(drawing: Drawing, form: Format, width: int, *, colour: bool, output: Output) -> str:
    if form is Format.svg:
        return drawing.svg()
    if form is Format.mermaid:
        return drawing.mermaid()
    return drawing.text(width=width, colour=colour, ascii_only=not output.unicode)


def _machine(file: str, substitutions: list[str] | None) -> StateMachine:
    from retrain.states.errors import DefinitionError
    from retrain.states.model import parse
    from retrain.workflow.errors import InvalidDefinitionError

    try:
        return parse(_text(file, substitutions))
    except DefinitionError as error:
        raise InvalidDefinitionError(error.diagnostics, what=file) from None


def _text(file: str, substitutions: list[str] | None) -> str:
    """Return a definition that can be parsed; tokens without a value stay in sight."""
    from retrain.workflow.iam import fill

    return fill(_read(file), dict(map(_pair, substitutions or [])))


def _pair(argument: str) -> tuple[str, str]:
    name, equals, value = argument.partition("=")
    if not name or not equals:
        raise SubstitutionArgumentError(f"'{argument}' must be NAME=VALUE, like Partition=aws.")
    return name, value


def _progress(file: str) -> Progress:
    from retrain.states.errors import StatesLanguageError
    from retrain.workflow.drawing import Progress

    try:
        document = json.loads(_read(file))
        events = document["events"] if isinstance(document, dict) else document
        return Progress.from_history(events)
    except (ValueError, KeyError, TypeError, AttributeError, StatesLanguageError) as error:
        raise DefinitionFileError(f"{file} holds no history of an execution: {error}") from None


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == STANDARD_INPUT else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise DefinitionFileError(f"{file} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise DefinitionFileError(f"{file} is no text in UTF-8.") from None
