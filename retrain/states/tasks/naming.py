"""The names that the AWS SDK for Java gives to services, members and errors, which are Step Functions' names.

Step Functions calls services through that SDK: the optimised integrations through its version 1, `aws-sdk:…`
through version 2. State machines see its names: of a service (`cloudwatchlogs`), of a member of a request or
an answer (`DbClusterIdentifier` for `DBClusterIdentifier`), of an error (`S3.NoSuchKeyException`). Here they
are made from botocore's models, as the SDK's generator makes them.
"""

from __future__ import annotations

import functools
import re

import botocore.loaders
import botocore.model

# Where boto3's name of a service is not the SDK's, but for hyphens.
_BOTO3_NAMES = {
    "applicationdiscovery": "discovery",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "costandusagereport": "cur",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "directory": "ds",
    "directoryservicedata": "ds-data",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticsearch": "es",
    "eventbridge": "events",
    "iotdataplane": "iot-data",
    "iotjobsdataplane": "iot-jobs-data",
    "lexmodelbuilding": "lex-models",
    "lexmodelsv2": "lexv2-models",
    "lexruntimev2": "lexv2-runtime",
    "marketplacemetering": "meteringmarketplace",
    "migrationhub": "mgh",
    "pinpointsmsvoice": "sms-voice",
    "serverlessapplicationrepository": "serverlessrepo",
    "sfn": "stepfunctions",
    "simpledb": "sdb",
}


@functools.cache
def _loader() -> botocore.loaders.Loader:
    return botocore.loaders.create_loader()


@functools.cache
def service_model(service: str) -> botocore.model.ServiceModel:
    """Return botocore's model of a service, by boto3's name of it."""
    description = _loader().load_service_model(service, "service-2")
    return botocore.model.ServiceModel(description, service_name=service)


def words(name: str) -> list[str]:
    """Split an identifier where the SDK's generator does: `DBClusterARNs` is `DB Cluster AR Ns`."""
    text = re.sub(r"[^A-Za-z0-9]+", " ", name)
    text = re.sub(r"([^a-z]{2,})v([0-9]+)", r"\1 v\2 ", text)
    text = re.sub(r"([^A-Z]{2,})V([0-9]+)", r"\1 V\2 ", text)
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-zA-Z0-9])", " ", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
    text = re.sub(r"([0-9])([a-zA-Z])", r"\1 \2", text)
    return text.split()


def pascal_case(name: str) -> str:
    """Return an identifier as version 2 of the SDK writes it: every word capitalised, acronyms too."""
    return "".join(word[:1].upper() + word[1:].lower() for word in words(name))


def member_name(name: str, shape: str = "") -> str:
    """Return what a member of a request or an answer is called in a state machine.

    Parameters
    ----------
    name
        The member in botocore's model.
    shape
        The structure that it belongs to: the SDK renames what Java cannot use.
    """
    if (shape, name) == ("AttributeValue", "NULL"):
        return "Nul"
    # Java's identifiers begin in lower case, an acronym at the beginning wholly; what follows stays as it is.
    end = 1
    while end < len(name) and name[end].isupper() and not name[end + 1 : end + 2].islower():
        end += 1
    return name[0].upper() + name[1:end].lower() + name[end:]


@functools.cache
def error_prefix(service: str) -> str:
    """Return what stands before the dot in the names of errors of `aws-sdk:…` tasks, such as `DynamoDb`."""
    return _without_trimmings(pascal_case(service_model(service).service_id))


def _without_trimmings(name: str) -> str:
    name = name.removeprefix("Amazon").removeprefix("Aws")
    return name.removesuffix("Service")


def exception_name(code: str) -> str:
    """Return the SDK's exception class for a modelled error, without its package."""
    if code.endswith("Fault"):
        code = code.removesuffix("Fault") + "Exception"
    return code if code.endswith("Exception") else f"{code}Exception"


@functools.cache
def _services_by_sdk_name() -> dict[str, str]:
    renamed = set(_BOTO3_NAMES.values())
    services = _loader().list_available_services("service-2")
    return {
        service.replace("-", ""): service for service in services if service not in renamed
    } | _BOTO3_NAMES


def service_of(sdk_name: str) -> str | None:
    """Return boto3's name of a service that a resource names, or None if there is none.

    Parameters
    ----------
    sdk_name
        As in `arn:aws:states:::aws-sdk:SERVICE:action`, such as `sfn`, `cloudwatchlogs`, `sagemaker`.
    """
    return _services_by_sdk_name().get(sdk_name)


@functools.cache
def operation_of(service: str, action: str) -> botocore.model.OperationModel | None:
    """Return an operation by the name that resources have for it (`createTrainingJob`), or None."""
    model = service_model(service)
    operation = action[:1].upper() + action[1:]
    if operation in model.operation_names:
        return model.operation_model(operation)
    for name in model.operation_names:
        if pascal_case(name) == pascal_case(operation):
            return model.operation_model(name)
    return None
