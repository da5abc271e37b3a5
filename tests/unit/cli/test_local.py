"""`retrain local`: what it asks of the local cloud, and how it tells what came of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from retrain.localcloud import process
from retrain.localcloud.errors import PortTakenError
from retrain.project import project_root, state_dir


@pytest.fixture
def cloud(monkeypatch, tmp_path):
    """A local cloud that is up as soon as it is asked for; what was asked is in `asked`."""
    found = process.LocalCloud(
        "http://127.0.0.1:4566", 77, 4566, state_dir(), "2026-08-01T12:00:00Z", "retrain"
    )
    asked = SimpleNamespace(up=None, running=None, reset=False)

    def up(folder, *, on_progress, **options):
        asked.up = {"state_dir": folder, **options}
        asked.running = found
        on_progress("Starting the local cloud ...")
        return found

    def down(_):
        was, asked.running = asked.running, None
        return was is not None

    def reset(_):
        asked.reset = True

    monkeypatch.setattr(process, "up", up)
    monkeypatch.setattr(process, "down", down)
    monkeypatch.setattr(process, "reset", reset)
    monkeypatch.setattr(process, "status", lambda _: asked.running)
    return asked


def test_up_tells_progress_apart_from_the_result(retrain, cloud):
    ended = retrain("local", "up")
    assert ended.code == 0
    assert ended.out.splitlines()[:3] == [
        "endpoint  http://127.0.0.1:4566",
        "stack     retrain",
        "pid       77, since 2026-08-01T12:00:00Z",
    ]
    assert ended.err == "Starting the local cloud ...\n"
    assert cloud.up["state_dir"] == state_dir()
    assert cloud.up["port"] == 4566
    assert cloud.up["images"] == process.default_images(cloud.up["project_root"])


def test_up_with_options(retrain, cloud, tmp_path):
    (tmp_path / "Dockerfile").write_text('ENTRYPOINT ["python"]')
    ended = retrain("local", "up", "--port", 0, "--image", f"*my-model*={tmp_path}", "--json")
    assert ended.json["endpoint_url"] == "http://127.0.0.1:4566"
    assert ended.json["running"] is True
    assert cloud.up["port"] is None
    assert next(iter(cloud.up["images"])) == "*my-model*"
    assert cloud.up["images"]["*my-model*"] == tmp_path


@pytest.mark.parametrize("text", ["model", "=folder", "model="])
def test_an_image_wants_a_name_and_a_folder(retrain, cloud, text):
    ended = retrain("local", "up", "--image", text)
    assert ended.code == 2
    assert f"--image wants NAME=FOLDER, such as my-model=./model, not '{text}'." in ended.err


def test_an_image_wants_a_dockerfile(retrain, cloud, tmp_path):
    ended = retrain("local", "up", "--image", f"model={tmp_path}")
    assert ended.code == 2
    assert f"{tmp_path} holds no Dockerfile, whose ENTRYPOINT says what to run." in ended.err


def test_parameters_of_the_stack(retrain, cloud):
    given = ["--parameter", "RequireApproval=true", "--parameter", "TrainingHyperparameters={}"]
    assert retrain("local", "up", *given).code == 0
    assert cloud.up["parameters"] == {"RequireApproval": "true", "TrainingHyperparameters": "{}"}
    ended = retrain("local", "up", "--parameter", "RequireApproval")
    assert (ended.code, "--parameter wants NAME=VALUE" in ended.err) == (2, True)


def test_a_taken_port_is_a_sentence(retrain, monkeypatch):
    def up(*_, **__):
        raise PortTakenError("Port 4566 is taken by nginx (pid 3).")

    monkeypatch.setattr(process, "up", up)
    ended = retrain("local", "up")
    assert (ended.code, ended.err) == (1, "retrain: Port 4566 is taken by nginx (pid 3).\n")


def test_status_and_down(retrain, cloud):
    assert (retrain("local", "status").code, retrain("local", "status", "--json").json) == (
        1,
        {"running": False},
    )
    assert retrain("local", "status").out == "No local cloud is running: 'retrain local up' starts it.\n"
    retrain("local", "up")
    assert retrain("local", "status").code == 0
    assert retrain("local", "down", "--json").json == {"stopped": True}
    assert retrain("local", "down").out == "No local cloud was running.\n"


def test_env_is_for_a_shell(retrain, cloud):
    ended = retrain("local", "env")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "retrain: No local cloud is running: 'retrain local up' starts it.\n"
    retrain("local", "up")
    lines = retrain("local", "env").out.splitlines()
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4566" in lines
    assert all(line.startswith("export AWS_") for line in lines)
    assert retrain("local", "env", "--json").json["AWS_ACCESS_KEY_ID"] == "test"


def test_reset_is_asked_for_twice(retrain, cloud, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    ended = retrain("local", "reset")
    assert ended.code == 2
    assert "say so with --yes" in ended.err
    assert not cloud.reset
    assert retrain("local", "reset", "--yes").code == 0
    assert cloud.reset


def test_reset_asks_a_person(retrain, cloud, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: True)
    assert "is deleted" in retrain("local", "reset").out
    assert cloud.reset


def test_logs(retrain):
    assert "the local cloud has not run here" in retrain("local", "logs").err
    path = process.log_path(state_dir())
    path.parent.mkdir(parents=True)
    path.write_text("one\ntwo [not markup]\nthree\n")
    assert retrain("local", "logs").out == "one\ntwo [not markup]\nthree\n"
    assert retrain("local", "logs", "-n", 1).out == "three\n"


def test_the_project_is_found_from_below_and_from_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "statemachine").mkdir()
    (tmp_path / "template.yaml").touch()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert project_root(deep) == tmp_path
    assert project_root(Path("/")) == Path(process.__file__).parents[2]
    monkeypatch.delenv("RETRAIN_STATE_DIR")
    monkeypatch.chdir(deep)
    assert state_dir() == tmp_path / ".retrain"
