"""Model packages, their groups, and tags of the local SageMaker."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from retrain.localcloud.clients import client

ROLE = "arn:aws:iam::000000000000:role/training"


def specification(model_data: str = "s3://bucket/model.tar.gz") -> dict[str, object]:
    return {
        "Containers": [
            {"Image": "tiny:1", "ModelDataUrl": model_data, "Environment": {"MODEL_LABEL": "packaged"}}
        ],
        "SupportedContentTypes": ["application/json"],
        "SupportedResponseMIMETypes": ["application/json"],
    }


def test_packages_are_numbered_in_their_group_and_wait_for_approval(tiny):
    sagemaker, group = tiny.sagemaker, tiny.name("group")
    group_arn = sagemaker.create_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
    arns = [
        sagemaker.create_model_package(
            ModelPackageGroupName=group,
            InferenceSpecification=specification(),
            CustomerMetadataProperties={"run": str(number)},
        )["ModelPackageArn"]
        for number in range(2)
    ]
    assert arns == [f"{group_arn.replace('package-group', 'package')}/{number}" for number in (1, 2)]
    package = sagemaker.describe_model_package(ModelPackageName=arns[1])
    assert package["ModelPackageVersion"] == 2
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["ModelPackageStatus"] == "Completed"
    assert package["CustomerMetadataProperties"] == {"run": "1"}

    sagemaker.update_model_package(
        ModelPackageArn=arns[1], ModelApprovalStatus="Approved", ApprovalDescription="looks good"
    )
    approved = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [item["ModelPackageVersion"] for item in approved["ModelPackageSummaryList"]] == [2]
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group, SortOrder="Ascending")
    assert [item["ModelPackageArn"] for item in listed["ModelPackageSummaryList"]] == arns

    with pytest.raises(sagemaker.exceptions.ConflictException, match="contains model packages"):
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    for arn in arns:
        sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)


def test_a_model_made_from_a_package_serves(tiny):
    described = tiny.sagemaker.describe_model(ModelName=tiny.model("from a package"))
    group = tiny.name("group")
    tiny.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = tiny.sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification=specification(described["PrimaryContainer"]["ModelDataUrl"]),
    )["ModelPackageArn"]
    model = tiny.name("model")
    tiny.sagemaker.create_model(
        ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": arn}
    )
    answer = tiny.ask(tiny.deploy(tiny.config(model)))
    assert (answer["answer"], answer["name"]) == ("from a package", "packaged")


def test_tags_come_and_go(tiny):
    sagemaker, group = tiny.sagemaker, tiny.name("group")
    arn = sagemaker.create_model_package_group(
        ModelPackageGroupName=group, Tags=[{"Key": "a", "Value": "1"}]
    )["ModelPackageGroupArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["b"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "2"}]
    with pytest.raises(ClientError, match="Could not find the resource"):
        sagemaker.list_tags(ResourceArn=arn + "x")


def test_a_stack_makes_a_group(tiny):
    cloudformation = client("cloudformation", tiny.cloud.endpoint_url)
    stack, group = tiny.name("stack"), tiny.name("group")
    template = {
        "Resources": {
            "Group": {
                "Type": "AWS::SageMaker::ModelPackageGroup",
                "Properties": {"ModelPackageGroupName": group, "Tags": [{"Key": "stack", "Value": stack}]},
            }
        },
        "Outputs": {
            "Ref": {"Value": {"Ref": "Group"}},
            "Status": {"Value": {"Fn::GetAtt": ["Group", "ModelPackageGroupStatus"]}},
        },
    }
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs = {item["OutputKey"]: item["OutputValue"] for item in described["Outputs"]}
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package-group/{group}"
    assert outputs == {"Ref": arn, "Status": "Completed"}
    assert {"Key": "stack", "Value": stack} in tiny.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    with pytest.raises(ClientError, match="does not exist"):
        tiny.sagemaker.describe_model_package_group(ModelPackageGroupName=group)
