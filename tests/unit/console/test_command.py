"""`retrain console`: says where the page is, or why there is none."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from retrain import cli
from tests.unit.console.fakes import ConsoleStack

URL = "http://127.0.0.1:4580/"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, stack: ConsoleStack) -> list[int]:
    """The ports that were to be served; the server is ready at once, and ends."""
    ports: list[int] = []

    def serve(_: Any, port: int, on_ready: Callable[[str], object]) -> None:
        ports.append(port)
        on_ready(URL)

    monkeypatch.setattr("retrain.cli.options.connect", lambda *_, **__: stack)
    monkeypatch.setattr("retrain.console.server.serve", serve)
    return ports


def test_the_address_is_printed(served, capsys):
    assert cli.run(["console"]) == 0
    assert served == [4580]
    assert capsys.readouterr().out == f"{URL}\n"


def test_the_address_is_printed_for_programs(served, capsys):
    assert cli.run(["console", "--port", "0", "--json"]) == 0
    assert served == [0]
    assert json.loads(capsys.readouterr().out) == {"url": URL}


def test_the_browser_is_opened_if_asked_for(served, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert cli.run(["console"]) == 0
    assert opened == []
    assert cli.run(["console", "--open"]) == 0
    assert opened == [URL]


def test_a_stack_that_is_not_there_is_said_before_anything_is_served(served, stack, capsys):
    stack.outputs = {}
    assert cli.run(["console"]) == 1
    assert served == []
    assert "no output StateMachineArn" in capsys.readouterr().err


def test_missing_packages_are_named(served, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "retrain.console.server", None)
    assert cli.run(["console"]) == 1
    assert "pip install 'retrain[console]'" in capsys.readouterr().err
