"""`retrain states`: state machine definitions, checked and run without AWS."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrain.cli import diagnostics, states_run
from retrain.cli.options import AsJson
from retrain.cli.output import Output
from retrain.cli.pairs import parse_pairs
from retrain.errors import DefinitionFileError, SubstitutionArgumentError

if TYPE_CHECKING:
    from retrain.states.model import StateMachine

app = typer.Typer(help="State machine definitions, checked and run without AWS.", no_args_is_help=True)

EXIT_FAILED = 1
STANDARD_INPUT = "-"

Substitutions = Annotated[
    list[str] | None,
    typer.Option(
        "--substitute",
        help="What a ${NAME} stands for; may be given several times. Others get placeholders.",
        metavar="NAME=VALUE",
    ),
]


app.command("run")(states_run.run)


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
    """Say everything for which AWS would refuse a state machine definition, and what is doubtful in it.

    Ends with 1 if AWS would refuse one of the definitions.
    """
    from retrain.states.validation import validate as check

    output = Output(as_json=as_json)
    texts = {file: read_definition(output, file, substitutions) for file in files}
    found = {file: check(text, kind="EXPRESS" if express else "STANDARD") for file, text in texts.items()}
    if diagnostics.report(output, found):
        raise typer.Exit(EXIT_FAILED)


def read_definition(output: Output, file: str, substitutions: list[str] | None = None) -> str:
    """Return a definition's text with its `${NAME}` tokens filled in, and say which got placeholders.

    Raises
    ------
    DefinitionFileError
        The file cannot be read, or is no text.
    """
    from retrain.states.model.substitutions import substitute

    try:
        text = sys.stdin.read() if file == STANDARD_INPUT else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise DefinitionFileError(f"{file} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise DefinitionFileError(f"{file} is no text in UTF-8, so it is no definition.") from None
    text, missing = substitute(text, _values(substitutions or []))
    if missing:
        output.say(f"{file}: placeholders stand for {', '.join(missing)} (--substitute NAME=VALUE).")
    return text


def machine_of(output: Output, file: str, text: str, *, express: bool) -> StateMachine:
    """Return a definition's state machine; if AWS would refuse it, say why and end the command."""
    from retrain.states.model import parse
    from retrain.states.validation import validate as check

    found = check(text, kind="EXPRESS" if express else "STANDARD")
    if diagnostics.refuses(found):
        diagnostics.report(output, {file: found})
        raise typer.Exit(EXIT_FAILED)
    return parse(text)


def _values(arguments: list[str]) -> dict[str, str]:
    return parse_pairs(
        arguments,
        lambda text: SubstitutionArgumentError(f"'{text}' must be NAME=VALUE, like Partition=aws."),
    )
