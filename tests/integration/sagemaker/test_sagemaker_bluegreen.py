"""Blue/green deployments under load: traffic shifted in steps, and no request lost on the way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from botocore.exceptions import ClientError

from tests.integration.sagemaker.guardrails import (
    Alarms,
    EndpointEvents,
    Load,
    Witness,
    deployment,
    serving,
    share,
    stage,
    until_stage,
    update,
)

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
BAKING = "(WaitIntervalInSeconds) with traffic enabled on"


def test_a_canary_gets_its_share_then_everything_and_no_request_fails(tiny):
    name = serving(tiny)
    blue = tiny.settled(name)["EndpointConfigName"]
    first = tiny.ask(name)["pid"]
    events = EndpointEvents(tiny, name)
    plan = deployment("CANARY", 10, bake=3, termination=2)
    witness = Witness(tiny, name)
    with Load(tiny, name) as load:
        load.until_answered_by("blue")
        green = update(tiny, name, plan)
        settled = witness.until_settled()
        load.until_answered_by("green")
    assert not load.errors

    canary = load.between(*witness.span(f"{BAKING} canary capacity"))
    # Green's turns are as many as they should be, but for requests that were under way at either end.
    assert abs(share(canary) - 0.1) * len(canary) <= 2 + 2 * load.clients
    final = load.between(*witness.span(f"{BAKING} full capacity"))
    waiting = load.between(*witness.span("(TerminationWaitInSeconds)"))
    assert final
    assert {one.answer for one in final + waiting} == {"green"}

    for _, described in witness.seen[:-1]:
        assert described["EndpointStatus"] == "Updating"
        assert described["EndpointConfigName"] == blue
        assert described["LastDeploymentConfig"] == plan
        assert described["PendingDeploymentSummary"]["EndpointConfigName"] == green
    assert settled["EndpointStatus"] == "InService"
    assert settled["EndpointConfigName"] == green
    assert "PendingDeploymentSummary" not in settled
    assert "FailureReason" not in settled
    assert "VariantStatus" not in settled["ProductionVariants"][0]
    assert not psutil.pid_exists(first)

    told = events.until(lambda seen: any(one["detail"]["EndpointStatus"] == "IN_SERVICE" for one in seen))
    statuses = [
        one["detail"]["EndpointStatus"]
        for one in told
        if one["detail-type"] == "SageMaker Endpoint State Change"
    ]
    assert statuses == ["UPDATING", "IN_SERVICE"]
    variants = [
        one["detail"]["PendingDeploymentSummary"]["ProductionVariants"][0]
        for one in told
        if one["detail-type"] == "SageMaker Endpoint Deployment State Change"
    ]
    stages = [
        (status["StatusMessage"], one["CurrentInstanceCount"])
        for one in variants
        for status in one["VariantStatus"]
    ]
    waiting_words = "Baking for 2 seconds (TerminationWaitInSeconds) with traffic enabled on"
    assert stages == [
        ("Launching 10 instance(s).", 0),
        ("Activating traffic on canary capacity of 1 instance(s).", 1),
        (f"Baking for 3 seconds {BAKING} canary capacity of 1 instance(s).", 1),
        ("Activating traffic on full capacity of 10 instance(s).", 10),
        (f"Baking for 3 seconds {BAKING} full capacity of 10 instance(s).", 10),
        (f"{waiting_words} full capacity of 10 instance(s).", 10),
        # Green as it was; it is blue that is Deleting.
        (f"{waiting_words} full capacity of 10 instance(s).", 10),
    ]
    last = [one for one in told if "VariantStatus" in one["detail"]["ProductionVariants"][0]][-1]
    (status,) = last["detail"]["ProductionVariants"][0]["VariantStatus"]
    assert (status["Status"], status["StatusMessage"]) == ("Deleting", "Terminating 10 instance(s).")


def test_traffic_goes_over_in_equal_steps(tiny):
    name = serving(tiny)
    witness = Witness(tiny, name)
    with Load(tiny, name) as load:
        load.until_answered_by("blue")
        green = update(tiny, name, deployment("LINEAR", 40, bake=2))
        settled = witness.until_settled()
    assert not load.errors
    assert settled["EndpointConfigName"] == green
    for part, wanted in (
        ("linear step capacity of 4", 0.4),
        ("linear step capacity of 8", 0.8),
        ("full capacity of 10", 1.0),
    ):
        step = load.between(*witness.span(f"{BAKING} {part}"))
        assert abs(share(step) - wanted) * len(step) <= 2 + 2 * load.clients


@pytest.mark.parametrize("plan", [None, deployment("ALL_AT_ONCE", bake=1)])
def test_all_at_once_switches_in_one_step(tiny, plan):
    name = serving(tiny)
    with Load(tiny, name) as load:
        load.until_answered_by("blue")
        green = update(tiny, name, plan)
        assert tiny.settled(name)["EndpointConfigName"] == green
        load.until_answered_by("green")
    assert not load.errors
    # In the order in which they began, as several clients ask at once.
    answers = [one.answer for one in sorted(load.asked, key=lambda one: one.began)]
    turned = answers.index("green")
    assert "blue" not in answers[turned + load.clients :]


def test_a_request_under_way_is_answered_by_whom_it_was_given_to(tiny):
    name = serving(tiny)
    alarm = Alarms(tiny).put(name)
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(tiny.ask, name, "sleep 3")
        # Blue is retired meanwhile, and waits for it.
        update(tiny, name, None)
        tiny.wait_until(lambda: tiny.ask(name)["answer"] == "green", seconds=20, what="the switch")
        assert not slow.done()
        assert tiny.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Updating"
        assert slow.result()["answer"] == "blue"
        assert tiny.settled(name)["EndpointStatus"] == "InService"

        # And so does a green that is rolled back.
        update(tiny, name, deployment("ALL_AT_ONCE", bake=600, alarms=(alarm,)), answer="worse")
        until_stage(tiny, name, "Baking for 600")
        slow = pool.submit(tiny.ask, name, "sleep 3")
        assert tiny.ask(name)["answer"] == "worse"
        Alarms(tiny).set(alarm, "ALARM")
        tiny.wait_until(lambda: tiny.ask(name)["answer"] == "green", what="the way back")
        assert not slow.done()
        assert tiny.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "RollingBack"
        assert slow.result()["answer"] == "worse"
    settled = tiny.settled(name)
    assert f"the alarm {alarm}" in settled["FailureReason"]


def test_what_is_under_way_is_left_alone(tiny):
    name = serving(tiny)
    green = update(tiny, name, deployment("CANARY", 50, bake=3))
    until_stage(tiny, name, "Baking")
    in_progress = f'Cannot update in-progress endpoint "{ARN}:endpoint/{name}"'
    for operation, request in (
        ("update_endpoint", {"EndpointConfigName": green}),
        ("delete_endpoint", {}),
        (
            "update_endpoint_weights_and_capacities",
            {"DesiredWeightsAndCapacities": [{"VariantName": "A", "DesiredWeight": 1}]},
        ),
    ):
        with pytest.raises(ClientError, match=in_progress) as refused:
            getattr(tiny.sagemaker, operation)(EndpointName=name, **request)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert tiny.settled(name)["EndpointConfigName"] == green


def test_the_last_deployment_config_may_be_used_again(tiny):
    plan = deployment("CANARY", 20, bake=1)
    name = tiny.name("endpoint")
    blue = tiny.config(tiny.model("blue"))
    tiny.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=blue, DeploymentConfig=plan)
    assert tiny.settled(name)["LastDeploymentConfig"] == plan
    config = tiny.config(tiny.model("green"))
    with pytest.raises(ClientError, match="DeploymentConfig cannot be specified when RetainDeploymentConfig"):
        tiny.sagemaker.update_endpoint(
            EndpointName=name, EndpointConfigName=config, RetainDeploymentConfig=True, DeploymentConfig=plan
        )
    tiny.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, RetainDeploymentConfig=True)
    described = until_stage(tiny, name, "canary capacity")
    assert stage(described)[0] in ("ActivatingTraffic", "Baking")
    assert tiny.settled(name)["LastDeploymentConfig"] == plan


def test_what_aws_would_not_deploy_is_refused_and_nothing_has_happened(tiny):
    name = serving(tiny, instances=4)
    before = tiny.settled(name)
    config = tiny.config(tiny.model("green"), InitialInstanceCount=4)
    renamed = tiny.config(tiny.model("a"), tiny.model("b"))
    serverless = tiny.name("config")
    tiny.sagemaker.create_endpoint_config(
        EndpointConfigName=serverless,
        ProductionVariants=[
            {
                "VariantName": "A",
                "ModelName": tiny.model(),
                "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
            }
        ],
    )
    alarms = Alarms(tiny)
    alarm = alarms.put(name)
    alarms.set(alarm, "ALARM")
    too_big = deployment("CANARY", 10)
    routing = too_big["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    routing["CanarySize"] = {"Type": "INSTANCE_COUNT", "Value": 3}
    for target, plan, message in (
        (config, deployment("CANARY", 51), "less than or equal to 50% of the variant's total instance count"),
        (config, too_big, "less than or equal to 50% of the variant's total instance count"),
        (config, deployment("LINEAR", 9), "10-50% of the variant's total instance count"),
        (config, deployment("CANARY", 10, bake=3601), "less than or equal to 3600"),
        (config, deployment("ALL_AT_ONCE", alarms=("nobody",)), "could not be found: nobody"),
        (config, deployment("ALL_AT_ONCE", alarms=(alarm,)), f"are in ALARM state: {alarm}"),
        (config, deployment("ALL_AT_ONCE", alarms=tuple("abcdefghijk")), "less than or equal to 10"),
        (renamed, deployment("CANARY", 10), "same variant names"),
        (serverless, deployment("CANARY", 10), "serverless"),
    ):
        with pytest.raises(ClientError, match=message) as refused:
            tiny.sagemaker.update_endpoint(
                EndpointName=name, EndpointConfigName=target, DeploymentConfig=plan
            )
        assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert tiny.settled(name) | {"ResponseMetadata": 0} == before | {"ResponseMetadata": 0}
    assert tiny.ask(name)["answer"] == "blue"
