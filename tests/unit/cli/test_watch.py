"""`retrain watch`, `runs`, `show`, `logs`: a run as it goes, and as it went."""

from __future__ import annotations

from datetime import timedelta

import pytest

from retrain.cli import render
from retrain.operations import executions, follow
from retrain.operations.times import in_words
from tests.unit.cli.fakes import DECISION, START, history, run_record

RUN = "mnist-0123456789ab-1"
NAMES = {"names": {"training_job": f"retrain-{RUN}"}}
JOB = {"job": {"name": f"retrain-{RUN}-r0t0"}}
LINES = [
    "Loading the data",
    "epoch=1/2 train_loss=0.31 holdout_accuracy=0.95 seconds=3.2",
    "epoch=2/2 train_loss=0.1",
]


@pytest.fixture
def deployed(stack):
    steps = history(
        ("Prepare", "Task", NAMES),
        ("Train", "Task", JOB),
        ("Evaluate", "Task", {"decision": DECISION}),
        ("Promote?", "Choice", {}),
        ("Deployed", "Succeed", {}),
    )
    stack.states.begin(RUN, steps)
    stack.logs.streams = {f"retrain-{RUN}-r0t0/algo-1-1785585600": LINES}
    stack.ledger.records = [run_record(RUN)]
    return stack


def test_a_run_is_told_from_begin_to_end(retrain, deployed):
    ended = retrain("watch", RUN)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0].startswith(f"run {RUN}  2026-08-01 ")
    assert [line.split()[1] for line in lines if line.startswith("✓")] == [
        "Prepare", "Train", "Evaluate", "Promote?", "Deployed",
    ]  # fmt: skip
    assert lines[2:5] == [
        "    epoch 1/2    train_loss 0.31   holdout_accuracy 0.95   seconds 3.2",
        "    epoch 2/2    train_loss 0.1",
        "✓ Train                        1.0 s",
    ]
    assert "  verdict promote  The challenger is good enough." in lines
    assert "    ✓ value_threshold   98.61 % is enough." in lines
    assert "    ✗ change_threshold  It is worse." in lines
    assert lines[-1] == "DEPLOYED after 12 s: accuracy 98.6 % is at least 95.0 %"


def test_looks_that_repeat_are_told_once_and_warnings_at_the_end(retrain, stack):
    looks = [(name, "Task", {}) for _ in range(3) for name in ("WaitForEndpoint", "DescribeEndpoint")]
    stack.states.begin(RUN, history(*looks, ("Deployed", "Succeed", {})))
    stack.ledger.records = [run_record(RUN, warnings=["An alarm rang already."])]
    lines = retrain("watch", RUN).out.splitlines()
    told = [line.split()[1] for line in lines if line.startswith("✓")]
    assert told == ["WaitForEndpoint", "DescribeEndpoint", "Deployed"]
    assert lines[-1] == "  note: An alarm rang already."
    assert retrain("watch", RUN, "-v").out.count("DescribeEndpoint") == 3


def test_the_run_in_progress_is_watched_without_being_named(retrain, deployed):
    assert f"run {RUN}" in retrain("watch").out


def test_every_line_of_the_program_on_demand(retrain, deployed):
    assert "algo-1  Loading the data" in retrain("watch", RUN, "-v").out


def test_as_json_lines(retrain, deployed):
    events = retrain("watch", RUN, "--json").json_lines
    assert events[0]["event"] == "run_began"
    assert [event["state"] for event in events if event["event"] == "state_ended"][:2] == ["Prepare", "Train"]
    figures = [event["figures"] for event in events if event["event"] == "training"]
    first = {"epoch": "1/2", "train_loss": "0.31", "holdout_accuracy": "0.95", "seconds": "3.2"}
    assert figures == [None, first, {"epoch": "2/2", "train_loss": "0.1"}]
    assert [event["decision"]["verdict"] for event in events if event["event"] == "judged"] == ["promote"]
    assert events[-1]["outcome"] == "DEPLOYED"


@pytest.mark.parametrize(
    ("outcome", "code"), [("DEPLOYED", 0), ("SKIPPED", 0), ("REJECTED", 3), ("FAILED", 1), ("ROLLED_BACK", 1)]
)
def test_exit_codes(retrain, deployed, outcome, code):
    deployed.ledger.records = [run_record(RUN, outcome=outcome)]
    assert retrain("watch", RUN).code == code


