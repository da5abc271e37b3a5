"""What a run cost: an estimate, or a reason why there is none; never a made-up nothing."""

import json
from datetime import date

import pytest

from retraining import costs

RUN = {"instance_type": "ml.m5.xlarge", "instance_count": 2}


def test_billed_seconds_times_instances_times_the_price():
    found = costs.of_run(RUN, {"billable_seconds": 1800}, {})
    assert found["usd"] == pytest.approx(0.5 * 2 * 0.23)
    assert found["prices"].startswith("list prices of us-east-1 as of ")


def test_a_failed_job_has_cost_something_too():
    cause = json.dumps({"TrainingJobName": "j", "BillableTimeInSeconds": 3600})
    assert costs.of_run(RUN, {}, {"Error": "States.TaskFailed", "Cause": cause})["usd"] == pytest.approx(0.46)


def test_an_instance_type_without_a_price_costs_something_unknown():
    found = costs.of_run({**RUN, "instance_type": "ml.new.large"}, {"billable_seconds": 1}, {})
    assert found["usd"] is None
    assert "has no ml.new.large" in found["reason"]


@pytest.mark.parametrize("run", [{}, RUN])
def test_a_run_without_a_training_job_has_no_estimate(run):
    found = costs.of_run(run, {}, {"Error": "RequestError", "Cause": "No."})
    assert found["usd"] is None
    assert found["reason"]


def test_the_price_list_says_where_it_is_from():
    listed = json.loads(costs.PRICE_LIST.read_text())
    assert date.fromisoformat(f"{listed['as_of']}-01")
    assert listed["source"].startswith("https://aws.amazon.com/")
    assert all(price > 0 for price in listed["prices"].values())
