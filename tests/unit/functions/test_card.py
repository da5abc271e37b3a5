"""The page as a whole: what it tells of a run, and that no run can keep it from being written."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import records
from retraining.cards import page
from retraining.cards.facts import Facts, LogLine
from retraining.cards.page import render
from tests.e2e.run_card import recorded
from tests.unit.functions.test_card_parts import read

NOW = "2026-01-31T12:00:00.000Z"


def words(html: str) -> str:
    """Return what a page says, on one line."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL).split())


@pytest.mark.parametrize("name", recorded.OUTCOMES)
def test_a_card_tells_how_a_run_ended_and_why(name: str) -> None:
    facts = recorded.facts(name)
    said = words(render(facts)).replace("&#x27;", "'")
    assert str(facts.record["outcome"]).replace("_", " ") in said
    assert str(facts.record["reason"]) in said
    for fact in (
        "run_id",
        "dataset_version",
        "image_uri",
        "training_job_name",
        "endpoint_name",
        "execution_arn",
    ):
        assert str(facts.record[fact]) in said
    for name, value in facts.record["hyperparameters"].items():
        assert f"{name}={value}" in said


@pytest.mark.parametrize("name", ["deployed", "rejected", "rolled_back"])
def test_a_verdict_is_told_check_by_check(name: str) -> None:
    facts = recorded.facts(name)
    said = words(render(facts)).replace("&#x27;", "'")
    for check in facts.record["decision"]["checks"]:
        result = "passed" if check["passed"] else "failed"
        assert f"{check['name'].replace('_', ' ')} {result} {check['sentence']}" in said


def test_challenger_and_champion_stand_side_by_side_with_intervals() -> None:
    said = words(render(recorded.facts("deployed")))
    assert "95.98 % 94.39 % to 97.14 % 92.47 % 90.43 % to 94.11 %" in said
    assert "+3.51 points" in said
    assert "class 7" in said


def test_what_is_lower_the_better_says_so() -> None:
    score = {"rmse": 1.5, "mae": 1.0, "rows": 600, "intervals": {"rmse": [1.4, 1.6], "mae": [0.9, 1.1]}}
    metrics = {"metric": "rmse", "challenger": score, "champion": {**score, "rmse": 1.25}}
    decision = {"verdict": "reject", "summary": "No.", "checks": [], "metrics": metrics}
    groups = [
        {
            "column": "size",
            "value": "small",
            "rows": 300,
            "challenger": 2.0,
            "interval": None,
            "champion": 1.0,
        }
    ]
    said = words(
        render(
            Facts(
                {"run_id": "r", "outcome": "REJECTED", "decision": decision},
                NOW,
                {"groups": groups, "metrics": metrics, "gate": {"value_threshold": 1.45}},
            )
        )
    )
    assert "RMSE judged by this asked: 1.45 +0.25 (lower is better) 1.5 1.4 to 1.6" in said
    assert "size small 300 rows 2 1 +1" in said
    assert "Confusions" not in said


def test_a_run_that_was_not_judged_shows_no_verdict_and_no_champion() -> None:
    said = words(render(recorded.facts("failed")))
    assert "The verdict" not in said
    assert "Challenger and champion" not in said
    order = ("What went wrong", "The way of this run", "Lineage")
    assert sorted(order, key=said.index) == list(order)


def test_the_cause_of_a_failure_is_shown_once() -> None:
    facts = recorded.facts("failed")
    assert "AlgorithmError" in render(facts)
    told = {
        **facts.record,
        "error": {"name": "RunLimitError", "cause": "No more today."},
        "reason": "No more today.",
    }
    html = render(replace(facts, record=told))
    assert html.count("No more today.") == 1
    assert "RunLimitError" in html


def test_costs_are_told_with_what_they_are_made_of() -> None:
    facts = recorded.facts("deployed")
    cost = {
        "usd": 1.5, "reason": "", "billable_seconds": 5400, "instance_type": "ml.c5.xlarge",
        "instance_count": 4, "prices": "list prices of us-east-1 as of 2026-01",
    }  # fmt: skip
    said = words(render(replace(facts, record={**facts.record, "cost_estimate": cost})))
    assert (
        "$1.50 5,400 billed seconds of 4 \u00d7 ml.c5.xlarge; list prices of us-east-1 as of 2026-01." in said
    )
    unknown = {"usd": None, "reason": "The price list of 2026-01 has no ml.x9.huge."}
    said = words(render(replace(facts, record={**facts.record, "cost_estimate": unknown})))
    assert "Cost The price list of 2026-01 has no ml.x9.huge." in said


def test_what_could_not_be_read_is_said() -> None:
    facts = replace(recorded.facts("deployed"), events=(), unknown=("The way is not known: access denied.",))
    html = render(facts)
    assert "The way is not known: access denied." in html
    assert "The way of this run" not in html


def test_a_job_that_reports_no_epochs_is_told_how() -> None:
    facts = recorded.facts("deployed")
    assert "a line such as epoch=2/3 train_loss=0.08 makes a curve" in render(replace(facts, log=()))
    no_log = replace(facts, log=(), unknown=("The training log is not known: access denied.",))
    assert "makes a curve" not in render(no_log)


