"""docs/security.md: every threat has a test, and every test that is named exists."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.audit.transformed import PROJECT

PAGE = (PROJECT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line.strip("|").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
THREATS = [row for row in ROWS if row[0].strip() not in {"threat", "---"}]
NAMES = sorted(set(re.findall(r"`([\w/]+\.py::[\w:]+)`", PAGE)))


@cache
def names_in(path: str) -> set[str]:
    """The tests of a file, as pytest names them: `test_x`, `TestClass::test_x`."""
    tree = ast.parse((PROJECT / "tests" / path).read_text(encoding="utf-8"))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return {name for name in found if name.split("::")[-1].startswith("test_")}


@pytest.mark.parametrize("name", NAMES)
def test_a_test_that_is_named_exists(name):
    path, _, test = name.partition("::")
    assert test in names_in(path)


@pytest.mark.parametrize("row", THREATS, ids=[row[0].strip()[:50] for row in THREATS])
def test_a_threat_has_an_answer_and_a_test(row):
    threat, answer, tests = row
    assert threat.strip()
    assert answer.strip()
    assert set(re.findall(r"`([^`]+)`", tests)) & set(NAMES) == set(re.findall(r"`([^`]+)`", tests)) != set()


def test_a_list_that_says_nothing_would_be_noticed():
    assert len(THREATS) >= 30
    assert "test_that_is_not_there" not in names_in("unit/audit/test_security_page.py")


def test_the_tools_that_audit_are_pinned():
    lines = (PROJECT / "tests" / "audit" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin) for pin in pins)
    assert {"checkov", "pip_audit", "bc-detect-secrets"} <= {pin.partition("==")[0] for pin in pins}
