"""Metrics that are sent by the thousand, and alarms that are evaluated as time goes by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from retrain.localcloud import cloudwatch, seams
from retrain.localcloud.cloudwatch import Datum, requests
from retrain.localcloud.cloudwatch.alarms import AlarmBoard
from retrain.localcloud.cloudwatch.metrics import CLOUDWATCH, MetricRecorder, thinned
from tests.unit.localcloud.conftest import Restored

DIMENSIONS = {"EndpointName": "e", "VariantName": "A"}
KEY = ("AWS/SageMaker", "Invocation5XXErrors", "EndpointName=e|VariantName=A")


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ministack(restored: Restored) -> Iterator[Any]:
    """MiniStack's CloudWatch, empty."""
    replaced = ("_evaluate_alarm", "_record_history", "_put_metric_alarm")
    restored.remember(CLOUDWATCH, *replaced)
    module = seams.module(CLOUDWATCH)
    module.reset()
    yield module
    module.reset()


@pytest.fixture
def recorder(ministack: Any, clock: Clock) -> MetricRecorder:
    return MetricRecorder(clock)


@pytest.fixture
def board(ministack: Any, clock: Clock) -> AlarmBoard:
    """The board in its place, without the thread that evaluates as time goes by."""
    board = AlarmBoard(clock)
    board.close()
    board.install()
    return board


def put_alarm(ministack: Any, name: str = "alarm", **changes: Any) -> dict[str, Any]:
    request = {
        "AlarmName": name,
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": key, "Value": value} for key, value in DIMENSIONS.items()],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.01,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **changes,
    }
    status, _, body = ministack._put_metric_alarm({}, request, False, True)
    assert status == 200, body
    return dict(ministack._alarms[name])


def error(recorder: MetricRecorder, value: float = 1.0, **dimensions: str) -> None:
    recorder.record("AWS/SageMaker", [DIMENSIONS | dimensions], [Datum("Invocation5XXErrors", value)])


def test_the_seams_are_as_expected() -> None:
    seams.check()  # importing the package has added what it relies on


class TestMetrics:
    def test_equal_values_of_a_second_are_one_point_with_a_count(
        self, ministack: Any, recorder: MetricRecorder, clock: Clock
    ) -> None:
        for value in (1.0, 0.0, 1.0):
            error(recorder, value)
            clock.now += 0.25
        clock.now += 1.0
        error(recorder)
        found = [(point["Value"], point["Count"]) for point in ministack._metrics[KEY]]
        assert found == [(1.0, 2.0), (0.0, 1.0), (1.0, 1.0)]
        assert ministack._calc_stats(ministack._metrics[KEY])["Average"] == 0.75

    def test_every_set_of_dimensions_is_a_metric(self, ministack: Any, recorder: MetricRecorder) -> None:
        recorder.record("N", [{"A": "1"}, {"A": "1", "B": "2"}], [Datum("m", 3.0), Datum("n", 4.0)])
        assert set(ministack._metrics.keys()) == {
            ("N", name, dimensions) for name in "mn" for dimensions in ("A=1", "A=1|B=2")
        }

    def test_an_hour_of_load_stays_small_and_keeps_its_statistics(
        self, ministack: Any, recorder: MetricRecorder, clock: Clock
    ) -> None:
        for number in range(3600 * 5):
            datum = Datum("ModelLatency", 1000.0 + number % 200, "Microseconds")
            recorder.record("N", [{}], [datum])
            clock.now += 0.2
        found = ministack._metrics["N", "ModelLatency", ""]
        assert len(found) < 3000
        stats = ministack._calc_stats(found)
        assert stats["SampleCount"] == 18_000
        assert stats["Average"] == pytest.approx(1099.5, rel=0.01)
        assert ministack._stat_value(stats, "p99", found) == pytest.approx(1198, rel=0.015)

    def test_sets_of_statistics_are_not_merged(self) -> None:
        point = {"Timestamp": 0.0, "Value": 1.0, "_stat": {"SampleCount": 2}}
        assert thinned([point, point], 100.0) == [point, point]