def test_a_run_that_fails_before_it_has_a_record(retrain, stack):
    events = history(end="ExecutionFailed")
    entered = {"name": "Prepare", "input": "{}"}
    events.insert(1, {**events[0], "id": 9, "type": "TaskStateEntered", "stateEnteredEventDetails": entered})
    events[2]["executionFailedEventDetails"] = {"error": "PrepareError", "cause": "The dataset is empty."}
    stack.states.begin(RUN, events, status="FAILED")
    ended = retrain("watch", RUN)
    assert ended.code == 1
    assert "✗ Prepare" in ended.out
    assert ended.out.splitlines()[-1] == "FAILED after 3.0 s: PrepareError: The dataset is empty."


def test_a_stopped_run_says_so(retrain, stack):
    stack.states.begin(RUN, history(end="ExecutionAborted"), status="ABORTED")
    stack.ledger.records = [run_record(RUN, outcome="RUNNING")]
    assert retrain("watch", RUN).out.splitlines()[-1].startswith("ABORTED after 2.0 s")


def test_a_run_that_is_not_there(retrain, stack):
    ended = retrain("watch", "nonsense")
    assert ended.code == 1
    assert (
        "There is no run 'nonsense' in the stack 'retrain': 'retrain runs' lists those there are."
        in ended.err
    )


