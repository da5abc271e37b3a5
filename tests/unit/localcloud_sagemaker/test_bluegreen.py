"""One deployment, step by step, with fleets that are no processes."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.localcloud.sagemaker.errors import DeploymentError
from retrain.localcloud.sagemaker.hosting.bluegreen import BlueGreen, End, Surface
from retrain.localcloud.sagemaker.hosting.fleet import AllTraffic, SplitTraffic
from retrain.localcloud.sagemaker.hosting.plan import DeploymentPlan


class PretendedFleet:
    """A fleet of one variant, which writes down what is done to it."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self.config_name = name
        self.lost: str | None = None
        self.starting: Callable[[threading.Event], None] = lambda _cancelled: None
        self._diary = diary
        spec = {"variant": "A", "weight": 1.0, "instances": 4, "image": "i", "serverless": None}
        self.servers = {"A": SimpleNamespace(spec=spec)}

    def start(self, cancelled: threading.Event) -> None:
        self._diary.append(f"start {self.config_name}")
        self.starting(cancelled)

    def retire(self, drain_seconds: float) -> None:
        self._diary.append(f"retire {self.config_name} after at most {drain_seconds:g} s")

    def choose(self, variant: str | None) -> str:
        return self.config_name


class PretendedAlarms:
    """CloudWatch with alarms that go off as they are told to."""

    def __init__(self, diary: list[str]) -> None:
        self.tell: Callable[[str, str], None] | None = None
        self.on_evaluation: Callable[[], None] = lambda: None
        self.states: dict[str, str] = {}
        self._diary = diary

    def alarm_states(self, names: Any) -> dict[str, str]:
        return {name: self.states.get(name, "OK") for name in names}

    def watch_alarms(self, names: Any, callback: Callable[[str, str], None]) -> Callable[[], None]:
        self.tell = callback

        def release() -> None:
            self.tell = None

        return release

    def evaluate_alarms(self, names: Any) -> None:
        self.on_evaluation()

    def begin_period(self, namespace: str, dimension: str, value: str) -> None:
        self._diary.append(f"new period of {value}")


class Stage:
    """Everything around one deployment."""

    def __init__(self, platform: Any) -> None:
        self.diary: list[str] = []
        self.record: dict[str, Any] = {}
        self.blue = PretendedFleet("blue", self.diary)
        self.green = PretendedFleet("green", self.diary)
        self.alarms = PretendedAlarms(self.diary)
        self.cut_off = threading.Event()
        self.on_progress: Callable[[str], None] = lambda _message: None
        platform.monitoring = self.alarms
        self._platform = platform

    def run(self, **plan: Any) -> End:
        surface = Surface(route=self._route, progress=self._progress, status=self._status)
        return BlueGreen(
            self._platform,
            "e",
            self.blue,  # type: ignore[arg-type]
            self.green,  # type: ignore[arg-type]
            DeploymentPlan(**{"alarms": ("alarm",), **plan}),
            surface,
            self.cut_off,
        ).run()

    def _route(self, policy: Any) -> None:
        if isinstance(policy, SplitTraffic):
            self.diary.append(f"{policy.share:.0%} to {policy.green.config_name}")
        elif isinstance(policy, AllTraffic):
            self.diary.append(f"all to {policy.fleet.config_name}")

    def _progress(self, **changes: Any) -> None:
        self.record |= changes
        variants = (
            changes.get("ProductionVariants") or changes["PendingDeploymentSummary"]["ProductionVariants"]
        )
        (status,) = variants[0]["VariantStatus"]
        self.on_progress(status["StatusMessage"])

    def _status(self, status: str, **changes: Any) -> None:
        self.diary.append(status)
        self.record |= changes


@pytest.fixture
def stage(platform: Any) -> Stage:
    return Stage(platform)


ROLLED_BACK = ["all to blue", "RollingBack", "retire green after at most 65 s", "new period of e"]


def test_green_takes_over_step_by_step_and_then_blue_is_retired(stage: Stage) -> None:
    assert stage.run(kind="LINEAR", shares=(0.5, 1.0), termination_wait_seconds=0.01) is End.DONE
    assert stage.diary == [
        "start green",
        "new period of e",
        "50% to green",
        "all to green",
        "retire blue after at most 65 s",
    ]


def test_a_green_that_does_not_come_up_gets_no_request(stage: Stage) -> None:
    def fail(_cancelled: threading.Event) -> None:
        raise DeploymentError("no ping")

    stage.green.starting = fail
    assert stage.run() is End.ROLLED_BACK
    assert stage.diary == ["start green", *ROLLED_BACK]
    assert stage.record["_reason"] == "no ping"