class TestAlarms:
    def test_only_its_own_metric_sets_an_alarm_off(
        self, ministack: Any, board: AlarmBoard, recorder: MetricRecorder
    ) -> None:
        put_alarm(ministack)
        error(recorder, EndpointName="another")
        error(recorder, EndpointConfigName="green")
        board.evaluate(["alarm"])
        assert board.states(["alarm", "nobody"]) == {"alarm": "OK"}
        error(recorder)
        board.evaluate(["alarm"])
        assert board.states(["alarm"]) == {"alarm": "ALARM"}
        assert "Threshold Crossed" in ministack._alarms["alarm"]["StateReason"]

    def test_it_goes_out_by_itself_when_the_period_is_over(
        self, ministack: Any, board: AlarmBoard, recorder: MetricRecorder, clock: Clock
    ) -> None:
        put_alarm(ministack)
        error(recorder)
        board.evaluate(["alarm"])
        clock.now += 61.0
        board.evaluate(["alarm"])
        assert board.states(["alarm"]) == {"alarm": "OK"}

    def test_a_new_period_forgets_what_was_before_on_its_endpoint_alone(
        self, ministack: Any, board: AlarmBoard, recorder: MetricRecorder, clock: Clock
    ) -> None:
        other = [{"Name": "EndpointName", "Value": "other"}, {"Name": "VariantName", "Value": "A"}]
        put_alarm(ministack)
        put_alarm(ministack, "other", Dimensions=other)
        error(recorder)
        error(recorder, EndpointName="other")
        recorder.close_bins()
        clock.now += 0.01
        board.begin_period("AWS/SageMaker", "EndpointName", "e")
        board.evaluate(["alarm", "other"])
        assert board.states(["alarm", "other"]) == {"alarm": "OK", "other": "ALARM"}
        error(recorder)  # in the same second
        board.evaluate(["alarm"])
        assert board.states(["alarm"]) == {"alarm": "ALARM"}

    def test_who_waits_hears_of_every_alarm_however_short_and_of_no_other(
        self, ministack: Any, board: AlarmBoard, recorder: MetricRecorder
    ) -> None:
        put_alarm(ministack)
        put_alarm(ministack, "other")
        rule = {"AlarmName": "both", "AlarmRule": "ALARM(alarm)"}
        assert ministack._put_composite_alarm({}, rule, False, True)[0] == 200
        heard: list[tuple[str, str]] = []
        release = board.watch(["alarm", "both"], lambda name, reason: heard.append((name, reason)))
        for state in ("ALARM", "OK", "ALARM"):
            force(ministack, state)
        force(ministack, "ALARM", "other")
        assert [name for name, _ in heard] == ["alarm", "both", "alarm", "both"]
        assert heard[0][1] == "by hand"
        release()
        force(ministack, "OK")
        force(ministack, "ALARM")
        assert len(heard) == 4

    def test_what_is_set_by_hand_holds_until_there_is_data_or_a_period_is_over(
        self, ministack: Any, board: AlarmBoard, recorder: MetricRecorder, clock: Clock
    ) -> None:
        put_alarm(ministack)
        for after in (lambda: error(recorder, 0.0), lambda: setattr(clock, "now", clock.now + 60.0)):
            force(ministack, "ALARM")
            for _ in range(3):
                board.evaluate(["alarm"])
                assert board.states(["alarm"]) == {"alarm": "ALARM"}
            after()
            board.evaluate(["alarm"])
            assert board.states(["alarm"]) == {"alarm": "OK"}

    def test_an_alarm_that_cannot_be_evaluated_does_not_stop_the_others(
        self, ministack: Any, clock: Clock, recorder: MetricRecorder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("retrain.localcloud.cloudwatch.alarms.TICK_SECONDS", 0.001)
        installed = cloudwatch.install()
        try:
            put_alarm(ministack, "ill")
            put_alarm(ministack, "well")
            ministack._alarms["ill"]["Threshold"] = "much"
            heard: list[str] = []
            installed.watch_alarms(["well"], lambda name, _reason: heard.append(name))
            installed.record("AWS/SageMaker", [DIMENSIONS], [Datum("Invocation5XXErrors", 1.0)])
            for _ in range(2000):
                if heard:
                    break
                installed.alarms._closed.wait(0.005)
            assert heard == ["well"]
            assert installed.alarm_states(["well"]) == {"well": "ALARM"}
        finally:
            cloudwatch.shutdown()


def force(ministack: Any, state: str, name: str = "alarm") -> None:
    request = {"AlarmName": name, "StateValue": state, "StateReason": "by hand"}
    assert ministack._set_alarm_state({}, request, False, True)[0] == 200


@pytest.mark.parametrize(
    ("params", "data", "name"),
    [
        ({"Metrics.member.1.Id": ["m"]}, {}, "Metrics"),
        ({}, {"Metrics": [{"Id": "m"}]}, "Metrics"),
        ({}, {"ThresholdMetricId": "t"}, "ThresholdMetricId"),
        ({"MetricName": ["m"]}, {}, None),
        ({}, {"MetricName": "m", "Metrics": []}, None),
    ],
)
def test_alarms_that_could_never_go_off_are_found(
    params: dict[str, Any], data: dict[str, Any], name: str | None
) -> None:
    assert requests.unsupported(params, data) == name
