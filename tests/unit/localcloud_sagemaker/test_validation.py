from __future__ import annotations

import pytest

from retrain.localcloud.sagemaker.errors import (
    InvalidRequestError,
    MalformedRequestError,
    UnknownOperationError,
    UnsupportedError,
)
from retrain.localcloud.sagemaker.features import HARMLESS, HONOURED, refuse_unsupported
from retrain.localcloud.sagemaker.validation import _compiled, operation_input, service_model, validate


def test_a_request_as_it_should_be_passes(request_for_training):
    validate("CreateTrainingJob", request_for_training())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"TrainingJobName": "a_b"},
            (
                "1 validation error detected: Value 'a_b' at 'trainingJobName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
            ),
        ),
        (
            {"TrainingJobName": "a" * 64},
            (
                f"2 validation errors detected: Value '{'a' * 64}' at 'trainingJobName' failed to satisfy "
                "constraint: Member must have length less than or equal to 63; Value"
            ),
        ),
        ({"RoleArn": None}, "Value null at 'roleArn' failed to satisfy constraint: Member must not be null"),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": -1}},
            (
                "Value '-1' at 'resourceConfig.instanceCount' failed to satisfy constraint: Member must have "
                "value greater than or equal to 0"
            ),
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": "a", "TrainingInputMode": "Tape"}},
            (
                "Value 'Tape' at 'algorithmSpecification.trainingInputMode' failed to satisfy constraint: "
                "Member must satisfy enum value set: [Pipe, File, FastFile]"
            ),
        ),
        (
            {"InputDataConfig": [{"ChannelName": "a b", "DataSource": {}}]},
            "at 'inputDataConfig.1.member.channelName'",
        ),
        ({"HyperParameters": {"epochs": "1" * 2501}}, "at 'hyperParameters.epochs.member'"),
        ({"Tags": [{"Key": "schlüssel", "Value": "§"}]}, "at 'tags.1.member.value'"),
    ],
)
def test_each_constraint_is_checked_in_aws_words(request_for_training, changes, message):
    with pytest.raises(InvalidRequestError) as refused:
        validate("CreateTrainingJob", request_for_training(**changes))
    assert message in refused.value.message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"HyperParameters": {"epochs": 3}},
            "The value for the field 'hyperParameters.epochs.member' must be a STRING",
        ),
        ({"EnableNetworkIsolation": "yes"}, "'enableNetworkIsolation' must be a BOOLEAN"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": True}},
            "'stoppingCondition.maxRuntimeInSeconds' must be a INTEGER",
        ),
        ({"Hyperparameters": {}}, "The field 'Hyperparameters' is not supported"),
    ],
)
def test_other_types_and_unknown_members_are_malformed(request_for_training, changes, message):
    with pytest.raises(MalformedRequestError) as refused:
        validate("CreateTrainingJob", request_for_training(**changes))
    assert message in refused.value.message


def test_an_unknown_operation_is_named():
    with pytest.raises(UnknownOperationError, match="no operation 'CreateMiracle'"):
        validate("CreateMiracle", {})


def test_a_request_must_be_an_object():
    with pytest.raises(MalformedRequestError):
        validate("ListModels", [])


def test_every_pattern_of_the_operations_compiles(sagemaker):
    seen = set()

    def walk(shape):
        if shape.name in seen:
            return
        seen.add(shape.name)
        if "pattern" in shape.metadata:
            _compiled(shape.metadata["pattern"])
        for member in getattr(shape, "members", {}).values():
            walk(member)
        for part in ("member", "key", "value"):
            if hasattr(shape, part):
                walk(getattr(shape, part))

    for operation in sagemaker.operations:
        walk(operation_input(operation))
    assert len(seen) > 100


def test_everything_listed_as_honoured_or_harmless_is_a_member_of_the_api():
    for operation, paths in [*HONOURED.items(), *HARMLESS.items()]:
        for path in paths:
            shape = service_model().operation_model(operation).input_shape
            for name in path.rstrip("*").split("."):
                while shape.type_name == "list":
                    shape = shape.member
                assert name in shape.members, f"{operation}: {path}"
                shape = shape.members[name]


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"ProfilerConfig": {"S3OutputPath": "s3://bucket/"}}, "ProfilerConfig.S3OutputPath"),
        ({"AlgorithmSpecification": {"AlgorithmName": "xgb", "TrainingInputMode": "File"}},
         "AlgorithmSpecification.AlgorithmName"),
        ({"ResourceConfig": {"InstanceGroups": [{"InstanceType": "ml.m5.large"}]}},
         "ResourceConfig.InstanceGroups.InstanceType"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://b/", "CompressionType": "NONE"}},
         "OutputDataConfig.CompressionType"),
    ],
)  # fmt: skip
def test_what_would_not_be_acted_upon_is_refused_by_name(request_for_training, changes, member):
    with pytest.raises(
        UnsupportedError, match=f"CreateTrainingJob: {member} is not implemented in the local cloud"
    ):
        refuse_unsupported("CreateTrainingJob", request_for_training(**changes))


def test_what_is_harmless_on_a_laptop_passes(request_for_training):
    refuse_unsupported(
        "CreateTrainingJob",
        request_for_training(
            VpcConfig={"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
            EnableNetworkIsolation=True,
            DebugRuleConfigurations=[],
            Tags=[{"Key": "a", "Value": "b"}],
        ),
    )
