"""Histories: botocore parses them without loss, and a second reader rebuilds from them what happened."""

import pytest

from retrain.states.execution import Engine, FunctionRunner, SeededEntropy, VirtualClock
from retrain.states.model import parse
from retrain.states.timeline import TimelineError, read
from tests.states import casefiles
from tests.states.conformance import Answers, execute
from tests.states.histories import Onlooker, losses, misnumbered

CASES = [case for case in casefiles.read() if not case.refused]
SUBJECTS = sorted({case.subject for case in CASES})


def _of(subject):
    return [case for case in CASES if case.subject == subject]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_boto3_parses_every_history_without_loss(subject):
    found = {}
    for case in _of(subject):
        events = list(execute(case)[0].history)
        if faults := [*losses(events), *misnumbered(events)]:
            found[case.name] = faults
    assert found == {}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_timeline_read_from_a_history_is_what_an_onlooker_saw(subject):
    found = {}
    for case in _of(subject):
        onlooker = Onlooker()
        execution, _ = execute(case, on_change=onlooker)
        timeline = read(execution.history)
        faults = list(onlooker.faults(timeline))
        if (timeline.status, timeline.started, timeline.stopped) != (
            execution.status,
            execution.started,
            execution.stopped,
        ):
            faults.append(f"the history says {timeline.status} at {timeline.stopped}")
        if faults:
            found[case.name] = faults
    assert found == {}


def _task(name, **fields):
    return {"Type": "Task", "Resource": f"arn:aws:lambda:us-east-1:123456789012:function:{name}", **fields}


def _run(states, tasks, given=None, redrives=0):
    clock = VirtualClock(start=0.0)
    answers = Answers(tasks, clock)
    engine = Engine(answers, clock=clock, entropy=SeededEntropy())
    machine = parse({"StartAt": next(iter(states)), "States": states})
    execution = engine.create(machine, given)
    clock.run(lambda: engine.run(execution))
    for _ in range(redrives):
        engine.redrive(execution)
        clock.run(lambda: engine.run(execution))
    return execution


def _told(timeline):
    return [(each.path, each.entered, each.exited, each.outcome, each.retries) for each in timeline.visits]


ERROR = {"throw": {"error": "E", "cause": "c"}}


def test_a_timeline_tells_attempts_and_their_errors():
    states = {"A": _task("a", Retry=[{"ErrorEquals": ["E"], "IntervalSeconds": 5}], End=True)}
    (visit,) = read(
        _run(states, {"A": [{**ERROR, "after_seconds": 2}, {"return": 1, "after_seconds": 3}]}).history
    ).visits
    assert [(each.started, each.ended, each.error) for each in visit.attempts] == [
        (0.0, 2.0, "E"),
        (7.0, 10.0, None),
    ]
    assert (visit.outcome, visit.retries, visit.output) == ("SUCCEEDED", 1, 1)


def test_a_timeline_tells_what_failed_from_what_was_aborted():
    branch = [{"StartAt": name, "States": {name: _task(name, End=True)}} for name in ("Slow", "Broken")]
    states = {
        "Both": {
            "Type": "Parallel",
            "Branches": branch,
            "Catch": [{"ErrorEquals": ["E"], "Next": "After"}],
            "End": True,
        },
        "After": {"Type": "Succeed"},
    }
    timeline = read(
        _run(states, {"Slow": [{"forever": True}], "Broken": [{**ERROR, "after_seconds": 4}]}).history
    )
    assert _told(timeline) == [
        ("Both", 0.0, 4.0, "CAUGHT", 0),
        ("Both/Slow", 0.0, None, "ABORTED", 0),
        ("Both/Broken", 0.0, None, "FAILED", 0),
        ("After", 4.0, 4.0, "SUCCEEDED", 0),
    ]


def test_a_timeline_tells_iterations_apart():
    processor = {"StartAt": "Work", "States": {"Work": {"Type": "Wait", "SecondsPath": "$", "End": True}}}
    states = {"Each": {"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 1, "End": True}}
    timeline = read(_run(states, {}, [3, 4]).history)
    assert _told(timeline) == [
        ("Each", 0.0, 7.0, "SUCCEEDED", 0),
        ("Each[0]/Work", 0.0, 3.0, "SUCCEEDED", 0),
        ("Each[1]/Work", 3.0, 7.0, "SUCCEEDED", 0),
    ]


def test_a_timeline_goes_on_after_a_redrive():
    branch = [{"StartAt": name, "States": {name: _task(name, End=True)}} for name in ("Good", "Broken")]
    states = {"Both": {"Type": "Parallel", "Branches": branch, "End": True}}
    tasks = {
        "Good": [{"return": "g"}],
        "Broken": [{**ERROR, "after_seconds": 4}, {"return": "b", "after_seconds": 5}],
    }
    timeline = read(_run(states, tasks, redrives=1).history)
    assert timeline.redrives == [4.0]
    assert (timeline.status, timeline.stopped) == ("SUCCEEDED", 9.0)
    assert _told(timeline) == [
        ("Both", 0.0, 9.0, "SUCCEEDED", 0),
        ("Both/Good", 0.0, 0.0, "SUCCEEDED", 0),
        ("Both/Broken", 0.0, 9.0, "SUCCEEDED", 0),
    ]
    assert [(each.started, each.error) for each in timeline.visits[2].attempts] == [(0.0, "E"), (4.0, None)]


def test_a_timeline_is_the_same_from_events_in_reverse_order():
    engine = Engine(FunctionRunner(lambda call: call.arguments), clock=VirtualClock())
    machine = parse({"StartAt": "A", "States": {"A": _task("a", Next="B"), "B": {"Type": "Succeed"}}})
    events = list(engine.run_to_end(machine, {"x": 1}).history)
    assert _told(read(reversed(events))) == _told(read(events))


def test_a_page_of_a_history_is_refused():
    states = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}
    events = list(_run(states, {}).history)
    with pytest.raises(TimelineError, match="all of its pages"):
        read(events[2:])
    with pytest.raises(TimelineError, match="follows event 3, which is missing"):
        read([event for event in events if event["id"] != 3])
