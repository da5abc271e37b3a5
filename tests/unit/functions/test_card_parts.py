"""What a run card is put together from: markup, figures, the way through the state machine, the curve."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining.cards import curve, figures, markup, way
from retraining.cards.facts import LogLine
from retraining.cards.way import Loop
from retraining.metrics import ACCURACY, RMSE

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Reader(HTMLParser):
    """What a browser would make of markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


@given(st.text(), st.text())
def test_any_text_is_content_and_nothing_else(content: str, value: str) -> None:
    found = read(markup.element("p", content, markup.element("b", content), title=value))
    assert found.tags == ["p", "b"]
    shown = markup.text(content).replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    shown = shown.replace("&quot;", '"').replace("&#x27;", "'")
    assert found.text == shown * 2
    assert [name for name, _ in found.attributes] == ["title"]
    markup.text(content).encode()


def test_what_is_joined_by_hand_is_escaped_again() -> None:
    bold = markup.element("b", "x")
    assert markup.element("p", f"{bold}!") == "<p>&lt;b&gt;x&lt;/b&gt;!</p>"


def test_invisible_and_turning_characters_are_shown_as_such() -> None:
    assert markup.text("a\x00b\u202ec\ud800") == "a\ufffdb\ufffdc\ufffd"


def test_elements_without_content_are_closed() -> None:
    line = markup.element("svg", markup.element("line", x1=0), markup.element("rect", x=1), viewBox="0 0 1 1")
    assert line == '<svg viewBox="0 0 1 1"><line x1="0"/><rect x="1"/></svg>'


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0004466, "$0.00045"), (0.0, "$0.00"), (12.3456, "$12.35"), (Decimal("1234.5"), "$1,234.50"),
     (None, figures.NONE)],
)  # fmt: skip
def test_dollars(value: Any, written: str) -> None:
    assert figures.dollars(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "0 ms"), (0.0481, "48 ms"), (0.9999, "1.0 s"), (9.9, "9.9 s"), (59.6, "1 min"),
        (200, "3 min 20 s"), (7500, "2 h 5 min"), (86_400, "1 d"), (-1, "0 ms"),
    ],
)  # fmt: skip
def test_durations(seconds: float, written: str) -> None:
    assert figures.duration(seconds) == written


def test_differences_have_a_sign_and_no_negative_zero() -> None:
    assert figures.difference(0.0351, ACCURACY) == "+3.51 points"
    assert figures.difference(-0.0351, ACCURACY) == "\u22123.51 points"
    assert figures.difference(-0.000001, ACCURACY) == "0.00 points"
    assert figures.difference(-1.234, RMSE) == "\u22121.23"


@pytest.mark.parametrize("value", [None, "0.9", True, float("nan"), float("inf"), Decimal("NaN"), [], {}])
def test_what_is_no_number_has_no_figure(value: Any) -> None:
    assert figures.figure(value, ACCURACY) == figures.NONE


@pytest.mark.parametrize("value", [None, "", "yesterday", 5])
def test_what_is_no_time_is_none(value: Any) -> None:
    assert figures.moment(value) is None
    assert figures.between(value, "2026-01-31T12:00:00Z") == figures.NONE


