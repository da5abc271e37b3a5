"""docs/operations.md names things that are there."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import yaml

from tests.unit.functions.stack import _Loader

PROJECT = Path(__file__).resolve().parents[2]
TEXT = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
TEMPLATE = yaml.load((PROJECT / "template.yaml").read_text(), _Loader)


def test_every_target_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = {name for line in re.findall(r"\bmake ((?:[a-z-]+ ?)+)", TEXT) for name in line.split()[:1]}
    assert named
    assert named <= targets


def test_every_file_is_there() -> None:
    named = set(re.findall(r"`((?:benchmarks|cicd|docs|functions|training)/[\w./-]+)`", TEXT))
    assert named
    assert [name for name in sorted(named) if not (PROJECT / name).exists()] == []


def test_every_link_inside_the_page_has_its_heading() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("#").strip().lower()).replace(" ", "-")
        for line in TEXT.splitlines()
        if line.startswith("#")
    }
    targets = set(re.findall(r"\]\(#([\w-]+)\)", TEXT))
    assert targets
    assert targets <= headings


def test_what_it_costs_is_what_the_script_says() -> None:
    script: dict[str, Any] = runpy.run_path(str(PROJECT / "benchmarks" / "costs.py"))
    given = script["arguments"]([])
    prices = json.loads((PROJECT / "functions" / "retraining" / "training_prices.json").read_text())["prices"]
    endpoint, *others = script["at_rest"](given, prices[given.serving]).values()
    run = script["per_run"](given, prices[given.training], prices[given.serving]).values()
    for told in (f"| ${endpoint:.2f} |", f"**${sum(others):.2f}**", f"**${sum(run):.3f}**"):
        assert told in TEXT
    types = [body["Type"] for body in TEMPLATE["Resources"].values()]
    assert script["QUEUES"] == types.count("AWS::Lambda::EventSourceMapping")
    assert script["ALARMS"] == types.count("AWS::CloudWatch::Alarm")


def test_every_parameter_is_the_stacks() -> None:
    # By the words that their names begin with; what else begins so is one of the stack's outputs.
    begun = r"`((?:Training|Serving|Max|Arrival|Allowed|Endpoint|Function)[A-Z][A-Za-z0-9]+)[`=]"
    named = set(re.findall(begun, TEXT))
    assert {"ArrivalConcurrency", "TrainingVolumeGigabytes"} <= named
    metrics = {"TrainingCostUsd"}
    assert named - metrics <= {*TEMPLATE["Parameters"], *TEMPLATE["Outputs"]}