def test_waiting_ends_when_told_to(retrain, stack, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(follow.time, "monotonic", lambda: next(clock))
    ended = retrain("watch", "--timeout", 2)
    assert ended.code == 1
    assert ended.err.startswith(
        "No run is going on; waiting for one to begin (Ctrl-C ends).\nretrain: No run began within 2.0 s."
    )


def test_a_run_that_begins_between_two_looks_is_not_missed(retrain, deployed, monkeypatch):
    monkeypatch.setattr(follow, "known_runs", lambda _: set())  # the first look: it had not begun yet
    monkeypatch.setattr("retrain.cli.watch._running_or_recent", lambda _: None)  # nor at the second
    assert f"run {RUN}" in retrain("watch").out

    looks = []
    monkeypatch.setattr(follow, "known_runs", lambda _: looks.append("known") or set())
    monkeypatch.setattr("retrain.cli.watch._running_or_recent", lambda _: looks.append("running"))
    retrain("watch")
    assert looks == ["known", "running"]


def test_watching_ends_when_told_to(retrain, deployed, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(follow.time, "monotonic", lambda: next(clock))
    ended = retrain("watch", RUN, "--timeout", 2)
    assert ended.code == 1
    assert f"The run {RUN} had not ended after 2.0 s; 'retrain watch {RUN}' goes on watching." in ended.err


def test_retries_are_shown_with_what_failed(stack):
    events = history(("Train", "Task", JOB))
    failure = {"error": "SageMaker.ThrottlingException", "cause": "slow down"}
    events.insert(2, {"id": 9, "type": "TaskFailed", "timestamp": START, "taskFailedEventDetails": failure})
    (visit,) = executions.visits(events)
    assert (visit.error, visit.cause) == ("SageMaker.ThrottlingException", "slow down")
    assert visit.left_at - visit.entered_at == timedelta(seconds=1)
    assert visit.failed
    events.insert(3, {"id": 10, "type": "TaskSucceeded", "timestamp": START})
    (visit,) = executions.visits(events)
    assert not visit.failed
    assert render.state(visit, unicode=True).plain.endswith("SageMaker.ThrottlingException: slow down")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ('{"errorMessage": "No data.", "stackTrace": []}', "No data."),
        ('{"TrainingJobName": "j", "FailureReason": "AlgorithmError: exit 1"}', "AlgorithmError: exit 1"),
        ('{"other": 1}', '{"other": 1}'),
        ("[1]", "[1]"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_causes_without_their_wrapping(cause, words):
    assert render.plain_cause(cause) == words


def test_the_runs_newest_first(retrain, stack):
    stack.ledger.records = [
        run_record(f"mnist-{day}", started_at=f"2026-08-0{day}T00:00:00Z", finished_at=None)
        for day in (1, 3, 2)
    ] + [run_record("other-1", dataset="other", started_at="2026-07-01T00:00:00Z", decision=None)]
    rows = [line.split("\t") for line in retrain("runs").out.splitlines()]
    assert rows[0] == ["RUN", "OUTCOME", "STARTED", "TOOK", "ACCURACY", "REASON"]
    assert [row[0] for row in rows[1:]] == ["mnist-3", "mnist-2", "mnist-1", "other-1"]
    assert [row[4] for row in rows[1:]] == ["0.9861", "0.9861", "0.9861", "-"]
    assert [record["run_id"] for record in retrain("runs", "--dataset", "other", "--json").json] == [
        "other-1"
    ]
    assert len(retrain("runs", "-n", 2).out.splitlines()) == 3


def test_no_run_yet(retrain, stack):
    assert "There has been no run yet" in retrain("runs").err
    assert retrain("runs", "--json").json == []
    assert "has had no run yet: 'retrain upload FOLDER --dataset NAME' starts one." in retrain("show").err


def test_show_the_whole_record(retrain, stack):
    failed = {"name": "AlgorithmError", "cause": "exit code 1"}
    stack.ledger.records = [
        run_record("mnist-aa-1"),
        run_record("mnist-ab-1", error=failed, started_at="2027"),
    ]
    ended = retrain("show", "mnist-aa")
    assert ended.out.startswith("run mnist-aa-1  DEPLOYED\n  verdict promote  The challenger is good")
    assert "      accuracy: 0.9861" in ended.out
    assert "pk:" not in ended.out
    assert "  cause: exit code 1" in retrain("show").out
    failed["cause"] = '{"TrainingJobName": "x", "FailureReason": "AlgorithmError: no\\nimages"}'
    assert "  cause: AlgorithmError: no images\n" in retrain("show").out
    assert retrain("show", "--json").json["error"] == failed
    assert retrain("show", "latest", "--json").json["decision"]["metrics"]["challenger"]["accuracy"] == 0.9861
    assert "2 runs begin with 'mnist-a': give more of the id." in retrain("show", "mnist-a").err
    assert "There is no run 'x'" in retrain("show", "x").err


def test_logs_of_all_hosts(retrain, deployed):
    assert retrain("logs").out.splitlines() == LINES
    deployed.logs.streams[f"retrain-{RUN}-r0t0/algo-2-1785585600"] = ["ready"]
    deployed.logs.streams[f"retrain-{RUN}0-r0t0/algo-1-1785585600"] = ["another job"]
    assert retrain("logs").out.splitlines()[-2:] == ["algo-1  epoch=2/2 train_loss=0.1", "algo-2  ready"]
    assert retrain("logs", "--json").json_lines[-1] == {
        "time": "2026-08-01T12:00:00Z",
        "host": "algo-2",
        "line": "ready",
    }


def test_logs_of_a_run_whose_training_failed(retrain, deployed):
    deployed.ledger.records = [run_record(RUN, training_job_name=None, outcome="FAILED")]
    deployed.states.machines[RUN]["seen"] = 2
    assert retrain("logs", RUN).out.splitlines() == LINES


def test_logs_of_a_run_that_never_trained(retrain, stack):
    stack.ledger.records = [run_record(RUN, training_job_name=None, reason="The dataset is empty.")]
    assert f"The run {RUN} has no training job: The dataset is empty." in retrain("logs").err


def test_logs_before_the_first_line(retrain, stack):
    stack.ledger.records = [run_record(RUN)]
    ended = retrain("logs")
    assert (ended.code, ended.out) == (0, "")
    assert f"The training job retrain-{RUN}-r0t0 has written nothing yet." in ended.err


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0.0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (7500, "2 h 5 min"),
        (100000, "1 d 3 h"),
    ],
)
def test_durations_in_words(seconds, words):
    assert in_words(seconds) == words


def test_logs_that_were_removed(retrain, stack):
    stack.ledger.records = [run_record(RUN, removed_at="2026-09-01T12:00:00.000Z")]
    assert f"The log of the training job retrain-{RUN}-r0t0 was removed" in retrain("logs").err
