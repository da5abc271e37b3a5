"""docs/cli.md says what the commands say, wherever it is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from retrain.cli import document

PROJECT = Path(__file__).resolve().parents[3]
FILE = PROJECT / "docs" / "cli.md"


def test_the_document_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == document.markdown(), "write it anew: make docs"


@pytest.mark.parametrize(
    "surroundings",
    [
        {"COLUMNS": "20", "TERM": "dumb"},
        {"COLUMNS": "300", "FORCE_COLOR": "1", "TERMINAL_WIDTH": "30", "RETRAIN_STACK_NAME": "other"},
    ],
)
def test_it_does_not_depend_on_where_it_is_written(tmp_path: Path, surroundings: dict[str, str]) -> None:
    written = tmp_path / "cli.md"
    program = "import sys; from retrain.cli.document import main; sys.exit(main(sys.argv[1:]))"
    subprocess.run(
        [sys.executable, "-c", program, written], check=True, cwd=tmp_path, env={**os.environ, **surroundings}
    )
    assert written.read_text(encoding="utf-8") == document.markdown()


def test_every_command_has_a_section_with_its_own_options() -> None:
    text = document.markdown()
    upload = text.split("\n## `retrain upload`\n")[1].split("\n## ")[0]
    assert "$ retrain upload [OPTIONS] PATH" in upload
    assert "- `--holdout`: Into the evaluation set; it starts no run." in upload
    assert "\n### `retrain local codepipeline run`\n" in text
    assert text.count("`--stack-name <str>`: ") == 1


def test_every_link_has_its_heading() -> None:
    text = document.markdown()
    headings = {
        line.lstrip("#").strip().replace("`", "").lower().replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    targets = {part.split(")")[0] for part in text.split("](#")[1:]}
    assert targets
    assert targets <= headings


def test_a_wrong_call_says_how_to_call_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert document.main(["--help"]) == 2
    assert "usage: python -m retrain.cli.document [FILE]" in capsys.readouterr().err


def test_without_a_file_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert document.main([]) == 0
    assert capsys.readouterr().out == document.markdown()
