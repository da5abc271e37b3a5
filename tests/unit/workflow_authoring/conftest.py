"""A region, and what accepts definitions beside the engine: statelint, and cfn-lint's schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cfnlint
import jsonschema
import pytest
from statelint.linter import Linter

from retrain.workflow.steps import Graph

SCHEMA = json.loads(
    (Path(cfnlint.__file__).parent / "data/schemas/other/step_functions/statemachine.json").read_text()
)
ROLE = "arn:aws:iam::123456789012:role/pipeline"


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A region, no local cloud, and no credentials that could be used by mistake."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("RETRAIN_STATE_DIR", str(tmp_path / "no-local-cloud"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name in ("AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


def readable_to_statelint(definition: dict[str, Any]) -> Any:
    """The definition with plain letters in brackets: statelint refuses `$['a b']`, which AWS knows."""
    quoted = re.compile(r"\['([^']*)'\]")
    return json.loads(
        quoted.sub(lambda match: f"['{re.sub(r'[^A-Za-z0-9]', '_', match[1])}']", json.dumps(definition))
    )


@pytest.fixture
def accepted() -> Callable[[Graph], dict[str, Any]]:
    """Check a graph's definition with everything that checks definitions; gives it."""

    def check(graph: Graph) -> dict[str, Any]:
        definition = graph.to_dict()
        assert json.loads(json.dumps(definition)) == definition
        assert [str(each) for each in graph.validate() if each.severity == "ERROR"] == []
        assert Linter.validate(readable_to_statelint(definition)) == []
        faults = jsonschema.Draft7Validator(SCHEMA).iter_errors(definition)
        assert [fault.message for fault in faults] == []
        return definition

    return check
