"""A stop of the local cloud in the middle of a deployment, or after one that went back."""

from __future__ import annotations

import pytest

from retrain.localcloud import process
from tests.integration.sagemaker.conftest import BUCKET, Tiny, start_cloud
from tests.integration.sagemaker.guardrails import (
    Alarms,
    Load,
    deployment,
    serving,
    stage,
    until_stage,
    update,
)


@pytest.fixture
def own(tmp_path, wait_until):
    """A cloud of the test's own, to be stopped."""
    tiny = Tiny(start_cloud(tmp_path), wait_until)
    tiny.s3.create_bucket(Bucket=BUCKET)
    yield tiny
    process.down(tmp_path)


def test_a_deployment_that_a_stop_cuts_off_begins_anew(own, tmp_path, wait_until):
    name = serving(own)
    blue = own.settled(name)["EndpointConfigName"]
    alarm = Alarms(own).put(name)
    plan = deployment("CANARY", 50, bake=4, alarms=(alarm,))
    green = update(own, name, plan)
    until_stage(own, name, "Baking")
    assert process.down(tmp_path)

    again = Tiny(start_cloud(tmp_path), wait_until)
    # The first request waits until what served has come up.
    assert again.ask(name)["answer"] in ("blue", "green")
    described = again.sagemaker.describe_endpoint(EndpointName=name)
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("Updating", blue)
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == green
    assert "VariantStatus" not in described["ProductionVariants"][0]
    until_stage(again, name, "canary capacity")
    with Load(again, name) as load:
        settled = again.settled(name)
    assert not load.errors
    assert settled["EndpointStatus"] == "InService"
    assert settled["EndpointConfigName"] == green
    assert settled["LastDeploymentConfig"] == plan
    assert stage(settled) == ("", "")


def test_an_endpoint_that_was_rolled_back_still_says_why_after_a_stop(own, tmp_path, wait_until):
    name = serving(own)
    blue = own.settled(name)["EndpointConfigName"]
    alarm = Alarms(own).put(name)
    update(own, name, deployment("ALL_AT_ONCE", bake=600, alarms=(alarm,)))
    until_stage(own, name, "Baking")
    Alarms(own).set(alarm, "ALARM")
    reason = own.settled(name)["FailureReason"]
    assert alarm in reason
    assert process.down(tmp_path)

    again = Tiny(start_cloud(tmp_path), wait_until)
    assert again.ask(name)["answer"] == "blue"
    settled = again.settled(name)
    assert (settled["EndpointConfigName"], settled["FailureReason"]) == (blue, reason)
    # What was set by hand is over, as with any alarm that is evaluated.
    again.wait_until(lambda: Alarms(again).state(alarm) == "OK", what="the alarm's end")
    update(again, name, deployment("ALL_AT_ONCE", alarms=(alarm,)))
    assert again.settled(name)["EndpointConfigName"] != blue
    assert again.ask(name)["answer"] == "green"