def test_an_alarm_while_green_comes_up_is_the_reason_and_ends_its_start(stage: Stage) -> None:
    def take_long(cancelled: threading.Event) -> None:
        assert stage.alarms.tell is not None
        stage.alarms.tell("alarm", "too many errors")
        assert cancelled.is_set()
        raise DeploymentError("The deployment was cut off.")

    stage.green.starting = take_long
    assert stage.run() is End.ROLLED_BACK
    assert (
        "alarm alarm in AutoRollbackConfiguration went to ALARM. too many errors" in stage.record["_reason"]
    )


def test_an_alarm_before_anybody_listened_is_not_missed(stage: Stage) -> None:
    stage.alarms.states = {"alarm": "ALARM"}
    assert stage.run(kind="CANARY", shares=(0.1, 1.0)) is End.ROLLED_BACK
    assert stage.diary == ["start green", *ROLLED_BACK]
    assert "the alarm alarm" in stage.record["_reason"]


def test_an_alarm_that_is_found_out_at_the_end_of_baking_still_counts(stage: Stage) -> None:
    evaluations = iter(range(10))

    def go_off() -> None:
        if next(evaluations) == 1 and stage.alarms.tell is not None:
            stage.alarms.tell("alarm", "late")

    stage.alarms.on_evaluation = go_off
    assert stage.run(kind="CANARY", shares=(0.1, 1.0)) is End.ROLLED_BACK
    assert stage.diary == ["start green", "new period of e", "10% to green", "all to green", *ROLLED_BACK]


def test_an_alarm_after_the_end_changes_nothing(stage: Stage) -> None:
    heard: list[bool] = []

    def retire(_seconds: float) -> None:
        heard.append(stage.alarms.tell is not None)

    stage.blue.retire = retire  # type: ignore[method-assign]
    assert stage.run() is End.DONE
    assert heard == [False]


def test_a_green_that_is_not_restarted_any_more_is_rolled_back_without_an_alarm(stage: Stage) -> None:
    def die(message: str) -> None:
        if message.startswith("Baking"):
            stage.green.lost = "it exited six times"

    stage.on_progress = die
    assert stage.run(bake_seconds=600.0, alarms=()) is End.ROLLED_BACK
    assert stage.record["_reason"] == "it exited six times"
    assert stage.diary[-4:] == ROLLED_BACK


def test_a_deployment_that_takes_too_long_is_rolled_back(stage: Stage) -> None:
    assert stage.run(bake_seconds=600.0, limit_seconds=0.05) is End.ROLLED_BACK
    assert "exceeded MaximumExecutionTimeoutInSeconds (0.05)" in stage.record["_reason"]
    assert stage.diary[-4:] == ROLLED_BACK


@pytest.mark.parametrize("words", ["Launching", "Activating", "Baking", "Terminating"])
def test_a_stop_of_the_local_cloud_leaves_the_fleets_and_the_record_alone(stage: Stage, words: str) -> None:
    def stop(message: str) -> None:
        if message.startswith(words):
            stage.cut_off.set()

    stage.on_progress = stop
    assert stage.run(kind="CANARY", shares=(0.1, 1.0), bake_seconds=0.01) is End.CUT_OFF
    assert "RollingBack" not in stage.diary
    assert not any(line.startswith("retire green") for line in stage.diary)


# -- traffic ----------------------------------------------------------------------------------------


@given(share=st.floats(0.01, 0.99), number=st.integers(1, 2000), seed=st.integers())
def test_the_share_is_never_missed_by_more_than_about_one_request(
    share: float, number: int, seed: int
) -> None:
    fleets = [PretendedFleet(name, []) for name in ("blue", "green")]
    policy = SplitTraffic(*fleets, share, random.Random(seed).random)  # type: ignore[arg-type]
    greens = 0
    for asked in range(1, number + 1):
        greens += policy.choose(None) == "green"  # type: ignore[comparison-overlap]
        assert abs(greens - share * asked) <= 1.0 + share + 1e-6


def test_which_request_goes_to_green_is_left_to_chance() -> None:
    fleets = [PretendedFleet(name, []) for name in ("blue", "green")]

    def turns(seed: int) -> list[bool]:
        policy = SplitTraffic(*fleets, 0.1, random.Random(seed).random)  # type: ignore[arg-type]
        return [policy.choose(None) == "green" for _ in range(200)]  # type: ignore[comparison-overlap]

    assert turns(1) != turns(2)
    assert len({number % 10 for number, green in enumerate(turns(1)) if green}) > 3
