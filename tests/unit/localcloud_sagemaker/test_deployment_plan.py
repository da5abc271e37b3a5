"""What a DeploymentConfig asks for, and what AWS would not take."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.localcloud.sagemaker.errors import InvalidRequestError, UnsupportedError
from retrain.localcloud.sagemaker.hosting.plan import DeploymentPlan


def spec(variant="A", instances=10, serverless=None):
    return {"variant": variant, "instances": instances, "serverless": serverless}


def percent(value):
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value):
    return {"Type": "INSTANCE_COUNT", "Value": value}


def config(kind="ALL_AT_ONCE", alarms=(), limit=None, **routing):
    policy = {
        "TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": 3, **routing},
        "TerminationWaitInSeconds": 4,
    }
    if limit is not None:
        policy["MaximumExecutionTimeoutInSeconds"] = limit
    found = {"BlueGreenUpdatePolicy": policy}
    if alarms:
        found["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return found


def test_without_a_config_everything_goes_over_at_once():
    assert DeploymentPlan.of(None, [spec()]) == DeploymentPlan()
    assert DeploymentPlan.of({}, [spec()]) == DeploymentPlan()
    plan = DeploymentPlan.of({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}}, [spec()])
    assert (plan.shares, plan.bake_seconds, plan.alarms, plan.guarded) == ((1.0,), 0.0, ("a",), True)


@pytest.mark.parametrize(
    ("wanted", "shares"),
    [
        (config(), (1.0,)),
        (config("CANARY", CanarySize=percent(1)), (0.01, 1.0)),
        (config("CANARY", CanarySize=percent(50)), (0.5, 1.0)),
        (config("CANARY", CanarySize=instances(3)), (0.3, 1.0)),
        (config("LINEAR", LinearStepSize=percent(50)), (0.5, 1.0)),
        (config("LINEAR", LinearStepSize=percent(30)), (0.3, 0.6, 0.9, 1.0)),
        (config("LINEAR", LinearStepSize=instances(2)), (0.2, 0.4, 0.6, 0.8, 1.0)),
    ],
)
def test_traffic_is_shifted_as_the_config_says(wanted, shares):
    plan = DeploymentPlan.of({**config(alarms=("a", "b", "a")), **wanted}, [spec()])
    assert plan.shares == pytest.approx(shares)
    assert (plan.bake_seconds, plan.termination_wait_seconds) == (3.0, 4.0)
    assert plan.alarms == ("a", "b")


@given(st.integers(10, 50))
def test_linear_steps_are_equal_and_end_with_everything(value):
    shares = (0.0, *DeploymentPlan.of(config("LINEAR", LinearStepSize=percent(value)), [spec()]).shares)
    steps = [after - before for before, after in itertools.pairwise(shares)]
    assert shares[-1] == 1.0
    assert steps[:-1] == pytest.approx([value / 100] * (len(steps) - 1))
    assert 0 < steps[-1] <= value / 100 + 1e-9


@pytest.mark.parametrize(
    ("wanted", "error", "message"),
    [
        (config("CANARY"), InvalidRequestError, "CanarySize must be specified"),
        (config("LINEAR"), InvalidRequestError, "LinearStepSize must be specified"),
        (config(CanarySize=percent(10)), InvalidRequestError, "CanarySize cannot be specified"),
        (
            config("CANARY", CanarySize=percent(10), LinearStepSize=percent(10)),
            InvalidRequestError,
            "LinearStepSize cannot be specified",
        ),
        (config("CANARY", CanarySize=percent(51)), InvalidRequestError, "less than or equal to 50%"),
        (config("CANARY", CanarySize=instances(6)), InvalidRequestError, "less than or equal to 50%"),
        (config("LINEAR", LinearStepSize=percent(51)), InvalidRequestError, "10-50%"),
        (config("LINEAR", LinearStepSize=percent(9)), InvalidRequestError, "10-50%"),
        (config(limit=7), InvalidRequestError, "must be larger than the total waiting time"),
        (
            {**config(), "RollingUpdatePolicy": {"WaitIntervalInSeconds": 1}},
            InvalidRequestError,
            "Only one of",
        ),
        ({"RollingUpdatePolicy": {"WaitIntervalInSeconds": 1}}, UnsupportedError, "RollingUpdatePolicy"),
        ({"AutoRollbackConfiguration": {"Alarms": [{}]}}, InvalidRequestError, "AlarmName must be specified"),
    ],
)
def test_what_contradicts_itself_is_refused(wanted, error, message):
    with pytest.raises(error, match=message):
        DeploymentPlan.of(wanted, [spec()])


def test_one_instance_cannot_be_counted_in_halves():
    with pytest.raises(InvalidRequestError, match="less than or equal to 50%"):
        DeploymentPlan.of(config("CANARY", CanarySize=instances(1)), [spec(instances=1)])
    with pytest.raises(UnsupportedError, match="different instance counts"):
        DeploymentPlan.of(config("CANARY", CanarySize=instances(1)), [spec(instances=4), spec("B", 2)])


def test_instances_never_become_serverless_but_the_other_way_round():
    serverless = spec(serverless={"MaxConcurrency": 1})
    with pytest.raises(InvalidRequestError, match="cannot be updated to a serverless one"):
        DeploymentPlan().check_update([spec()], [serverless])
    DeploymentPlan().check_update([serverless], [spec()])
    DeploymentPlan().check_update([serverless], [serverless])


def test_guarded_updates_keep_the_variants_and_are_not_serverless():
    guarded, free = DeploymentPlan(guarded=True), DeploymentPlan()
    guarded.check_update([spec("A"), spec("B")], [spec("B"), spec("A")])
    for before, after, message in (
        ([spec("A")], [spec("B")], "found B, not A"),
        ([spec("A")], [spec("A"), spec("B")], "found A, B, not A"),
        ([spec("A")], [spec("A", serverless={"MaxConcurrency": 1})], "serverless"),
        ([spec("A", serverless={"MaxConcurrency": 1})], [spec("A")], "serverless"),
    ):
        with pytest.raises(InvalidRequestError, match=message):
            guarded.check_update(before, after)
        if not after[0]["serverless"]:
            free.check_update(before, after)
