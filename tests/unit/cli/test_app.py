"""The command as a whole: quick to start, clear about what it is used wrongly for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from retrain.errors import RetrainError

COMMANDS = [
    "demo",
    "upload",
    "start",
    "watch",
    "runs",
    "triggers",
    "show",
    "logs",
    "report",
    "approve",
    "reject",
    "predict",
    "rollback",
    "clean",
    "console",
    "local",
    "data",
    "program",
    "gate",
    "states",
    "workflow",
]
HEAVY = ["torch", "torchvision", "ministack", "boto3", "botocore", "numpy", "PIL", "psutil"]


def test_help_names_every_command(retrain):
    ended = retrain("--help")
    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.split("Commands:")[1].split("\n") if line] == COMMANDS


@pytest.mark.parametrize(
    "command", [[name] for name in COMMANDS] + [["local", name] for name in ("up", "env", "logs")]
)
def test_every_command_has_help(retrain, command):
    ended = retrain(*command, "-h")
    assert ended.code == 0
    assert ended.out.startswith("Usage: retrain")


def test_version(retrain):
    assert retrain("--version").out.startswith("retrain 0.")


def test_help_loads_nothing_heavy():
    program = f"import sys, retrain.cli.app; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["upload"], "Missing argument 'PATH'"),
        (["upload", "x"], "Missing option '--dataset'"),
        (["runs", "--limit", "0"], "'--limit' / '-n'"),
    ],
)
def test_wrong_use_is_exit_code_2(retrain, arguments, sentence):
    ended = retrain(*arguments)
    assert ended.code == 2
    assert sentence in ended.err
    assert "Traceback" not in ended.err


def test_an_error_is_one_sentence_without_traceback(retrain, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RetrainError("It cannot be done.")

    monkeypatch.setattr("retrain.operations.ledger.runs", fail)
    monkeypatch.setattr(
        "retrain.cli.options.connect",
        lambda *_, **__: type("S", (), {"target": type("T", (), {"local_cloud": False})}),
    )
    ended = retrain("runs")
    assert (ended.code, ended.out, ended.err) == (1, "", "retrain: It cannot be done.\n")


def test_ctrl_c_is_exit_code_130(retrain, monkeypatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("retrain.cli.options.connect", interrupt)
    ended = retrain("runs")
    assert ended.code == 130
    assert "Traceback" not in ended.err