class History:
    """Writes a history as Step Functions does."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.add("ExecutionStarted")

    def add(self, kind: str, seconds: float = 0.0, **details: Any) -> None:
        number = len(self.events) + 1
        at = (self.events[-1]["timestamp"] if self.events else NOON) + timedelta(seconds=seconds)
        event = {"id": number, "previousEventId": number - 1, "type": kind, "timestamp": at}
        if details:
            event[f"{kind[0].lower()}{kind[1:]}EventDetails"] = details
        self.events.append(event)

    def enter(self, name: str, kind: str = "Task") -> None:
        self.add(f"{kind}StateEntered")
        self.events[-1]["stateEnteredEventDetails"] = {"name": name}

    def leave(self, name: str, kind: str = "Task", seconds: float = 0.0) -> None:
        self.add(f"{kind}StateExited", seconds)
        self.events[-1]["stateExitedEventDetails"] = {"name": name}

    def task(self, name: str, *errors: str, caught: bool = False) -> None:
        self.enter(name)
        for error in errors:
            self.add("TaskScheduled")
            self.add("TaskFailed", 1.0, error=error)
        if not caught:
            self.add("TaskScheduled")
            self.add("TaskSucceeded", 1.0)
        self.leave(name)

    def ends(self) -> dict[str, str]:
        return {visit.name: visit.end for visit in way.visits(self.events)}


def test_how_states_end() -> None:
    history = History()
    history.task("Prepare")
    history.task("Train", "Lambda.TooManyRequestsException", "SageMaker.SageMakerException")
    history.task("Evaluate", "HoldoutChangedError", caught=True)
    history.enter("RecordFailed")
    history.add("TaskScheduled")
    assert history.ends() == {
        "Prepare": way.SUCCEEDED, "Train": way.RETRIED, "Evaluate": way.CAUGHT, "RecordFailed": way.UNDER_WAY,
    }  # fmt: skip
    _, train, evaluate, record = way.visits(history.events)
    assert (train.tries, train.seconds) == (3, 3.0)
    assert train.failures == ["Lambda.TooManyRequestsException", "SageMaker.SageMakerException"]
    assert evaluate.failures == ["HoldoutChangedError"]
    assert (record.tries, record.seconds) == (1, None)


@pytest.mark.parametrize(
    ("event", "end"),
    [
        ("ExecutionFailed", way.FAILED),
        ("ExecutionTimedOut", way.STOPPED),
        ("ExecutionAborted", way.STOPPED),
    ],
)
def test_a_state_in_which_the_execution_ended(event: str, end: str) -> None:
    history = History()
    history.enter("Train")
    history.add("TaskScheduled")
    history.add(event, 5.0)
    (train,) = way.visits(history.events)
    assert (train.end, train.seconds) == (end, 5.0)


def test_a_redriven_state_may_succeed_after_all() -> None:
    history = History()
    history.enter("Train")
    history.add("TaskScheduled")
    history.add("TaskFailed", error="SageMaker.SageMakerException")
    history.add("ExecutionFailed")
    history.add("ExecutionRedriven")
    history.add("TaskScheduled")
    history.add("TaskSucceeded", 2.0)
    history.leave("Train")
    assert history.ends() == {"Train": way.RETRIED}


def test_states_side_by_side_keep_their_own_events() -> None:
    history = History()
    history.enter("Both", "Parallel")
    history.enter("Left")
    history.enter("Right")
    history.events[-1]["previousEventId"] = 2
    history.add("TaskScheduled")
    history.events[-1]["previousEventId"] = 3
    history.add("TaskFailed", error="LeftError")
    history.add("TaskScheduled")
    history.events[-1]["previousEventId"] = 4
    history.add("TaskSucceeded")
    history.leave("Right")
    _, left, right = way.visits(history.events)
    assert (left.failures, right.failures) == (["LeftError"], [])
    assert right.end == way.SUCCEEDED


def test_waiting_and_looking_is_folded_into_one_loop() -> None:
    history = History()
    history.task("Update")
    for looks in range(4):
        history.enter("Wait", "Wait")
        history.leave("Wait", "Wait", seconds=15)
        history.task("Describe", *(["SageMaker.SageMakerException"] if looks == 2 else []))
    history.task("Record")
    first, loop, last = way.folded(way.visits(history.events))
    assert isinstance(loop, Loop)
    assert len(loop.rounds) == 4
    wait, describe = loop.merged()
    assert (wait.name, wait.seconds, wait.end) == ("Wait", 60.0, way.SUCCEEDED)
    assert (describe.tries, describe.end, describe.seconds) == (5, way.RETRIED, 5.0)
    assert [getattr(step, "name", None) for step in (first, last)] == ["Update", "Record"]


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_folding_loses_no_turn(names: list[str]) -> None:
    history = History()
    for name in names:
        history.task(name)
    steps = way.folded(way.visits(history.events))
    told = [
        visit.name
        for step in steps
        for visit in (
            [turn for round_ in step.rounds for turn in round_] if isinstance(step, Loop) else [step]
        )
    ]
    assert told == names


KINDS = ["TaskStateEntered", "TaskStateExited", "TaskFailed", "ExecutionFailed", "New", ""]
NAMED = st.none() | st.fixed_dictionaries({"name": st.text(max_size=3)})
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "id": st.integers(0, 9),
        "previousEventId": st.integers(0, 9) | st.none(),
        "type": st.sampled_from(KINDS),
        "timestamp": st.just(NOON) | st.just("2026-01-31T12:00:00Z") | st.just("soon"),
        "stateEnteredEventDetails": NAMED,
        "stateExitedEventDetails": NAMED,
        "taskFailedEventDetails": st.none() | st.fixed_dictionaries({"error": st.none() | st.text()}),
    },
)  # fmt: skip


@given(st.lists(EVENT, max_size=20))
def test_histories_of_any_shape_can_be_read(events: list[dict[str, Any]]) -> None:
    entered = [event for event in events if event.get("type") == "TaskStateEntered"]
    assert len(way.visits(events)) <= len(entered)


def test_where_a_choice_may_lead() -> None:
    rules = [{"Next": "Left"}, {"Next": "Right"}, {"Next": "Left"}]
    definition = {"States": {"Promote?": {"Type": "Choice", "Choices": rules, "Default": "RecordFailed"}}}
    assert way.branches(definition, "Promote?") == ["Left", "Right", "RecordFailed"]
    assert way.branches(definition, "Train") == way.branches(None, "Promote?") == []


def lines(*texts: str, host: str = "algo-1") -> list[LogLine]:
    return [LogLine(host, text) for text in texts]


def test_curves_of_a_log() -> None:
    log = lines(
        "training on 1,000 images, epochs=3",
        "epoch=1/3 seconds=3.2 train_loss=0.50 note=warm-up",
        "epoch=2/3 seconds=3.1 train_loss=2.5e-1 holdout_accuracy=0.97",
        "epoch=x train_loss=9",
        "epoch=3/3 seconds=3.3 train_loss=nan",
    )
    loss, accuracy, seconds = curve.curves(log)
    assert (loss.name, loss.points) == ("train_loss", ((1.0, 0.5), (2.0, 0.25)))
    assert (accuracy.name, accuracy.points) == ("holdout_accuracy", ((2.0, 0.97),))
    assert seconds.name == "seconds"


def test_an_epoch_that_is_told_again_counts_anew() -> None:
    (loss,) = curve.curves(lines("epoch=1 loss=3", "epoch=2 loss=2", "epoch=2 loss=1.5", "epoch=3 loss=1"))
    assert loss.points == ((1.0, 3.0), (2.0, 1.5), (3.0, 1.0))


def test_of_several_hosts_the_first_that_reports_counts() -> None:
    log = lines("starting") + lines("epoch=1 loss=1", host="algo-2") + lines("epoch=1 loss=9")
    (loss,) = curve.curves(log)
    assert loss.points == ((1.0, 1.0),)


def test_long_and_many_curves_are_thinned_and_keep_their_ends() -> None:
    values = " ".join(f"m{number}={number}" for number in range(20))
    found = curve.curves(lines(*(f"epoch={epoch} {values}" for epoch in range(5000))))
    assert len(found) == curve.MOST_CURVES
    assert len(found[0].points) <= curve.MOST_POINTS + 1
    assert (found[0].points[0][0], found[0].points[-1][0]) == (0.0, 4999.0)


@given(
    st.lists(
        st.text()
        | st.text().map(lambda text: f"epoch=1 {text}")
        | st.text().map(lambda text: f"epoch={text}")
    )
)
def test_any_log_can_be_read(texts: list[str]) -> None:
    for found in curve.curves(lines(*texts)):
        assert found.points == tuple(sorted(found.points))
