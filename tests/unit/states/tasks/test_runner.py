"""Tasks of every kind, with services that answer as they are told."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from retrain.states.errors import StatesError
from retrain.states.execution import Engine
from retrain.states.tasks import ServiceTasks
from retrain.states.tasks.resources import parse
from retrain.states.tasks.targets import target_of
from tests.unit.states.tasks.services import Services, drive, failed, machine, refused, resource, run

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:work"
JOB = {"TrainingJobName": "job-1"}
SDK_DATA = {
    "SdkHttpMetadata": {
        "AllHttpHeaders": {"content-type": ["json"]},
        "HttpHeaders": {"content-type": "json"},
        "HttpStatusCode": 200,
    },
    "SdkResponseMetadata": {"RequestId": "id-1"},
}


def invoked(payload: bytes, **more: Any) -> dict[str, Any]:
    return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": payload, **more}


class TestFunctions:
    def test_by_arn_the_result_is_the_payload(self) -> None:
        services = Services(Invoke=invoked(b'{"b": 2}'))
        execution = run(services, FUNCTION, given={"a": 1})
        assert execution.output == {"b": 2}
        assert services.calls == [("lambda", "Invoke", {"FunctionName": FUNCTION, "Payload": b'{"a":1}'})]
        assert execution.history.types()[2:5] == [
            *("LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"),
        ]

    def test_by_invoke_it_is_the_answer(self) -> None:
        execution = run(
            Services(Invoke=invoked(b"3")), "lambda:invoke", {"FunctionName": "f", "Payload": [1, None]}
        )
        expected = {"ExecutedVersion": "$LATEST", "Payload": 3, "StatusCode": 200, **SDK_DATA}
        assert execution.output == expected

    @pytest.mark.parametrize("name", [FUNCTION, "lambda:invoke"])
    @pytest.mark.parametrize(
        ("payload", "error"),
        [
            (b'{"errorType": "UploadTornError", "errorMessage": "half"}', "UploadTornError"),
            (b'{"errorMessage": "no type"}', "Lambda.Unknown"),
            (b"[]", "Lambda.Unknown"),
            (b"no json", "Lambda.Unknown"),
        ],
    )
    def test_a_functions_error_has_its_own_name(self, name: str, payload: bytes, error: str) -> None:
        services = Services(Invoke=invoked(payload, FunctionError="Unhandled"))
        parameters = None if name == FUNCTION else {"FunctionName": "f"}
        assert failed(run(services, name, parameters)) == (error, payload.decode())

    @pytest.mark.parametrize(
        ("refusal", "error"),
        [
            (refused("TooManyRequestsException"), "Lambda.TooManyRequestsException"),
            (refused("ResourceNotFoundException"), "Lambda.ResourceNotFoundException"),
            (refused("ServiceException"), "Lambda.ServiceException"),
            (refused("ThrottlingNobodyModelled"), "Lambda.AWSLambdaException"),
            (EndpointConnectionError(endpoint_url="http://x"), "Lambda.SdkClientException"),
        ],
    )
    def test_a_refused_invocation_has_lambdas_name(self, refusal: Exception, error: str) -> None:
        assert failed(run(Services(Invoke=refusal), FUNCTION))[0] == error

    def test_an_unknown_way_of_invoking_is_not_sent(self) -> None:
        services = Services()
        execution = run(
            services, "lambda:invoke", {"FunctionName": "f", "InvocationType.$": "$.how"}, {"how": "x"}
        )
        assert failed(execution)[0] == "States.Runtime"
        assert services.calls == []


class TestRequestResponse:
    def test_the_sdks_answer_is_bare(self) -> None:
        services = Services(ListQueues={"QueueUrls": ["q"]})
        assert run(services, "aws-sdk:sqs:listQueues", {}).output == {"QueueUrls": ["q"]}

    def test_an_optimised_answer_tells_of_http(self) -> None:
        services = Services(SendMessage={"MessageId": "m"})
        parameters = {"QueueUrl": "q", "MessageBody": {"a.$": "$.a"}}
        execution = run(services, "sqs:sendMessage", parameters, {"a": [1]})
        assert execution.output == {"MessageId": "m", **SDK_DATA}
        assert services.calls[0][2]["MessageBody"] == '{"a":[1]}'

    def test_what_is_not_serialisable_by_hand_is_made_text_where_aws_does(self) -> None:
        services = Services(PutEvents={"FailedEntryCount": 0, "Entries": []})
        entry = {"Source": "s", "DetailType": "t", "Detail": {"a": 1}}
        run(services, "events:putEvents", {"Entries": [entry]})
        assert services.calls[0][2]["Entries"][0]["Detail"] == '{"a":1}'

    def test_an_event_that_was_not_taken_fails_the_task(self) -> None:
        services = Services(PutEvents={"FailedEntryCount": 1, "Entries": [{"ErrorCode": "x"}]})
        entry = {"Source": "s", "DetailType": "t", "Detail": "{}"}
        assert failed(run(services, "events:putEvents", {"Entries": [entry]}))[0] == "EventBridge.FailedEntry"

    @pytest.mark.parametrize(
        ("name", "parameters", "code", "error", "cause"),
        [
            (
                "aws-sdk:sagemaker:describeEndpoint",
                {"EndpointName": "e"},
                "ValidationException",
                "SageMaker.SageMakerException",
                "no (Service: SageMaker, Status Code: 400, Request ID: ",
            ),
            (
                "sagemaker:createModel",
                {"ModelName": "m"},
                "ValidationException",
                "SageMaker.AmazonSageMakerException",
                "no (Service: AmazonSageMaker; Status Code: 400; Error Code: ValidationException; Request ",
            ),
            ("aws-sdk:s3:getObject", {"Bucket": "b", "Key": "k"}, "NoSuchKey", "S3.NoSuchKeyException", "no"),
            (
                "aws-sdk:dynamodb:getItem",
                {"TableName": "t", "Key": {}},
                "ResourceNotFoundException",
                "DynamoDb.ResourceNotFoundException",
                "no",
            ),
            (
                "dynamodb:putItem",
                {"TableName": "t", "Item": {}},
                "ConditionalCheckFailedException",
                "DynamoDB.ConditionalCheckFailedException",
                "no",
            ),
            (
                "dynamodb:putItem",
                {"TableName": "t", "Item": {}},
                "ValidationException",
                "DynamoDB.AmazonDynamoDBException",
                "no",
            ),
            (
                "states:startExecution",
                {"StateMachineArn": "a"},
                "ExecutionAlreadyExists",
                "StepFunctions.ExecutionAlreadyExistsException",
                "no",
            ),
            (
                "aws-sdk:sfn:startExecution",
                {"StateMachineArn": "a"},
                "ExecutionAlreadyExists",
                "Sfn.ExecutionAlreadyExistsException",
                "no",
            ),
        ],
    )
    def test_errors_are_named_by_the_sdk_that_carries_them(
        self, name: str, parameters: Any, code: str, error: str, cause: str
    ) -> None:
        operation = name.rpartition(":")[2]
        services = Services(**{operation[0].upper() + operation[1:]: refused(code)})
        found = failed(run(services, name, parameters))
        assert found[0] == error
        assert str(found[1]).startswith(cause)

    def test_what_the_endpoint_lacks_is_neither_retried_nor_caught(self) -> None:
        services = Services(SubmitJob=refused("NotImplementedException", "There is no Batch here."))
        execution = run(
            services,
            "batch:submitJob",
            {"JobName": "j", "JobQueue": "q", "JobDefinition": "d"},
            Retry=[{"ErrorEquals": ["States.ALL"]}],
        )
        error, cause = failed(execution)
        assert error == "States.Runtime"
        assert "not implemented here. There is no Batch here." in str(cause)
        assert services.operations == ["SubmitJob"]

    def test_the_roles_credentials_are_used(self) -> None:
        services = Services(ListQueues={})
        role = "arn:aws:iam::123456789012:role/other"
        run(services, "aws-sdk:sqs:listQueues", {}, Credentials={"RoleArn": role})
        assert services.roles == [role]

    @pytest.mark.parametrize("assumed", [True, False])
    def test_the_machines_role_is_assumed_if_asked_for(self, assumed: bool) -> None:
        services = Services(ListQueues={})

        async def scenario(engine: Engine, tasks: ServiceTasks) -> str:
            execution = engine.create(machine("aws-sdk:sqs:listQueues", {}), {})
            await engine.run(execution)
            return execution.identity.role_arn

        role = drive(services, scenario, assume_roles=assumed)
        assert services.roles == [role if assumed else None]

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("http:invoke", "not implemented here"),
            ("eks:createCluster", "not implemented here"),
            ("nonsense:do", "no optimised integration of 'nonsense'"),
            ("sagemaker:describeEndpoint", "Try aws-sdk:sagemaker:describeEndpoint"),
            ("sagemaker:createModel.sync", "createModel has no .sync"),
            ("aws-sdk:sagemaker:createTrainingJob.sync", "cannot be waited for by .sync"),
            ("aws-sdk:nonsense:do", "no service 'nonsense'"),
            ("aws-sdk:sqs:fly", "SQS has no operation 'fly'"),
            ("arn:aws:states:::sqs", "none that Step Functions knows"),
        ],
    )
    def test_what_cannot_be_done_fails_loudly(self, name: str, words: str) -> None:
        # Most are refused with the definition already; an engine that is given one all the same says why too.
        with pytest.raises(StatesError) as raised:
            target_of(parse(resource(name)))
        assert raised.value.error == "States.Runtime"
        assert words in raised.value.cause

    def test_an_answer_that_is_no_text_fails_the_task(self) -> None:
        error, cause = failed(
            run(Services(GetObject={"Body": b"\xff"}), "aws-sdk:s3:getObject", {"Bucket": "b", "Key": "k"})
        )
        assert error == "States.Runtime"
        assert "no UTF-8 text" in str(cause)


def described(status: str, **more: Any) -> dict[str, Any]:
    return {**JOB, "TrainingJobArn": "arn:job", "TrainingJobStatus": status, "CreationTime": 1.5, **more}


class TestJobs:
    def started(self, *statuses: str, **more: Any) -> Services:
        return Services(
            CreateTrainingJob={"TrainingJobArn": "arn:job"},
            DescribeTrainingJob=[described(status, **more) for status in statuses],
            ListTags={"Tags": [{"Key": "team", "Value": "ml"}]},
            StopTrainingJob={},
        )

    def test_waits_for_the_end_and_gives_the_description(self) -> None:
        services = self.started("InProgress", "InProgress", "Completed")
        execution = run(services, "sagemaker:createTrainingJob.sync", _training())
        assert execution.output == {
            **JOB,
            "TrainingJobArn": "arn:job",
            "TrainingJobStatus": "Completed",
            "CreationTime": 1500,
            "Tags": {"team": "ml"},
        }
        assert services.calls[0][2]["Tags"] == [
            {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}
        ]
        assert execution.history.types()[2:6] == [
            "TaskScheduled",
            "TaskStarted",
            "TaskSubmitted",
            "TaskSucceeded",
        ]
        assert execution.stopped == pytest.approx(0.25 + 0.375)  # looks less and less often

    @pytest.mark.parametrize("status", ["Failed", "Stopped"])
    def test_another_end_fails_the_task_with_the_description(self, status: str) -> None:
        error, cause = failed(run(self.started(status), "sagemaker:createTrainingJob.sync", _training()))
        assert error == "States.TaskFailed"
        assert json.loads(str(cause))["TrainingJobStatus"] == status

    def test_a_refused_submission_is_told_as_such(self) -> None:
        services = Services(CreateTrainingJob=refused("ResourceInUse"))
        execution = run(services, "sagemaker:createTrainingJob.sync", _training())
        assert failed(execution)[0] == "SageMaker.ResourceInUseException"
        assert execution.history.types()[-2] == "TaskSubmitFailed"

    def test_stopping_the_execution_stops_the_job(self) -> None:
        services = self.started("InProgress")

        async def scenario(engine: Engine, tasks: ServiceTasks) -> None:
            execution = engine.create(machine("sagemaker:createTrainingJob.sync", _training()), {})
            running = asyncio.create_task(engine.run(execution))
            await asyncio.sleep(2)
            engine.stop(execution)
            await running
            await tasks.settled()
            assert execution.status == "ABORTED"

        drive(services, scenario)
        assert services.calls[-1] == ("sagemaker", "StopTrainingJob", JOB)

    def test_a_timeout_stops_the_job(self) -> None:
        services = self.started("InProgress")

        async def scenario(engine: Engine, tasks: ServiceTasks) -> None:
            execution = engine.create(
                machine("sagemaker:createTrainingJob.sync", _training(), TimeoutSeconds=3), {}
            )
            await engine.run(execution)
            await tasks.settled()
            assert (execution.error, execution.stopped) == ("States.Timeout", 3.0)

        drive(services, scenario)
        assert services.operations[-1] == "StopTrainingJob"

    def test_a_job_whose_submission_was_under_way_is_stopped_too(self) -> None:
        services = self.started("InProgress")
        services.answers["CreateTrainingJob"] = [5, {"TrainingJobArn": "arn:job"}]

        async def scenario(engine: Engine, tasks: ServiceTasks) -> None:
            execution = engine.create(machine("sagemaker:createTrainingJob.sync", _training()), {})
            running = asyncio.create_task(engine.run(execution))
            await asyncio.sleep(1)
            engine.stop(execution)
            await running
            assert services.operations == ["CreateTrainingJob"]
            await tasks.settled()

        drive(services, scenario)
        assert services.operations == ["CreateTrainingJob", "StopTrainingJob"]

    @pytest.mark.parametrize("seconds_of_submission", [0, 2])
    def test_after_a_restart_the_same_job_is_waited_for(self, seconds_of_submission: int) -> None:
        services = self.started("InProgress", "InProgress", "Completed")
        services.answers["CreateTrainingJob"][:0] = [seconds_of_submission]

        async def scenario(engine: Engine, tasks: ServiceTasks) -> None:
            definition = machine("sagemaker:createTrainingJob.sync", _training())
            execution = engine.create(definition, {})
            running = asyncio.create_task(engine.run(execution))
            await asyncio.sleep(0.1)
            await engine.shutdown()
            await asyncio.gather(running, return_exceptions=True)
            assert execution.status == "RUNNING"
            journal = json.loads(json.dumps(execution.journal()))
            again = engine.restore(definition, journal)
            await engine.run(again)
            assert again.status == "SUCCEEDED"
            assert again.history.types().count("TaskScheduled") == 1

        drive(services, scenario)
        assert services.operations.count("CreateTrainingJob") == 1
        assert "StopTrainingJob" not in services.operations

    def test_a_watch_takes_the_place_of_asking(self) -> None:
        services = self.started("Completed")
        watched: list[tuple[str, Any]] = []

        async def watch(operation: str, job: Any) -> None:
            await asyncio.sleep(7)
            watched.append((operation, job))

        async def scenario(engine: Engine, tasks: ServiceTasks) -> None:
            execution = engine.create(machine("sagemaker:createTrainingJob.sync", _training()), {})
            await engine.run(execution)
            assert execution.stopped == 7.0

        drive(services, scenario, watches={"sagemaker": watch})
        assert watched == [("DescribeTrainingJob", "job-1")]
        assert services.operations.count("DescribeTrainingJob") == 1

    @pytest.mark.parametrize(
        ("name", "parameters", "answers", "output"),
        [
            (
                "glue:startJobRun.sync",
                {"JobName": "g"},
                {
                    "StartJobRun": {"JobRunId": "r"},
                    "GetJobRun": {"JobRun": {"Id": "r", "JobRunState": "SUCCEEDED"}},
                },
                {"Id": "r", "JobRunState": "SUCCEEDED"},
            ),
            (
                "batch:submitJob.sync",
                {"JobName": "j", "JobQueue": "q", "JobDefinition": "d"},
                {
                    "SubmitJob": {"jobId": "i"},
                    "DescribeJobs": {"jobs": [{"jobId": "i", "status": "SUCCEEDED"}]},
                },
                {"JobId": "i", "Status": "SUCCEEDED"},
            ),
            (
                "codebuild:startBuild.sync",
                {"ProjectName": "p"},
                {
                    "StartBuild": {"build": {"id": "b"}},
                    "BatchGetBuilds": {"builds": [{"id": "b", "buildStatus": "SUCCEEDED"}]},
                },
                {"Build": {"BuildStatus": "SUCCEEDED", "Id": "b"}},
            ),
            (
                "ecs:runTask.sync",
                {"TaskDefinition": "t"},
                {
                    "RunTask": {"tasks": [{"taskArn": "a"}]},
                    "DescribeTasks": {"tasks": [{"taskArn": "a", "lastStatus": "STOPPED"}]},
                },
                {"LastStatus": "STOPPED", "TaskArn": "a"},
            ),
            (
                "athena:startQueryExecution.sync",
                {"QueryString": "q"},
                {
                    "StartQueryExecution": {"QueryExecutionId": "x"},
                    "GetQueryExecution": {"QueryExecution": {"Status": {"State": "SUCCEEDED"}}},
                },
                {"QueryExecution": {"Status": {"State": "SUCCEEDED"}}},
            ),
        ],
    )
    def test_jobs_of_other_services(self, name: str, parameters: Any, answers: Any, output: Any) -> None:
        assert run(Services(**answers), name, parameters).output == output

    def test_a_container_that_ends_badly_fails_the_task(self) -> None:
        services = Services(
            RunTask={"tasks": [{"taskArn": "a"}]},
            DescribeTasks={"tasks": [{"lastStatus": "STOPPED", "containers": [{"exitCode": 1}]}]},
        )
        assert failed(run(services, "ecs:runTask.sync", {"TaskDefinition": "t"}))[0] == "States.TaskFailed"

    def test_a_task_that_finds_no_place_fails(self) -> None:
        services = Services(RunTask={"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]})
        error, cause = failed(run(services, "ecs:runTask.sync", {"TaskDefinition": "t"}))
        assert error == "ECS.AmazonECSException"
        assert "RESOURCE:MEMORY" in str(cause)

    @pytest.mark.parametrize(("pattern", "output"), [("sync", '{"b":2}'), ("sync:2", {"b": 2})])
    def test_a_nested_execution(self, pattern: str, output: Any) -> None:
        services = Services(
            StartExecution={"executionArn": "arn:e", "startDate": 1.0},
            DescribeExecution={
                "executionArn": "arn:e",
                "status": "SUCCEEDED",
                "input": '{"a":1}',
                "output": '{"b":2}',
                "startDate": 1.0,
                "stopDate": 2.0,
            },
        )
        parameters = {"StateMachineArn": "arn:m", "Input": {"a.$": "$.a"}}
        execution = run(services, f"states:startExecution.{pattern}", parameters, {"a": 1})
        assert services.calls[0][2] == {"stateMachineArn": "arn:m", "input": '{"a":1}'}
        found: Any = execution.output
        assert (found["Output"], found["StartDate"], found["StopDate"]) == (output, 1000, 2000)


def _training() -> dict[str, Any]:
    return {
        **JOB,
        "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


ASKED = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}


class TestTokens:
    def test_the_answer_is_the_result(self) -> None:
        services = Services(SendMessage={"MessageId": "m"})

        async def scenario(engine: Engine, tasks: ServiceTasks) -> Any:
            execution = engine.create(machine("sqs:sendMessage.waitForTaskToken", ASKED), {})
            running = asyncio.create_task(engine.run(execution))
            await asyncio.sleep(1000)
            token = services.calls[0][2]["MessageBody"]
            engine.tokens.succeed(token, {"yes": True})
            await running
            assert execution.history.types()[2:6] == [
                *("TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"),
            ]
            return execution.output

        assert drive(services, scenario) == {"yes": True}

    def test_an_answer_before_the_call_has_come_back_counts(self) -> None:
        services = Services(Invoke=[60, invoked(b"{}")])
        parameters = {"FunctionName": "f", "Payload.$": "$$.Task.Token"}

        async def scenario(engine: Engine, tasks: ServiceTasks) -> Any:
            execution = engine.create(machine("lambda:invoke.waitForTaskToken", parameters), {})
            running = asyncio.create_task(engine.run(execution))
            await asyncio.sleep(1)
            engine.tokens.succeed(json.loads(services.calls[0][2]["Payload"]), 1)
            await running
            return execution.output, execution.stopped

        assert drive(services, scenario) == (1, 1.0)

    def test_a_call_that_fails_fails_the_task_at_once(self) -> None:
        services = Services(Invoke=invoked(b'{"errorType": "Bad"}', FunctionError="Unhandled"))
        execution = run(services, "lambda:invoke.waitForTaskToken", {"FunctionName": "f"})
        assert failed(execution)[0] == "Bad"
        assert execution.stopped == 0.0

    def test_after_a_restart_nothing_is_sent_again(self) -> None:
        services = Services(SendMessage={"MessageId": "m"})

        async def scenario(engine: Engine, tasks: ServiceTasks) -> Any:
            definition = machine("sqs:sendMessage.waitForTaskToken", ASKED)
            execution = engine.create(definition, {})
            running = asyncio.create_task(engine.run(execution))
            await asyncio.sleep(1)
            await engine.shutdown()
            await asyncio.gather(running, return_exceptions=True)
            again = engine.restore(definition, json.loads(json.dumps(execution.journal())))
            running = asyncio.create_task(engine.run(again))
            await asyncio.sleep(1)
            engine.tokens.succeed(services.calls[0][2]["MessageBody"], "late")
            await running
            return again.output

        assert drive(services, scenario) == "late"
        assert services.operations == ["SendMessage"]


class TestActivities:
    def test_the_worker_that_asks_first_gets_the_task(self) -> None:
        async def scenario(engine: Engine, tasks: ServiceTasks) -> Any:
            activities = tasks._activities
            assert activities is not None
            first = asyncio.create_task(activities.take(ACTIVITY, "first"))
            second = asyncio.create_task(activities.take(ACTIVITY, "second"))
            await asyncio.sleep(1)
            execution = engine.create(machine(ACTIVITY), {"n": 1})
            running = asyncio.create_task(engine.run(execution))
            taken = await first
            assert taken is not None
            assert taken[1] == {"n": 1}
            engine.tokens.succeed(taken[0], 2)
            await running
            assert await second is None  # after a minute
            started = execution.history[3]
            assert started["activityStartedEventDetails"] == {"workerName": "first"}
            return execution.output

        assert drive(Services(), scenario) == 2

    def test_a_task_waits_for_a_worker_in_order_and_not_after_its_end(self) -> None:
        async def scenario(engine: Engine, tasks: ServiceTasks) -> None:
            activities = tasks._activities
            assert activities is not None
            definition = machine(ACTIVITY)
            made = [engine.create(definition, n) for n in range(3)]
            running = [asyncio.create_task(engine.run(each)) for each in made]
            await asyncio.sleep(5)
            engine.stop(made[0])
            await running[0]
            taken = [await activities.take(ACTIVITY, None) for _ in range(3)]
            assert [each and each[1] for each in taken] == [1, 2, None]
            for each in taken[:2]:
                assert each is not None
                engine.tokens.succeed(each[0], None)
            await asyncio.gather(*running)

        drive(Services(), scenario)

    def test_an_activity_that_is_not_there(self) -> None:
        async def scenario(engine: Engine, tasks: ServiceTasks) -> Any:
            execution = engine.create(machine(ACTIVITY.replace("work", "none")), {})
            await engine.run(execution)
            assert execution.history.types()[-2] == "ActivityScheduleFailed"
            return execution.error

        assert drive(Services(), scenario) == "States.Runtime"
