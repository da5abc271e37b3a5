"""Run cards in a browser: readable wherever they are read, and harmless whatever they show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from retraining.cards.facts import Facts, LogLine
from retraining.cards.page import render
from tests.e2e.run_card import played, recorded
from tests.e2e.run_card.conftest import DESK, PHONE, Opened

Open = Callable[..., Opened]


def crowded() -> Facts:
    """A run of which there is more of everything than usual."""
    facts = recorded.facts("deployed")
    names = [f"a-rather-long-name-of-a-class-{number}" for number in range(20)]
    group = {"rows": 1234, "challenger": 0.9, "interval": [0.85, 0.95], "champion": 0.95}
    rows = [[1000 if true == guess else (true * guess) % 7 for guess in range(20)] for true in range(20)]
    matrix = {"classes": names, "matrix": rows}
    evaluation: dict[str, Any] = {
        **(facts.evaluation or {}),
        "groups": [{"column": "a_long_slice_name", "value": name, **group} for name in names * 2],
        "confusion": {"challenger": matrix, "champion": matrix},
    }
    log = [LogLine("algo-1", f"epoch={epoch} loss={1 / epoch} x={-1e9 * epoch}") for epoch in range(1, 301)]
    hyperparameters = {f"a_hyperparameter_{number}": "0.001" * number for number in range(30)}
    record = {
        **facts.record,
        "dataset": "a-dataset-of-thirty-two-letters-",
        "reason": "Accuracy 95.98 % reaches what is required. " * 12,
        "hyperparameters": hyperparameters,
        "approval": {"granted": True, "by": "an-approver-with-a-long-name" * 3, "reason": "Fine. " * 30},
        "deployment": {"action": "update", "strategy": "canary", "guarded_by_alarms": False},
        "verification": {
            "agrees": True,
            "verified": False,
            "rows": 0,
            "sentence": "There are no rows to ask. " * 6,
        },
        "rollback": {"to_run_id": "digits-1" * 8, "from_run_id": "digits-2" * 8},
        "cleanup": {
            "removed": {
                "runs": 40,
                "models": 40,
                "endpoint_configs": 40,
                "objects": 100_000,
                "log_streams": 80,
            },
            "kept": [f"digits-{number}" for number in range(1000)],
        },
        "warnings": ["The model retrain-digits-1 could not be deleted: access denied."] * 3,
    }
    return replace(facts, record=record, evaluation=evaluation, log=log, unknown=["The log is very long."])


CARDS: dict[str, Callable[[], Facts]] = {
    **{name: lambda name=name: recorded.facts(name) for name in recorded.OUTCOMES},  # type: ignore[misc]
    **{name: lambda name=name: played.play(name) for name in played.STORIES},  # type: ignore[misc]
    "crowded": crowded,
    "nothing but a request": lambda: Facts({"run_id": "r-1", "outcome": "FAILED"}, "2026-01-01T00:00:00Z"),
}


@pytest.mark.parametrize("width", [PHONE, 768, DESK])
@pytest.mark.parametrize("card", CARDS)
def test_nothing_overlaps_or_sticks_out_and_nobody_is_asked(card: str, width: int, open_html: Open) -> None:
    opened = open_html(render(CARDS[card]()), width=width)
    for _ in ("folded", "unfolded"):
        assert opened.measured("excess") == 0
        assert opened.measured("overlaps") == []
        assert opened.measured("outside") == []
        opened.unfold()
    assert (opened.told, opened.asked) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("card", CARDS)
def test_every_text_can_be_read_by_day_and_by_night(card: str, scheme: str, open_html: Open) -> None:
    opened = open_html(render(CARDS[card]()), scheme=scheme)
    opened.unfold()
    assert opened.measured("faint") == []


def test_day_and_night_differ(open_html: Open) -> None:
    html = render(recorded.facts("deployed"))
    colour = "() => getComputedStyle(document.body).backgroundColor"
    assert len({open_html(html, scheme=scheme).page.evaluate(colour) for scheme in ("light", "dark")}) == 2


@pytest.mark.parametrize("card", CARDS)
def test_on_paper_everything_is_unfolded_and_fits(card: str, open_html: Open) -> None:
    opened = open_html(render(CARDS[card]()), width=720, scheme="dark", media="print")
    assert opened.measured("excess") == 0
    assert opened.measured("overlaps") == []
    assert opened.measured("folded") == 0
    assert opened.measured("faint") == []
    assert (
        opened.page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    )
    assert opened.page.pdf().startswith(b"%PDF")


def test_the_way_is_coloured_by_how_states_ended(open_html: Open) -> None:
    page = open_html(render(recorded.facts("failed"))).page
    colour = "boxes => boxes.map(box => getComputedStyle(box).borderLeftColor)"
    names = page.locator(".way .node b").all_inner_texts()
    assert names == [
        "Prepare", "RunAlready?", "Train", "RecordFailed", "ReportFailed", "NotifyFailed", "Failed",
    ]  # fmt: skip
    colours = dict(zip(names, page.locator(".way .node .box").evaluate_all(colour), strict=True))
    assert len({colours["Prepare"], colours["Train"], colours["Failed"]}) == 3
    assert colours["Prepare"] == colours["RecordFailed"]
    train = page.locator(".node", has_text="Train").first
    assert "States.TaskFailed" in train.inner_text()


def test_looks_at_an_endpoint_are_drawn_as_one_loop(open_html: Open) -> None:
    page = open_html(render(recorded.facts("deployed"))).page
    loop = page.locator(".way .loop")
    assert loop.count() == 1
    assert loop.locator("b").all_inner_texts() == [
        "WaitForEndpoint", "DescribeEndpoint", "CountLook", "EndpointSettled?",
    ]  # fmt: skip
    assert "rounds" in loop.inner_text()
    assert "WaitForEndpoint" not in loop.locator(".branches").inner_text()


def test_an_update_under_way_is_drawn_as_one_loop_however_long_it_was_looked_at(open_html: Open) -> None:
    page = open_html(render(played.play("taken back after verification"))).page
    loops = page.locator(".way .loop")
    assert loops.locator(".rounds").all_inner_texts() == ["↻ 21 rounds", "↻ 21 rounds"]
    assert page.locator(".way .node", has_text="RestoreChampion").count() == 1


@pytest.mark.parametrize(
    ("story", "said"),
    [
        ("deployed by canary", ["Approval", "Traffic", "Verification", "Clean-up"]),
        ("rolled back by an alarm", ["Traffic", "Way back"]),
        ("taken back after verification", ["Traffic", "Verification", "Way back"]),
        ("removed after verification", ["Traffic", "Verification", "Way back"]),
        ("not approved", ["Approval"]),
    ],
)
def test_a_card_tells_step_by_step_how_the_model_went_live(
    story: str, said: list[str], open_html: Open
) -> None:
    page = open_html(render(played.play(story))).page
    assert page.locator(".deployment .checks b").all_inner_texts() == said


EVIL = "<script>alert(1)</script>"


def test_a_dataset_named_like_a_script_does_no_harm(open_html: Open) -> None:
    opened = open_html(render(recorded.facts("deployed", lambda text: text.replace("digits", EVIL))))
    assert opened.page.locator("h1").inner_text() == EVIL
    assert EVIL in opened.page.title()
    assert opened.page.evaluate("() => document.scripts.length") == 0
    assert (opened.told, opened.asked) == ([], [])
    assert opened.measured("overlaps") == []


@pytest.mark.parametrize(
    "evil",
    [
        '"><img src=https://example.org/x onerror=alert(1)>',
        "'><svg onload=alert(1)>",
        "</style></title></textarea><script>alert(1)</script>",
        "<!--<style>*{display:none}</style>",
        "<iframe src=https://example.org></iframe><base href=https://example.org>",
        "&lt;script&gt;alert(1)&lt;/script&gt;\u202e\x00\ud800",
    ],
)
@pytest.mark.parametrize("card", ["deployed", "rolled_back", "failed"])
def test_whatever_a_run_is_made_of_stays_text(card: str, evil: str, open_html: Open) -> None:
    clean, spoiled = recorded.facts(card), recorded.facts(card, lambda text: f"{text}{evil}")
    record = {**spoiled.record, "outcome": clean.record["outcome"], "started_at": clean.record["started_at"]}
    opened = open_html(render(replace(spoiled, record=record)))
    assert opened.page.locator("script, img, iframe, base, object, form, [onload], [onerror]").count() == 0
    assert opened.page.locator("h1").is_visible()
    assert (opened.told, opened.asked) == ([], [])


def test_even_markup_that_slipped_through_would_do_nothing(open_html: Open) -> None:
    html = render(recorded.facts("deployed"))
    evil = (
        "<script>document.title = 'owned'</script><style>h1 { display: none }</style>"
        "<img src=https://example.org/x onerror=\"document.title = 'owned'\">"
        "<p style='position: fixed'>over</p>"
    )
    opened = open_html(html.replace("<header>", f"{evil}<header>"))
    assert opened.page.title() == "DEPLOYED: digits, run " + str(recorded.facts("deployed").record["run_id"])
    assert opened.page.locator("h1").is_visible()
    assert opened.asked == []
    assert opened.told
    assert all("Content Security Policy" in message for message in opened.told)
