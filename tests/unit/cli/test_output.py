"""How results look where they are too long for the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from retrain.cli.output import Output, hanging

LONG = (
    "    epoch 1/3    train_loss 1.4486   holdout_accuracy 0.9066   seconds 0.29   samples_per_second 10237"
)


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (120, [LONG]),
        (
            80,
            [
                "    epoch 1/3    train_loss 1.4486   holdout_accuracy 0.9066   seconds 0.29",
                "        samples_per_second 10237",
            ],
        ),
        (
            40,
            [
                "    epoch 1/3    train_loss 1.4486",
                "        holdout_accuracy 0.9066",
                "        seconds 0.29",
                "        samples_per_second 10237",
            ],
        ),
    ],
)
def test_a_long_line_is_broken_between_words_and_indented(width, lines):
    console = Console(file=io.StringIO(), width=width)
    assert [part.plain.rstrip() for part in hanging(Text(LONG), console)] == lines


@pytest.mark.parametrize("text", ["", "   ", "short", "a\tb " * 30, f"the execution arn:aws:{'x' * 20}"])
def test_other_lines_stay_as_they_are(text):
    console = Console(file=io.StringIO(), width=20)
    assert [part.plain for part in hanging(Text(text), console)] == [text]


def test_only_a_terminal_breaks_lines():
    for terminal, count in ((False, 1), (True, 2)):
        output = Output()
        output.out = Console(file=io.StringIO(), width=80, force_terminal=terminal, color_system=None)
        output.print(Text(LONG))
        assert output.out.file.getvalue().count("\n") == count
