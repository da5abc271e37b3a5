"""The rules and the schedule of the other ways in: off unless asked for, exact, and losing nothing."""

import json
from typing import Any

import pytest

from tests.unit.functions import stack
from tests.unit.functions.stack import RESOURCES, TEMPLATE
from tests.unit.functions.test_template import matches

OPENED = {
    "RetrainRequestRule": {},
    "ImagePushRule": {"repository-name": ["retrain-training"]},
    "AlarmRule": {"alarmName": ["retrain-drift", "retrain-quality", "retrain-drift-and-quality"]},
}
"""The rules, and what the parameters of a stack that listens put into their patterns."""

PARAMETERS = {
    "RetrainRequestRule": ("AcceptRetrainRequests", "off"),
    "ImagePushRule": ("ImagePushRepositories", ""),
    "AlarmRule": ("AlarmNames", ""),
    "Schedule": ("ScheduleExpression", ""),
}


def event(name: str) -> dict[str, Any]:
    delivery = json.loads((stack.ROOT / "events" / f"{name}.json").read_text())
    body: dict[str, Any] = json.loads(delivery["Records"][0]["body"])
    return body


def holds(condition: Any, values: dict[str, Any]) -> bool:
    """Evaluate a condition of the template."""
    ((operator, argument),) = condition.items()
    if operator == "Condition":
        return holds(TEMPLATE["Conditions"][argument], values)
    if operator == "Not":
        return not holds(argument[0], values)
    assert operator == "Equals"
    left, right = (
        values.get(part["Ref"], TEMPLATE["Parameters"][part["Ref"]]["Default"])
        if isinstance(part, dict)
        else part
        for part in argument
    )
    return str(left) == str(right)


@pytest.mark.parametrize("name", PARAMETERS)
def test_each_way_is_closed_unless_its_parameter_opens_it(name):
    parameter, closed = PARAMETERS[name]
    assert TEMPLATE["Parameters"][parameter]["Default"] == closed
    if name == "Schedule":
        condition = RESOURCES[name]["Condition"]
        assert RESOURCES["ScheduleRole"]["Condition"] == condition
    else:
        condition, *states = RESOURCES[name]["Properties"]["State"]["If"]
        assert states == ["ENABLED", "DISABLED"]
    assert not holds({"Condition": condition}, {})
    assert holds({"Condition": condition}, {parameter: "on"})


@pytest.mark.parametrize(
    ("name", "heard_by"),
    [
        ("request_retraining_name_only", "RetrainRequestRule"),
        ("push_image_tagged", "ImagePushRule"),
        ("push_image_untagged", "ImagePushRule"),
        ("push_image_foreign_repository", None),
        ("push_image_deleted", None),
        ("raise_alarm_drift", "AlarmRule"),
        ("raise_alarm_on_endpoint", "AlarmRule"),
        ("raise_alarm_composite", "AlarmRule"),
        ("raise_alarm_back_to_ok", None),
        ("fire_schedule_due", None),  # comes from Scheduler to the queue, past the event bus
        ("upload_dataset_marker", None),
    ],
)
def test_the_rules_let_through_what_they_should(name, heard_by):
    found = []
    for rule, detail in OPENED.items():
        pattern = stack.properties(rule)["EventPattern"]
        pattern["detail"] = {**pattern.get("detail", {}), **detail}
        if matches(pattern, event(name)):
            found.append(rule)
    assert found == ([heard_by] if heard_by else [])


@pytest.mark.parametrize("rule", OPENED)
def test_what_a_rule_hears_goes_into_the_queue_or_is_buried(rule):
    (target,) = stack.properties(rule)["Targets"]
    assert target["Arn"] == stack.arn("ArrivalQueue")
    assert target["DeadLetterConfig"] == {"Arn": stack.arn("ArrivalDeadLetterQueue")}
    (statement,) = RESOURCES["ArrivalQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert {"GetAtt": f"{rule}.Arn"} in statement["Condition"]["ArnEquals"]["aws:SourceArn"]


def test_names_in_parameters_become_lists():
    patterns = {
        rule: RESOURCES[rule]["Properties"]["EventPattern"]["detail"] for rule in OPENED if OPENED[rule]
    }
    assert patterns["ImagePushRule"]["repository-name"] == {"Split": [",", {"Ref": "ImagePushRepositories"}]}
    assert patterns["AlarmRule"]["alarmName"] == {"Split": [",", {"Ref": "AlarmNames"}]}


class TestSchedule:
    def test_it_has_a_time_zone_a_window_and_a_dead_letter_queue(self):
        schedule = stack.properties("Schedule")
        assert RESOURCES["Schedule"]["Properties"]["ScheduleExpressionTimezone"] == {
            "Ref": "ScheduleTimezone"
        }
        condition, flexible, exact = schedule["FlexibleTimeWindow"]["If"]
        assert not holds({"Condition": condition}, {"ScheduleFlexibleMinutes": 0})
        assert (flexible["Mode"], exact) == ("FLEXIBLE", {"Mode": "OFF"})
        assert schedule["Target"]["Arn"] == stack.arn("ArrivalQueue")
        assert schedule["Target"]["DeadLetterConfig"] == {"Arn": stack.arn("ArrivalDeadLetterQueue")}

    def test_its_role_may_send_to_both_queues_and_do_nothing_else(self):
        (policy,) = stack.properties("ScheduleRole")["Policies"]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert statement["Action"] == "sqs:SendMessage"
        assert set(statement["Resource"]) == {stack.arn("ArrivalQueue"), stack.arn("ArrivalDeadLetterQueue")}
        (trust,) = stack.properties("ScheduleRole")["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}

    def test_what_it_says_is_an_event_like_the_others(self):
        said = json.loads(stack.properties("Schedule")["Target"]["Input"])
        sample = event("fire_schedule_due")
        assert said.keys() == sample.keys()
        assert (said["source"], said["detail-type"]) == (sample["source"], sample["detail-type"])
        assert said["detail"] == sample["detail"] == {"force": False}


@pytest.mark.parametrize("rule", ["SchedulesNeedDatasets", "ImagePushesNeedDatasets"])
def test_what_names_no_dataset_is_refused_when_it_is_deployed(rule):
    body = TEMPLATE["Rules"][rule]
    (assertion,) = body["Assertions"]
    opened = {"ScheduleExpression": "rate(1 day)", "ImagePushRepositories": "retrain-training"}
    assert holds(body["RuleCondition"], opened)
    assert not holds(body["RuleCondition"], {})
    assert not holds(assertion["Assert"], opened)
    assert holds(assertion["Assert"], {**opened, "RetrainDatasets": "mnist"})


@pytest.mark.parametrize("name", ["StartRetrainingFunction", "PrepareTrainingFunction"])
def test_who_pins_images_may_look_at_them(name):
    statements = [
        statement
        for policy in stack.properties(name)["Policies"]
        for statement in policy["Statement"]
        if statement["Sid"] == "PinImages"
    ]
    assert [set(statement["Action"]) for statement in statements] == [
        {"ecr:DescribeImages", "ecr:BatchGetImage"}
    ]
