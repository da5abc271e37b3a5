"""docs/authoring.md says what there is: its programs are the examples, its table is the library's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from retrain.states.tasks.jobs import JOBS
from retrain.states.tasks.optimised import INTEGRATIONS
from retrain.workflow import Workflow, inputs, steps
from retrain.workflow.services import ServiceAction, find
from retrain.workflow.steps import AwsSdkStep, ServiceStep

DOCS = Path(__file__).resolve().parents[3] / "docs"
TEXT = (DOCS / "authoring.md").read_text()


def carried_out(action: ServiceAction) -> str:
    if action.service not in INTEGRATIONS:
        return "no"
    return "yes" if not action.waits or (action.service, action.action) in JOBS else "all but .sync"


def rows() -> set[tuple[str, ...]]:
    found = {("`AwsSdkStep`", "`aws-sdk:SERVICE:ACTION`", "request-response, .waitForTaskToken", "yes")}
    for name, kind in vars(steps).items():
        if (
            not isinstance(kind, type)
            or not issubclass(kind, ServiceStep)
            or kind in {ServiceStep, AwsSdkStep}
        ):
            continue
        if name == kind.__name__:
            for action in [kind.action] if kind.action else ["createEndpoint", "updateEndpoint"]:
                one = find(kind.service, action)
                found.add((f"`{name}`", f"`{one}`", one.offers(), carried_out(one)))
    return found


def test_the_table_of_services_is_the_librarys():
    lines = [line for line in TEXT.splitlines() if re.match(r"\| `\w+Step` \|", line)]
    assert {tuple(line.strip("| ").split(" | ")) for line in lines} == rows()
    assert len(lines) == len(rows())


@pytest.mark.parametrize("program", ["pipeline_by_steps", "pipeline_by_template", "pipeline_by_language"])
def test_its_programs_are_the_examples(program):
    assert f"```python\n{(DOCS / 'examples' / f'{program}.py').read_text()}```" in TEXT


def test_every_placeholder_is_told_of():
    for name in set(inputs.__all__) - {"Placeholder", "ValidationResult"}:
        assert f"`{name}(" in TEXT


def test_the_definition_is_one():
    workflow = Workflow.from_asl(DOCS / "examples" / "pipeline.asl.yaml")
    assert workflow.validate() == ()
    assert len(workflow.to_dict()["States"]) == 4
