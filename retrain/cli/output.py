"""Where commands print: for people on a terminal, as plain text into a pipe, as JSON on demand.

Results go to standard output, remarks and progress to standard error, so that a pipe gets results alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


class Output:
    """Prints the results and remarks of one command.

    Parameters
    ----------
    as_json : bool
        Print results as JSON.

    Attributes
    ----------
    indent : str
        What each printed line begins with.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        from rich.console import Console

        self.as_json = as_json
        self.indent = ""
        self.out: Console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        self.err: Console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False)

    @property
    def for_people(self) -> bool:
        """Whether results are read on a terminal."""
        return self.out.is_terminal and not self.as_json

    @property
    def unicode(self) -> bool:
        """Whether standard output can show more than ASCII."""
        return (self.out.encoding or "").lower().startswith("utf")

    def say(self, text: str, style: str = "dim") -> None:
        """Print a remark, to standard error."""
        self._lay_out(Text(text, style=style), self.err)

    def print(self, text: RenderableType = "") -> None:
        """Print a result; on a terminal, a text that is too long goes on in a next line, indented."""
        if isinstance(text, str):
            self.out.file.write(f"{self.indent}{text}".rstrip() + "\n")  # as it is: rich would expand tabs
            self.out.file.flush()
        elif isinstance(text, Text):
            self._lay_out(Text.assemble(self.indent, text) if self.indent else text, self.out)
        else:
            self.out.print(text, soft_wrap=True)

    @staticmethod
    def _lay_out(line: Text, console: Console) -> None:
        for part in hanging(line, console) if console.is_terminal else [line]:
            console.print(part, soft_wrap=True)

    def json(self, value: Any) -> None:
        """Print a value as JSON, on several lines."""
        sys.stdout.write(json.dumps(value, indent=2, default=_as_text, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def json_line(self, value: Any) -> None:
        """Print a value as JSON, on one line."""
        sys.stdout.write(json.dumps(value, default=_as_text, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table on a terminal, and lines of tab-separated values (names first) elsewhere."""
        if not self.for_people:
            for row in (columns, *rows):
                self.print("\t".join(" ".join(cell.split()) for cell in row))
            return
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for position, column in enumerate(columns):
            last = position == len(columns) - 1
            table.add_column(column, no_wrap=not last, overflow="fold" if last else "ellipsis")
        for row in rows:
            table.add_row(*row)
        self.out.print(table)

    @contextmanager
    def bytes_progress(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a progress bar on standard error, if that is a terminal; yields what is told of bytes more."""
        if not self.err.is_terminal:
            yield lambda _: None
            return
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
        with Progress(*columns, console=self.err, transient=True) as progress:
            task = progress.add_task(what, total=total)
            yield lambda sent: progress.advance(task, sent)


def hanging(line: Text, console: Console) -> list[Text]:
    """Break a line between words where the console ends; what follows is indented deeper than the line is."""
    if "\t" in line.plain:
        return [line]  # rich would expand them
    head = line.wrap(console, console.width)[0].plain
    rest = line[len(head) :]
    begin = len(rest.plain) - len(rest.plain.lstrip())
    if begin == len(rest.plain):
        return [line]
    indent = " " * min(len(line.plain) - len(line.plain.lstrip()) + 4, console.width // 2)
    if max(map(len, line.plain.split())) > console.width - len(indent):
        return [line]  # an ARN, say, which the terminal breaks so that it can still be copied whole
    broken = rest[begin:].wrap(console, console.width - len(indent))
    return [line[: len(head)], *(Text.assemble(indent, part) for part in broken)]


def _as_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
