"""What the local cloud's Step Functions does beside running definitions: telling, ways in, tasks, stacks."""

from __future__ import annotations

import datetime
import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.definitions import Aws, History, Run, call, machine

ROLE = "arn:aws:iam::000000000000:role/test"
PASS = machine(("Only", {"Type": "Pass"}))


def made(aws: Aws, definition: dict[str, Any], **fields: Any) -> str:
    """Create a state machine and give its ARN."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    answer = aws("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=ROLE, **fields
    )
    return str(answer["stateMachineArn"])


@pytest.fixture
def queue(aws: Aws) -> str:
    return str(aws("sqs").create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}")["QueueUrl"])


@pytest.fixture
def received(aws: Aws, queue: str, wait_until: Callable[..., Any]) -> Callable[[int], list[Any]]:
    """Wait for a number of messages and give their bodies, in order."""

    def receive(count: int) -> list[Any]:
        found: list[Any] = []

        def ask() -> bool:
            answer = aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                found.append(json.loads(message["Body"]))
                aws("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return len(found) >= count

        wait_until(ask, what=f"{count} messages")
        return found

    return receive


def queue_arn(aws: Aws, queue: str) -> str:
    answer = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


class TestTelling:
    def test_eventbridge_hears_of_every_change_of_status(
        self, aws: Aws, queue: str, received: Callable[[int], list[Any]]
    ) -> None:
        target = made(aws, machine(("Fails", {"Type": "Fail", "Error": "Broken", "Cause": "a test"})))
        rule = f"rule-{uuid.uuid4().hex[:8]}"
        pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [target]}}
        aws("events").put_rule(Name=rule, EventPattern=json.dumps(pattern))
        aws("events").put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": queue_arn(aws, queue)}])
        arn = aws("stepfunctions").start_execution(stateMachineArn=target, input='{"a": 1}')["executionArn"]
        first, last = sorted(received(2), key=lambda event: event["detail"]["stopDate"] or 0)
        assert first["detail-type"] == "Step Functions Execution Status Change"
        assert first["resources"] == [arn]
        assert (first["detail"]["status"], first["detail"]["input"]) == (
            "RUNNING",
            '{"a": 1}'.replace(" ", ""),
        )
        assert (last["detail"]["status"], last["detail"]["error"]) == ("FAILED", "Broken")
        assert last["detail"]["redriveStatus"] == "REDRIVABLE"
        assert last["detail"]["stopDate"] >= last["detail"]["startDate"] > 10**12
        aws("events").remove_targets(Rule=rule, Ids=["q"])
        aws("events").delete_rule(Name=rule)

    @pytest.mark.parametrize(("level", "count"), [("ALL", 5), ("ERROR", 2), ("FATAL", 1)])
    def test_the_log_has_what_its_level_asks_for(
        self, aws: Aws, wait_until: Callable[..., Any], level: str, count: int
    ) -> None:
        group = f"/aws/vendedlogs/states/{uuid.uuid4().hex[:8]}"
        aws("logs").create_log_group(logGroupName=group)
        arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
        destination = {"cloudWatchLogsLogGroup": {"logGroupArn": arn}}
        definition = machine(("Before", {"Type": "Pass"}), ("Fails", {"Type": "Fail", "Error": "Broken"}))
        target = made(aws, definition, loggingConfiguration={"level": level, "destinations": [destination]})
        execution = aws("stepfunctions").start_execution(stateMachineArn=target, input='{"secret": 1}')

        def ask() -> list[Any]:
            events = aws("logs").filter_log_events(logGroupName=group)["events"]
            lines = [json.loads(event["message"]) for event in events]
            return lines if any(line["type"] == "ExecutionFailed" for line in lines) else []

        lines = wait_until(ask, what="the log")
        assert len(lines) == count
        assert {line["execution_arn"] for line in lines} == {execution["executionArn"]}
        assert "secret" not in json.dumps(lines)  # includeExecutionData was not asked for

    def test_an_alarm_can_watch_failed_executions(
        self, aws: Aws, run: Run, wait_until: Callable[..., Any]
    ) -> None:
        described = run(machine(("Fails", {"Type": "Fail"})))
        now = datetime.datetime.now(datetime.UTC)

        def ask() -> Any:
            return aws("cloudwatch").get_metric_statistics(
                Namespace="AWS/States",
                MetricName="ExecutionsFailed",
                Dimensions=[{"Name": "StateMachineArn", "Value": described["stateMachineArn"]}],
                StartTime=now - datetime.timedelta(minutes=5),
                EndTime=now + datetime.timedelta(minutes=5),
                Period=60,
                Statistics=["Sum"],
            )["Datapoints"]

        assert sum(point["Sum"] for point in wait_until(ask, what="the metric")) == 1


class TestWaysIn:
    def test_a_rule_starts_a_machine_by_its_arn_or_its_alias(
        self, aws: Aws, outcome: Run, wait_until: Callable[..., Any]
    ) -> None:
        states = aws("stepfunctions")
        target = made(aws, PASS)
        version = states.publish_state_machine_version(stateMachineArn=target)["stateMachineVersionArn"]
        alias = states.create_state_machine_alias(
            name="live", routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}]
        )["stateMachineAliasArn"]
        source = f"test.{uuid.uuid4().hex[:8]}"
        aws("events").put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
        aws("events").put_targets(
            Rule=source, Targets=[{"Id": "base", "Arn": target}, {"Id": "alias", "Arn": alias}]
        )
        aws("events").put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": '{"a": 1}'}])

        def ask() -> Any:
            found = states.list_executions(stateMachineArn=target)["executions"]
            return found if len(found) == 2 else None

        started = wait_until(ask, what="two executions")
        assert sorted(each.get("stateMachineAliasArn", "") for each in started) == ["", alias]
        for each in started:
            assert json.loads(outcome(each["executionArn"])["input"])["detail"] == {"a": 1}
        aws("events").remove_targets(Rule=source, Ids=["base", "alias"])
        aws("events").delete_rule(Name=source)

    def test_a_schedule_starts_a_machine(self, aws: Aws, wait_until: Callable[..., Any]) -> None:
        target, name = made(aws, PASS), f"s-{uuid.uuid4().hex[:8]}"
        soon = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)).strftime(
            "%Y-%m-%dT%H:%M:%S"
        )
        aws("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=f"at({soon})",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target, "RoleArn": ROLE, "Input": '{"scheduled": true}'},
        )
        states = aws("stepfunctions")
        listed = wait_until(
            lambda: states.list_executions(stateMachineArn=target)["executions"],
            seconds=90,
            what="the scheduled execution",
        )
        described = states.describe_execution(executionArn=listed[0]["executionArn"])
        assert json.loads(described["input"]) == {"scheduled": True}

    def test_an_express_machine_answers_at_once(self, aws: Aws, mends: dict[str, str]) -> None:
        target = made(aws, machine(("Call", call(mends["FunctionArn"], {}))), type="EXPRESS")
        states = aws("stepfunctions")
        answer = states.start_sync_execution(stateMachineArn=target, input="{}")
        assert answer["status"] == "SUCCEEDED"
        assert json.loads(answer["output"])["StatusCode"] == 200
        assert answer["billingDetails"]["billedDurationInMilliseconds"] % 100 == 0
        with pytest.raises(ClientError, match="InvalidArn"):
            states.describe_execution(executionArn=answer["executionArn"])
        with pytest.raises(ClientError, match="StateMachineTypeNotSupported"):
            states.start_sync_execution(stateMachineArn=made(aws, PASS))


class TestTasks:
    def test_messages_rows_and_events_of_the_optimised_integrations(
        self, aws: Aws, mends: dict[str, str], queue: str, run: Run, received: Callable[[int], list[Any]]
    ) -> None:
        def task(resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
            return {
                "Type": "Task",
                "Resource": f"arn:aws:states:::{resource}",
                "Parameters": parameters,
                "ResultPath": f"$.{resource.rpartition(':')[2]}",
            }

        topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
        key = {"key": {"S": uuid.uuid4().hex}}
        states = machine(
            ("Send", task("sqs:sendMessage", {"QueueUrl": queue, "MessageBody": {"a.$": "$.a"}})),
            ("Publish", task("sns:publish", {"TopicArn": topic, "Message": {"b": 2}})),
            (
                "Put",
                task("dynamodb:putItem", {"TableName": mends["Table"], "Item": {**key, "n": {"N": "4"}}}),
            ),
            ("Get", task("dynamodb:getItem", {"TableName": mends["Table"], "Key": key})),
            (
                "Tell",
                task("events:putEvents", {"Entries": [{"Source": "x", "DetailType": "y", "Detail": {}}]}),
            ),
            ("List", task("aws-sdk:sqs:listQueues", {})),
        )
        output = json.loads(run(states, {"a": 1})["output"])
        assert received(1) == [{"a": 1}]
        assert output["getItem"]["Item"]["n"] == {"N": "4"}
        assert output["publish"]["MessageId"]
        assert output["putEvents"]["FailedEntryCount"] == 0
        assert output["sendMessage"]["SdkHttpMetadata"]["HttpStatusCode"] == 200
        assert queue in output["listQueues"]["QueueUrls"]
        assert "SdkHttpMetadata" not in output["listQueues"]

    @pytest.mark.parametrize(
        ("resource", "parameters", "error"),
        [
            ("aws-sdk:s3:getObject", {"Bucket": "none-such", "Key": "k"}, "S3.NoSuchBucketException"),
            ("aws-sdk:sfn:describeExecution", {"ExecutionArn": "x"}, "Sfn.InvalidArnException"),
            (
                "dynamodb:getItem",
                {"TableName": "none", "Key": {"k": {"S": "v"}}},
                "DynamoDB.ResourceNotFoundException",
            ),
            (
                "aws-sdk:dynamodb:getItem",
                {"TableName": "none", "Key": {"k": {"S": "v"}}},
                "DynamoDb.ResourceNotFoundException",
            ),
            ("lambda:invoke", {"FunctionName": "nobody"}, "Lambda.ResourceNotFoundException"),
            (
                "states:startExecution",
                {"StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:none"},
                "StepFunctions.StateMachineDoesNotExistException",
            ),
            ("batch:submitJob", {"JobName": "j", "JobQueue": "q", "JobDefinition": "d"}, "States.Runtime"),
        ],
    )
    def test_errors_have_awss_names(self, run: Run, resource: str, parameters: Any, error: str) -> None:
        task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters}
        described = run(machine(("Only", task)))
        assert (described["status"], described["error"]) == ("FAILED", error), described.get("cause")

    def test_what_is_not_there_is_not_caught_as_if_it_had_failed(self, run: Run) -> None:
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::batch:submitJob.sync",
            "Parameters": {"JobName": "j", "JobQueue": "q", "JobDefinition": "d"},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "After"}],
        }
        described = run(machine(("Only", task), ("After", {"Type": "Pass"})))
        assert described["error"] == "States.Runtime"
        assert "not implemented" in described["cause"]
        assert "does not have the service batch" in described["cause"]

    @pytest.mark.parametrize("pattern", ["sync", "sync:2"])
    def test_a_nested_execution_gives_its_output(
        self, aws: Aws, run: Run, history: History, pattern: str
    ) -> None:
        inner = made(aws, machine(("Only", {"Type": "Pass", "Result": {"answer": 42}})))
        task = {
            "Type": "Task",
            "Resource": f"arn:aws:states:::states:startExecution.{pattern}",
            "Parameters": {"StateMachineArn": inner, "Input": {"a": 1}},
        }
        described = run(machine(("Nested", task)))
        output = json.loads(described["output"])
        assert output["Status"] == "SUCCEEDED"
        found = {"answer": 42}
        assert output["Output"] == (
            found if pattern == "sync:2" else json.dumps(found, separators=(",", ":"))
        )
        assert isinstance(output["StartDate"], int)
        events = {event["type"]: event for event in history(described["executionArn"])}
        submitted = events["TaskSubmitted"]["taskSubmittedEventDetails"]
        assert (submitted["resourceType"], submitted["resource"]) == ("states", f"startExecution.{pattern}")

    def test_a_nested_execution_that_fails_fails_the_task_with_its_description(
        self, aws: Aws, run: Run
    ) -> None:
        inner = made(aws, machine(("Only", {"Type": "Fail", "Error": "Inner", "Cause": "no"})))
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": {"StateMachineArn": inner},
        }
        described = run(machine(("Nested", task)))
        assert (described["status"], described["error"]) == ("FAILED", "States.TaskFailed")
        cause = json.loads(described["cause"])
        assert (cause["Status"], cause["Error"]) == ("FAILED", "Inner")

    def test_many_nested_in_each_other_do_not_lock_up(
        self, aws: Aws, mends: dict[str, str], run: Run
    ) -> None:
        leaf = made(aws, machine(("Call", call(mends["FunctionArn"], {}))))
        nested = {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": {"StateMachineArn": leaf},
            "End": True,
        }
        fan = {
            "Type": "Map",
            "ItemsPath": "$",
            "ItemProcessor": {"StartAt": "Nested", "States": {"Nested": nested}},
        }
        described = run(machine(("Fan", fan)), list(range(60)), seconds=60)
        assert described["status"] == "SUCCEEDED", described.get("cause")
        assert len(json.loads(described["output"])) == 60


class TestActivities:
    def test_a_worker_takes_a_task_and_answers_it(
        self, aws: Aws, start: Callable[..., str], outcome: Run, history: History
    ) -> None:
        states = aws("stepfunctions")
        activity = states.create_activity(name=f"a-{uuid.uuid4().hex[:8]}")["activityArn"]
        taken: list[Any] = []
        worker = threading.Thread(
            target=lambda: taken.append(states.get_activity_task(activityArn=activity, workerName="w"))
        )
        worker.start()
        arn = start(machine(("Work", {"Type": "Task", "Resource": activity})), {"n": 3})
        worker.join(10)
        assert json.loads(taken[0]["input"]) == {"n": 3}
        states.send_task_success(taskToken=taken[0]["taskToken"], output="6")
        assert outcome(arn)["output"] == "6"
        types = [event["type"] for event in history(arn)]
        assert types[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]

    def test_a_worker_that_is_silent_fails_the_task(
        self, aws: Aws, start: Callable[..., str], outcome: Run
    ) -> None:
        states = aws("stepfunctions")
        activity = states.create_activity(name=f"a-{uuid.uuid4().hex[:8]}")["activityArn"]
        arn = start(
            machine(("Work", {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 1})), {"n": 3}
        )
        token = states.get_activity_task(activityArn=activity)["taskToken"]
        assert outcome(arn)["error"] == "States.Timeout"
        with pytest.raises(ClientError, match="TaskTimedOut"):
            states.send_task_success(taskToken=token, output="6")


TEMPLATE = {
    "Resources": {
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": ROLE,
                "DefinitionString": {
                    "Fn::Sub": '{"StartAt": "A", "States": {"A": '
                    '{"Type": "Pass", "Result": "${Word}", "End": true}}}'
                },
                "Tags": [{"Key": "team", "Value": "ml"}],
            },
        },
        "Version": {
            "Type": "AWS::StepFunctions::StateMachineVersion",
            "Properties": {
                "StateMachineArn": {"Ref": "Machine"},
                "StateMachineRevisionId": {"Fn::GetAtt": ["Machine", "StateMachineRevisionId"]},
            },
        },
        "Alias": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {
                "Name": "live",
                "RoutingConfiguration": [{"StateMachineVersionArn": {"Ref": "Version"}, "Weight": 100}],
            },
        },
        "Activity": {
            "Type": "AWS::StepFunctions::Activity",
            "Properties": {"Name": {"Ref": "AWS::StackName"}},
        },
    },
    "Parameters": {"Word": {"Type": "String"}},
    "Outputs": {name: {"Value": {"Ref": name}} for name in ("Machine", "Alias", "Activity")},
}


class TestStacks:
    def settled(self, aws: Aws, stack: str, wait_until: Callable[..., Any]) -> dict[str, Any]:
        def ask() -> Any:
            found = aws("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
            return None if found["StackStatus"].endswith("IN_PROGRESS") else found

        return dict(wait_until(ask, what="the stack"))

    def test_machine_version_alias_and_activity(
        self, aws: Aws, outcome: Run, wait_until: Callable[..., Any]
    ) -> None:
        states, cloudformation = aws("stepfunctions"), aws("cloudformation")
        stack = f"stack-{uuid.uuid4().hex[:8]}"

        def request(word: str) -> dict[str, Any]:
            return {
                "StackName": stack,
                "TemplateBody": json.dumps(TEMPLATE),
                "Parameters": [{"ParameterKey": "Word", "ParameterValue": word}],
            }

        cloudformation.create_stack(**request("first"))
        made = self.settled(aws, stack, wait_until)
        assert made["StackStatus"] == "CREATE_COMPLETE", made
        outputs = {each["OutputKey"]: each["OutputValue"] for each in made["Outputs"]}
        tags = states.list_tags_for_resource(resourceArn=outputs["Machine"])["tags"]
        assert {"key": "team", "value": "ml"} in tags
        assert states.describe_activity(activityArn=outputs["Activity"])["name"] == stack

        def word() -> Any:
            started = states.start_execution(stateMachineArn=outputs["Alias"])
            return json.loads(outcome(started["executionArn"])["output"])

        assert word() == "first"
        cloudformation.update_stack(**request("second"))
        assert self.settled(aws, stack, wait_until)["StackStatus"] == "UPDATE_COMPLETE"
        assert word() == "second"
        cloudformation.delete_stack(StackName=stack)
        wait_until(lambda: not _exists(states, outputs["Machine"]), what="the machine's end")

    def test_a_definition_that_is_refused_fails_the_stack(
        self, aws: Aws, wait_until: Callable[..., Any]
    ) -> None:
        template = json.loads(json.dumps(TEMPLATE).replace('\\"End\\": true', '\\"Next\\": \\"B\\"'))
        stack = f"stack-{uuid.uuid4().hex[:8]}"
        aws("cloudformation").create_stack(
            StackName=stack,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": "Word", "ParameterValue": "x"}],
        )
        assert "ROLLBACK" in self.settled(aws, stack, wait_until)["StackStatus"]
        events = aws("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)
        assert "MISSING_TRANSITION_TARGET" in reasons


def _exists(states: Any, arn: str) -> bool:
    try:
        states.describe_state_machine(stateMachineArn=arn)
    except states.exceptions.StateMachineDoesNotExist:
        return False
    return True