def test_parts_of_a_deployment_are_shown_whatever_they_hold() -> None:
    facts = recorded.facts("deployed")
    more = {
        "approval": {"granted": True, "by": "an approver", "reason": "Looks good.", "decided_at": NOW},
        "deployment": {"action": "update", "strategy": "linear", "guarded_by_alarms": True},
        "verification": {"agrees": True, "verified": False, "rows": 0, "sentence": "There are no rows."},
        "rollback": {"to_run_id": "digits-1", "from_run_id": "digits-2"},
        "warnings": ["An alarm rang already."],
        "cleanup": {
            "removed": {"runs": 2, "models": 2, "endpoint_configs": 1, "objects": 14},
            "kept": ["digits-7", "digits-8"],
            "warnings": ["A model is in use."],
        },
    }
    said = words(render(replace(facts, record={**facts.record, **more})))
    assert "Approval granted Looks good. an approver," in said
    assert "Traffic Linear: the traffic step by step, watched by alarms." in said
    assert "Verification not verified There are no rows." in said
    assert "Back to the model of the run digits-1 , from that of the run digits-2" in said
    assert "An alarm rang already." in said
    assert "A model is in use." in said
    assert (
        "What 2 earlier runs had left is removed: 2 models, 1 endpoint config, 14 files. 2 models are kept."
        in said
    )


@pytest.mark.parametrize(
    "name", ["approval", "deployment", "verification", "rollback", "cleanup", "warnings"]
)
@pytest.mark.parametrize("odd", [None, "text", 7, [], {}, {"removed": "x"}, {"rows": "many"}, [None, {}]])
def test_odd_parts_of_a_deployment_keep_no_card_from_being_written(name: str, odd: object) -> None:
    facts = recorded.facts("rolled_back")
    assert "Deployment" in render(replace(facts, record={**facts.record, name: odd}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcome": "ROLLED_BACK", "error": {"name": "EndpointRolledBack"}}, "the champion serves again"),
        ({"outcome": "FAILED", "error": {"name": "ChampionNotRestored"}}, "the champion was not restored"),
        ({"outcome": "FAILED", "error": {"name": "EndpointNotVerified"}}, "the endpoint was removed"),
        ({"outcome": "REJECTED", "approval": {"granted": False}}, "The challenger was not approved."),
    ],
)
def test_the_way_back_is_told(changes: dict[str, object], said: str) -> None:
    facts = recorded.facts("rolled_back")
    assert said in words(render(replace(facts, record={**facts.record, **changes})))


@pytest.mark.parametrize("outcome", [*records.OUTCOMES, records.RUNNING, "SOMETHING_NEW", None])
def test_every_outcome_has_a_card(outcome: str | None) -> None:
    html = render(Facts({"run_id": "r-1", "outcome": outcome}, NOW))
    assert "r-1" in html
    assert html.startswith("<!DOCTYPE html>")


def test_the_policy_allows_one_style_sheet_and_nothing_else() -> None:
    html = render(recorded.facts("deployed"))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    (sheet,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'", f"style-src 'sha256-{digest}'", "img-src data:", "base-uri 'none'",
        "form-action 'none'",
    ]  # fmt: skip
    found = read(html.replace(sheet, ""))
    assert not {"script", "img", "iframe", "form", "a"} & set(found.tags)
    names = {name for name, _ in found.attributes}
    assert not {name for name in names if name.startswith("on")} | {"style", "src"} & names
    assert [value for name, value in found.attributes if name == "href"] == ["data:,"]
    assert "url(" not in sheet
    assert "@import" not in sheet


def test_a_card_is_small() -> None:
    # A page that is read on the way, on a phone.
    assert len(render(recorded.facts("deployed")).encode()) < 100_000
    assert page.STYLE_SHEET.stat().st_size < 20_000


def test_a_very_long_wait_is_drawn_short() -> None:
    facts = recorded.facts("deployed")
    events: list[dict[str, Any]] = []
    for number in range(0, 24_000, 2):
        name = f"State{number % 7}-{number % 11}"
        for step, kind in enumerate(("Entered", "Exited")):
            details = {f"state{kind}EventDetails": {"name": name}}
            event = {"id": number + step + 1, "previousEventId": number + step, "timestamp": NOW}
            events.append({**event, "type": f"TaskState{kind}", **details})
    html = render(replace(facts, events=events))
    assert len(html) < 200_000
    assert "more \u2026" in html


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3)
    ),
    max_leaves=6,
)
PARTS = [
    "decision", "metrics", "challenger", "champion", "checks", "intervals", "groups", "confusion",
    "cost_estimate", "trigger", "serving", "error", "hyperparameters", "warnings", "approval", "gate",
    "matrix", "classes", "usd", "accuracy", "outcome",
]  # fmt: skip


def _spoiled(document: Any, name: str, value: Any) -> Any:
    """Return a document with every field of a name replaced."""
    if isinstance(document, dict):
        return {key: value if key == name else _spoiled(item, name, value) for key, item in document.items()}
    return [_spoiled(item, name, value) for item in document] if isinstance(document, list) else document


@given(st.sampled_from(PARTS), JSON, st.sampled_from(recorded.OUTCOMES))
def test_no_odd_part_of_a_record_keeps_a_card_from_being_written(name: str, value: Any, card: str) -> None:
    facts = recorded.facts(card)
    record, evaluation = _spoiled(dict(facts.record), name, value), _spoiled(facts.evaluation, name, value)
    html = render(
        replace(facts, record=record, evaluation=evaluation, log=[LogLine("algo-1", json.dumps(value))])
    )
    assert str(facts.record["run_id"]) in html
    html.encode()
