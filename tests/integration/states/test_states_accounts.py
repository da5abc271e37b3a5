"""Whose state machines they are: an access key of twelve digits is an account of its own."""

from __future__ import annotations

import boto3
from botocore.config import Config

from retrain.localcloud import process

PASSING = '{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}'


def test_what_is_made_belongs_to_the_account_that_makes_it(local_cloud: process.LocalCloud) -> None:
    states = boto3.client(
        "stepfunctions",
        endpoint_url=local_cloud.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key="test",
        config=Config(proxies={}),
    )
    machine = states.create_state_machine(
        name="of-another-account", definition=PASSING, roleArn="arn:aws:iam::123456789012:role/states"
    )["stateMachineArn"]
    try:
        execution = states.start_execution(stateMachineArn=machine)["executionArn"]
        assert machine == "arn:aws:states:us-east-1:123456789012:stateMachine:of-another-account"
        assert execution.startswith("arn:aws:states:us-east-1:123456789012:execution:of-another-account:")
        (listed,) = states.list_executions(stateMachineArn=machine)["executions"]
        assert listed["executionArn"] == execution
    finally:
        states.delete_state_machine(stateMachineArn=machine)
