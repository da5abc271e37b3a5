"""What somebody may put into a training job to be run, unpickled or fetched, and what becomes of it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import boto3
import pytest
import torch
from moto import mock_aws

from checkpoints import CheckpointError, open_checkpoint
from container.layout import Layout
from container.source import fetch_source
from network import ModelFileError, load_network
from tests.unit.training.job import Job

ECHO = "import json, os, sys\nprint(json.dumps([sys.argv[1:], dict(os.environ)]))\n"
HOSTILE = {
    "a": "$(touch marker)",
    "backticks": "`touch marker`",
    "braces": "{not json",
    "deep": "[" * 2_500,
    "dollar": "$HOME ${PATH} %PATH% ~ *",
    "json": '{"b": "$(touch marker)", "a": [1, {"c": null}]}',
    "lines": "one\ntwo\r\n\ttabbed",
    "option": "--model-dir=/etc",
    "quotes": "'; touch marker; echo \"",
    "semicolons": "1; touch marker && touch marker | touch marker > marker",
    "with space; touch marker": "x",
    "ünïcödé": "\u202e\U0001f600",
}


def script_job(base: Path, script: str, hyperparameters: dict[str, str], name: str) -> Job:
    submitted = base.with_name("sourcedir.tar.gz")
    program = base.with_name(name)
    program.write_text(script, encoding="utf-8")
    with tarfile.open(submitted, "w:gz") as archive:
        archive.add(program, arcname=name)
    mode = {"sagemaker_program": name, "sagemaker_submit_directory": str(submitted)}
    return Job.make(base, {**hyperparameters, **mode}, images=0)


def test_hyperparameters_reach_the_program_as_they_are(tmp_path: Path) -> None:
    job = script_job(tmp_path / "ml", ECHO, HOSTILE, "echo.py")

    done = job.run()

    assert done.returncode == 0, done.stderr
    arguments, environment = json.loads(done.stdout.splitlines()[-1])
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    # As the toolkit does, JSON arrives decoded; all other text arrives untouched, each value as one argument.
    assert given.pop("--json") == "a=[1, {'c': None}],b=$(touch marker)"
    assert given == {
        f"--{name}" if len(name) > 1 else f"-{name}": text for name, text in HOSTILE.items() if name != "json"
    }
    assert {name: environment[f"SM_HP_{name.upper()}"] for name in HOSTILE if name != "json"} == {
        name: text for name, text in HOSTILE.items() if name != "json"
    }
    assert json.loads(environment["SM_HP_JSON"]) == json.loads(HOSTILE["json"])
    assert list(tmp_path.rglob("marker")) == []


def test_not_even_a_shell_script_has_its_hyperparameters_interpreted(tmp_path: Path) -> None:
    script = 'for argument in "$@"; do printf "<%s>" "$argument"; done\n'
    job = script_job(tmp_path / "ml", script, {"quotes": HOSTILE["quotes"], "a": HOSTILE["a"]}, "run.sh")

    done = job.run()

    assert done.returncode == 0, done.stderr
    assert f"<-a><{HOSTILE['a']}><--quotes><{HOSTILE['quotes']}>" in done.stdout
    assert list(tmp_path.rglob("marker")) == []


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self._path,)


def test_a_model_that_would_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    torch.save({"config": Touch(tmp_path / "marker"), "state_dict": {}}, tmp_path / "model.pt")

    with pytest.raises(ModelFileError, match="cannot be read as saved weights"):
        load_network(tmp_path / "model.pt")
    assert not (tmp_path / "marker").exists()
    torch.load(tmp_path / "model.pt", weights_only=False)
    assert (tmp_path / "marker").exists(), "the file would have run code, had it been allowed to"


def test_a_checkpoint_that_would_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    torch.save({"identity": Touch(tmp_path / "marker")}, tmp_path / "checkpoint.pt")

    with pytest.raises(CheckpointError, match="cannot be read"):
        open_checkpoint((tmp_path / "checkpoint.pt").read_bytes(), {})
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    "key", ["a?b=c.tar.gz", "a#b.tar.gz", "a%20b+c d.tar.gz", "../ä;b.tar.gz", "a//b.tar.gz"]
)
def test_the_source_that_is_named_is_the_source_that_is_fetched(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    (tmp_path / "train.py").write_text("print(1)")
    with tarfile.open(tmp_path / "source.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "train.py", arcname="train.py")
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="code")
        s3.upload_file(str(tmp_path / "source.tar.gz"), "code", f"sources/{key}")

        folder = fetch_source(f"s3://code/sources/{key}", Layout(tmp_path / "ml"), "us-east-1")

    assert (folder / "train.py").is_file()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_out_of_the_source_archive_is_refused(kind: bytes, tmp_path: Path) -> None:
    from container.errors import SourceError

    with tarfile.open(tmp_path / "source.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo("train.py")
        link.type, link.linkname = kind, "../../../etc/passwd"
        archive.addfile(link)

    with pytest.raises(SourceError, match="cannot be unpacked"):
        fetch_source(str(tmp_path / "source.tar.gz"), Layout(tmp_path / "ml"), None)
