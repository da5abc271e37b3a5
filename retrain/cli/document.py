"""docs/cli.md, written from the commands themselves: ``python -m retrain.cli.document docs/cli.md``.

The text depends on nothing but the commands: not on the terminal, its width or its colours.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

import retrain.cli
from retrain.cli.app import app
from retrain.cli.options import WHICH_CLOUD

# Commands, parameters and contexts come from the click that typer carries; its types are its own matter.
Command = Any
Parameter = Any

_PREFACE = """\
# The `retrain` command

Written from the commands themselves by `make docs`; what stands here is what `retrain COMMAND -h` says.

Data goes to standard output, words to standard error. With `--json`, where a command has it, standard output
is JSON and nothing else.
"""
_CLOUD_TITLE = "Which cloud a command works on"
_CLOUD_TEXT = """\
The one that `AWS_ENDPOINT_URL` names, if it is set; else the local cloud of this folder, while it runs; else
AWS, as the AWS CLI would find it. Every command that works on a stack takes these options."""


def markdown() -> str:
    """Return the whole document."""
    root = get_command(app)
    commands = list(_walk(root, "retrain"))
    exit_codes = " ".join((retrain.cli.__doc__ or "").split("\n\n")[1].split())
    parts = [_PREFACE, f"{exit_codes}\n", *_contents(root), *_shared(commands)]
    for name, command in commands[1:]:
        parts += _section(name, command)
    return "\n".join(parts).rstrip("\n") + "\n"


def main(arguments: list[str]) -> int:
    """Write the document to the file that is named, or print it."""
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        sys.stderr.write("usage: python -m retrain.cli.document [FILE]\n")
        return 2
    if arguments:
        Path(arguments[0]).write_text(markdown(), encoding="utf-8")
    else:
        sys.stdout.write(markdown())
    return 0


def _walk(command: Command, name: str) -> Iterator[tuple[str, Command]]:
    """Give a command and all below it, as they are listed, except hidden ones."""
    yield name, command
    if isinstance(command, TyperGroup):
        for part, inner in command.commands.items():
            if not inner.hidden:
                yield from _walk(inner, f"{name} {part}")


def _contents(root: Command) -> Iterator[str]:
    yield "| command | |\n| --- | --- |"
    for name, command in list(_walk(root, "retrain"))[1:]:
        if not isinstance(command, TyperGroup):
            yield f"| [`{name}`](#{name.replace(' ', '-')}) | {_cell(_first_sentence(command))} |"
    yield ""


def _shared(commands: list[tuple[str, Command]]) -> Iterator[str]:
    """Give the options by which a stack is found, once."""
    found = {
        parameter.name: _item(parameter, _context(command))
        for _, command in commands
        for parameter in command.params
        if _is_shared(parameter)
    }
    yield f"## {_CLOUD_TITLE}\n\n{_CLOUD_TEXT}\n"
    yield from found.values()
    yield ""


def _section(name: str, command: Command) -> Iterator[str]:
    level = "##" if name.count(" ") == 1 else "###"
    yield f"{level} `{name}`\n\n{_text(command)}\n"
    if isinstance(command, TyperGroup):
        return
    context = _context(command)
    pieces = [_usage(piece) for piece in command.collect_usage_pieces(context)]
    yield f"```console\n$ {' '.join([name, *pieces])}\n```\n"
    own = [parameter for parameter in command.params if not _is_shared(parameter)]
    items = [_item(parameter, context) for parameter in own if not parameter.hidden]
    if len(own) < len(command.params):
        anchor = _CLOUD_TITLE.lower().replace(" ", "-")
        items.append(f"- [which cloud](#{anchor}): `--stack-name`, `--aws`, `--profile`, `--region`")
    if items:
        yield "\n".join(items) + "\n"


def _context(command: Command) -> Any:
    # Without what an application hands down: then help is plain text, whatever the terminal can show.
    return typer.Context(command, info_name=command.name)


def _is_shared(parameter: Parameter) -> bool:
    return getattr(parameter, "rich_help_panel", None) == WHICH_CLOUD


def _item(parameter: Parameter, context: Any) -> str:
    names, words = cast("tuple[str, str]", parameter.get_help_record(context))
    # `PATH <path>` says twice what an argument is.
    shown = names.split(" <")[0] if parameter.param_type_name == "argument" else names
    extra = re.search(r"\s*\[([^\[\]]*)\]$", words)
    sentence = words[: extra.start()] if extra else words
    ending = f" ({extra[1]})" if extra else ""
    return f"- `{shown}`: {_escaped(sentence)}{_escaped(ending)}"


def _usage(piece: str) -> str:
    return piece.strip("{}")


def _text(command: Command) -> str:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(_escaped(" ".join(paragraph.split())) for paragraph in paragraphs)


def _first_sentence(command: Command) -> str:
    return _escaped(" ".join(inspect.cleandoc(command.help or "").split("\n\n")[0].split()))


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _escaped(text: str) -> str:
    return re.sub(r"([<*\[\]])", r"\\\1", text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
