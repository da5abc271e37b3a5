"""What a state does, in a few words beneath or above its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from retrain.states.model import ABSENT, Choice, Fail, Map, Parallel, Pass, State, Succeed, Task, Wait
from retrain.workflow.drawing.labels import expression_text

_SERVICES: Final = {
    "apigateway": "API Gateway",
    "athena": "Athena",
    "batch": "Batch",
    "bedrock": "Bedrock",
    "bedrockruntime": "Bedrock",
    "cloudformation": "CloudFormation",
    "cloudwatch": "CloudWatch",
    "cloudwatchlogs": "CloudWatch Logs",
    "codebuild": "CodeBuild",
    "databrew": "DataBrew",
    "dynamodb": "DynamoDB",
    "ec2": "EC2",
    "ecr": "ECR",
    "ecs": "ECS",
    "eks": "EKS",
    "elasticmapreduce": "EMR",
    "emr": "EMR",
    "emr-containers": "EMR on EKS",
    "emr-serverless": "EMR Serverless",
    "eventbridge": "EventBridge",
    "events": "EventBridge",
    "glue": "Glue",
    "http": "HTTP",
    "iam": "IAM",
    "kms": "KMS",
    "lambda": "Lambda",
    "mediaconvert": "MediaConvert",
    "rds": "RDS",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "sagemakerruntime": "SageMaker",
    "secretsmanager": "Secrets Manager",
    "sfn": "Step Functions",
    "sns": "SNS",
    "sqs": "SQS",
    "ssm": "Systems Manager",
    "states": "Step Functions",
    "sts": "STS",
}
_PATTERNS: Final = {"sync": " (sync)", "sync:2": " (sync)", "waitForTaskToken": " (task token)"}
_INTEGRATION: Final = re.compile(
    r"arn:[^:]*:states:[^:]*:[^:]*:(?:aws-sdk:)?(?P<service>[A-Za-z0-9-]+):(?P<action>[A-Za-z0-9]+)"
    r"(?:\.(?P<pattern>sync:2|sync|waitForTaskToken))?"
)
_FUNCTION: Final = re.compile(r"(?:.*:)?function:(?P<name>[^:]+)(?::.*)?")
_TOKEN: Final = re.compile(r"\$\{(?P<name>[^}]+)\}")
_ENDINGS: Final = ("FunctionArn", "LambdaArn", "FunctionName", "Arn")


def caption(state: State) -> str:
    """Return what a state does, such as `SageMaker CreateTrainingJob (sync)` or `Wait 30 s`."""
    match state:
        case Task():
            return _task(state)
        case Wait():
            return _wait(state)
        case Map():
            return _map(state)
        case Fail():
            return f"Fail: {state.error}" if state.error else "Fail"
        case Choice() | Parallel() | Pass() | Succeed():
            return state.type


def function_name(arn_or_name: str) -> str:
    """Return the name of a function out of whatever names it; `${NotifyFunctionArn}` is `Notify`."""
    match = _FUNCTION.fullmatch(arn_or_name)
    name = match["name"] if match else arn_or_name
    if token := _TOKEN.fullmatch(name.strip()):
        name = token["name"].split(".")[0]
        for ending in _ENDINGS:
            if name.endswith(ending) and name != ending:
                return name.removesuffix(ending)
    return name


def _task(task: Task) -> str:
    if ":activity:" in task.resource:
        return f"Activity {task.resource.rpartition(':')[2]}"
    match = _INTEGRATION.fullmatch(task.resource)
    if match is None:
        return f"Lambda {function_name(task.resource)}"
    service, action = match["service"], match["action"]
    pattern = _PATTERNS.get(match["pattern"] or "", "")
    if (service, action) == ("lambda", "invoke"):
        name = _constant_function(task)
        return f"Lambda {name}{pattern}" if name else f"Lambda Invoke{pattern}"
    return f"{service_name(service)} {action[:1].upper()}{action[1:]}{pattern}"


def service_name(service: str) -> str:
    """Return how people write a service that a Resource names."""
    known = _SERVICES.get(service)
    return known or (service.upper() if len(service) <= 3 else service.capitalize())


def _constant_function(task: Task) -> str:
    given = task.arguments if task.parameters is ABSENT else task.parameters
    name = given.get("FunctionName") if isinstance(given, Mapping) else None
    return function_name(name) if isinstance(name, str) and not name.startswith("{%") else ""


def _wait(wait: Wait) -> str:
    if wait.seconds_path is not None:
        return f"Wait {_short_path(wait.seconds_path)}"
    if wait.timestamp_path is not None:
        return f"Wait until {_short_path(wait.timestamp_path)}"
    if wait.timestamp is not None:
        return f"Wait until {expression_text(wait.timestamp)}"
    return f"Wait {_duration(wait.seconds)}"


def _short_path(path: str) -> str:
    return path.removeprefix("$.") or path


def _duration(seconds: int | str | None) -> str:
    if not isinstance(seconds, int):
        return expression_text(seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _map(state: Map) -> str:
    words = ["Distributed Map" if state.item_processor.mode == "DISTRIBUTED" else "Map"]
    if state.max_concurrency:
        words.append(f"{expression_text(state.max_concurrency)} at once")
    return ", ".join(words)
