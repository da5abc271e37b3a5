"""The audit of pinned packages fails for what it finds, and says aloud when it could not look."""

from __future__ import annotations

import pytest

from tests.audit import advisories

KNOWN = {"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1"]}]}
SKIPPED = {"name": "jinja2", "skip_reason": "Dependency not found on PyPI"}


def asking(*answers):
    """Stands in for pip-audit: first asked about the release that is known to be vulnerable."""
    left = list(answers)
    return lambda pins: left.pop(0)


@pytest.mark.parametrize("answer", [([], "ERROR: connection refused"), ([], ""), ([SKIPPED], "")])
def test_without_a_service_nothing_was_audited_and_that_is_said(capsys, answer):
    assert advisories.main(ask=asking(answer)) == 0
    assert capsys.readouterr().out.startswith("advisories: NOT AUDITED. No service")


def test_what_is_found_fails_and_names_its_remedy(capsys):
    assert advisories.main(ask=asking(([KNOWN], ""), ([KNOWN], ""))) == 1
    assert capsys.readouterr().out == "jinja2 2.4.1: PYSEC-1, mended in 3.1\n"


@pytest.mark.parametrize("name", ["PYSEC-1", "CVE-2"])
def test_what_is_accepted_by_name_passes(monkeypatch, name):
    monkeypatch.setitem(advisories.ACCEPTED, name, "Nothing here renders what strangers write.")
    found = {**KNOWN, "vulns": [{**KNOWN["vulns"][0], "aliases": ["CVE-2"]}]}
    assert advisories.main(ask=asking(([KNOWN], ""), ([found], ""))) == 0


def test_nothing_found_is_said_with_how_many_were_looked_at(capsys):
    harmless = [{"name": "boto3", "version": "1", "vulns": []}, {**SKIPPED, "name": "torch"}]
    assert advisories.main(ask=asking(([KNOWN], ""), (harmless, ""))) == 0
    said = capsys.readouterr().out
    assert f"none for 1 of {len(advisories.pinned(advisories.PROJECT))} pinned packages" in said
    assert "NOT AUDITED, because the service does not know them: torch" in said


def test_an_audit_that_breaks_off_fails(capsys):
    assert advisories.main(ask=asking(([KNOWN], ""), ([], "ERROR: bad file"))) == 1
    assert "bad file" in capsys.readouterr().out


def test_everything_that_ships_is_audited():
    pins = advisories.pinned(advisories.PROJECT)
    assert {"boto3", "aws_lambda_powertools", "torch"} <= {pin.partition("==")[0] for pin in pins}
    assert len(pins) > 80
