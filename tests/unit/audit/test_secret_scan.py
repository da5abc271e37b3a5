"""What the scan for secrets does with what it finds; detect-secrets has an environment of its own."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

KEY = f"AKIA{'Q7' * 8}"


@pytest.fixture
def scan(monkeypatch, tmp_path):
    """The script, with a scanner that finds the word KEY and the planted key, in a small repository."""
    sees = [KEY, "KEY"]

    def scan_file(name):
        text = Path(name).read_text()
        hits = [each for each in sees if each in text]
        return [SimpleNamespace(secret_hash=each.lower(), type="Key", line_number=1) for each in hits]

    for name, members in {
        "detect_secrets": {},
        "detect_secrets.core": {},
        "detect_secrets.core.scan": {"scan_file": scan_file},
        "detect_secrets.settings": {"transient_settings": lambda settings: nullcontext()},
    }.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "tests.audit.secret_scan", raising=False)
    script = importlib.import_module("tests.audit.secret_scan")
    monkeypatch.setattr(script, "PROJECT", tmp_path)
    monkeypatch.setattr(script, "ALLOWED", tmp_path / "allowed.json")
    (tmp_path / "allowed.json").write_text("{}")
    (tmp_path / "spoiled.py").write_text("KEY")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    script.sees = sees
    yield script
    sys.modules.pop("tests.audit.secret_scan")


def test_what_is_found_and_not_allowed_fails(scan, tmp_path, capsys):
    assert scan.main(tmp_path) == 1
    said = capsys.readouterr().out
    assert "spoiled.py: Key, line 1: looks like a secret" in said
    assert "allow key in allowed.json with a reason" in said


def test_what_is_allowed_by_name_passes(scan, tmp_path, capsys):
    scan.ALLOWED.write_text(json.dumps({"spoiled.py": {"key": "The name of a column."}}))
    assert scan.main(tmp_path) == 0
    assert capsys.readouterr().out == "secrets: none in 2 files (1 look-alikes allowed by name)\n"


def test_what_is_allowed_and_gone_has_to_go_from_the_list(scan, tmp_path, capsys):
    scan.ALLOWED.write_text(json.dumps({"spoiled.py": {"key": "A column."}, "gone.py": {"key": "Another."}}))
    assert scan.main(tmp_path) == 1
    assert capsys.readouterr().out.startswith(
        "gone.py: key is allowed in allowed.json, and not there any more"
    )


def test_a_scan_that_is_blind_fails(scan, tmp_path, capsys):
    scan.sees.clear()
    assert scan.main(tmp_path) == 1
    assert "does not find a key that was planted" in capsys.readouterr().out


def test_every_exception_has_a_reason(scan):
    allowed = json.loads(Path(scan.__file__).with_name("allowed_secrets.json").read_text())
    reasons = [reason for reasons in allowed.values() for reason in reasons.values()]
    assert reasons
    assert all(reason.endswith(".") and len(reason) > 10 for reason in reasons)
