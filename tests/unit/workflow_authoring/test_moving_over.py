"""Programs written for AWS's `stepfunctions` library go on working when their imports are changed."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]

# The modules of stepfunctions 2.3, and what its users import from them.
MODULES = {
    "": "set_stream_logger",
    "inputs": "Placeholder ExecutionInput StepInput MapItemValue MapItemIndex",
    "exceptions": "WorkflowNotFound MissingRequiredParameter DuplicateStatesInChain ForbiddenValueParameter",
    "steps": "ChoiceRule Pass Succeed Fail Wait Choice Parallel Map Task Chain Retry Catch Graph FrozenGraph "
    "TrainingStep TransformStep ModelStep EndpointConfigStep EndpointStep TuningStep ProcessingStep "
    "LambdaStep BatchSubmitJobStep GlueStartJobRunStep EcsRunTaskStep DynamoDBGetItemStep "
    "DynamoDBPutItemStep DynamoDBUpdateItemStep DynamoDBDeleteItemStep SnsPublishStep SqsSendMessageStep "
    "EmrCreateClusterStep EmrTerminateClusterStep EmrAddStepStep EmrCancelStepStep "
    "EmrSetClusterTerminationProtectionStep EmrModifyInstanceFleetByNameStep "
    "EmrModifyInstanceGroupByNameStep",
    "steps.states": "State Pass Succeed Fail Wait Choice Parallel Map Task Chain Retry Catch Graph "
    "FrozenGraph",
    "inputs.placeholders": "Placeholder ExecutionInput StepInput MapItemValue MapItemIndex",
    "steps.choice_rule": "ChoiceRule Rule CompoundRule NotRule BaseRule",
    "steps.compute": "LambdaStep BatchSubmitJobStep GlueStartJobRunStep EcsRunTaskStep",
    "steps.sagemaker": "TrainingStep TransformStep ModelStep EndpointConfigStep EndpointStep TuningStep "
    "ProcessingStep",
    "steps.service": "DynamoDBGetItemStep EksCallStep EksCreateClusterStep EksCreateFargateProfileStep "
    "EksCreateNodeGroupStep EksDeleteClusterStep EksDeleteFargateProfileStep EksDeleteNodegroupStep "
    "EksRunJobStep EventBridgePutEventsStep GlueDataBrewStartJobRunStep StepFunctionsStartExecutionStep "
    "SnsPublishStep SqsSendMessageStep EmrCreateClusterStep",
    "steps.integration_resources": "IntegrationPattern",
    "template": "TrainingPipeline InferencePipeline",
    "template.pipeline": "TrainingPipeline InferencePipeline",
    "workflow": "Workflow Execution ExecutionStatus",
}
# Constructors and methods with the arguments that they had, in their order.
ARGUMENTS = {
    "inputs.ExecutionInput": "schema",
    "steps.Catch": "next_step",
    "steps.Chain": "steps",
    "steps.Graph": "branch",
    "steps.Pass": "state_id",
    "steps.TrainingStep": "state_id estimator job_name data hyperparameters mini_batch_size "
    "experiment_config wait_for_completion tags output_data_config_path",
    "steps.TransformStep": "state_id transformer job_name model_name data data_type content_type "
    "compression_type split_type experiment_config wait_for_completion tags input_filter output_filter "
    "join_source",
    "steps.ModelStep": "state_id model model_name instance_type tags",
    "steps.EndpointConfigStep": "state_id endpoint_config_name model_name initial_instance_count "
    "instance_type variant_name data_capture_config tags",
    "steps.EndpointStep": "state_id endpoint_name endpoint_config_name tags update",
    "steps.TuningStep": "state_id tuner job_name data wait_for_completion tags",
    "steps.ProcessingStep": "state_id processor job_name inputs outputs experiment_config "
    "container_arguments container_entrypoint kms_key_id wait_for_completion tags",
    "template.TrainingPipeline": "estimator role inputs s3_bucket client",
    "template.InferencePipeline": "preprocessor estimator inputs s3_bucket role client retry",
    "workflow.Workflow": "name definition role tags execution_input timeout_seconds comment version "
    "state_machine_arn format_json client",
    "workflow.Execution": "workflow execution_arn start_date status client name stop_date",
    "workflow.Workflow.list_workflows": "max_items client html",
    "workflow.Workflow.attach": "state_machine_arn client",
    "workflow.Workflow.update": "self definition role",
    "workflow.Workflow.execute": "self name inputs",
    "workflow.Workflow.list_executions": "self max_items status_filter html",
    "workflow.Workflow.render_graph": "self portrait",
    "workflow.Workflow.get_cloudformation_template": "self description",
    "workflow.Execution.stop": "self cause error",
    "workflow.Execution.list_events": "self max_items reverse_order html",
    "workflow.Execution.render_progress": "self portrait max_events",
    "workflow.Execution.get_output": "self wait",
    "template.TrainingPipeline.execute": "self job_name hyperparameters",
    "steps.Choice.add_choice": "self rule next_step",
    "steps.Choice.default_choice": "self next_step",
    "steps.Parallel.add_branch": "self branch",
    "steps.Map.attach_iterator": "self iterator",
    "steps.Pass.next": "self next_step",
    "steps.Pass.to_json": "self pretty",
}
# What retrain.workflow may use of the rest of Retrain.
ALLOWED = ("retrain.workflow", "retrain.states", "retrain.aws", "retrain.aws_errors", "retrain.errors")


def old(path: str) -> object:
    """What `stepfunctions.PATH` was."""
    parts = path.split(".")
    for index in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(["retrain.workflow", *parts[:index]]))
        except ModuleNotFoundError:
            continue
        for name in parts[index:]:
            found = getattr(found, name)
        return found
    raise AssertionError(path)


@pytest.mark.parametrize("module", MODULES)
def test_every_name_is_where_it_was(module):
    found = importlib.import_module(f"retrain.workflow.{module}".rstrip("."))
    missing = [name for name in MODULES[module].split() if not hasattr(found, name)]
    assert missing == []


@pytest.mark.parametrize("path", ARGUMENTS)
def test_arguments_have_their_names_and_their_order(path):
    names = [name for name in inspect.signature(old(path)).parameters if name not in {"args", "fields"}]
    expected = ARGUMENTS[path].split()
    assert names[: len(expected)] == expected


def test_a_program_of_the_old_library_runs_with_other_imports():
    """Of the form of that library's documentation."""
    program = """
import stepfunctions
from stepfunctions import steps
from stepfunctions.inputs import ExecutionInput
from stepfunctions.steps import Catch, Chain, Fail, LambdaStep, Pass, Retry, Wait
from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.workflow import Workflow

execution_input = ExecutionInput(schema={"name": str})
start = Pass(state_id="MyPassState")
wait = Wait(state_id="Wait for 3 seconds", seconds=3)
call = LambdaStep(
    state_id="Convert HelloWorld to Base64",
    parameters={"FunctionName": "MyLambda", "Payload": {"input": execution_input["name"]}},
)
call.add_retry(
    Retry(error_equals=["States.TaskFailed"], interval_seconds=15, max_attempts=2, backoff_rate=4.0)
)
call.add_catch(Catch(error_equals=["States.TaskFailed"], next_step=Fail("LambdaTaskFailed")))
choice = steps.Choice("Long?")
choice.add_choice(
    rule=ChoiceRule.IsPresent(variable=call.output()["Payload"]["x"], value=True),
    next_step=steps.Succeed("Yes"),
)
choice.default_choice(next_step=steps.Succeed("No"))
workflow = Workflow(
    name="MyWorkflow_v1234",
    definition=Chain([start, wait, call, choice]),
    role="arn:aws:iam::123456789012:role/r",
    execution_input=execution_input,
)
text = workflow.definition.to_json(pretty=True)
"""
    scope: dict[str, object] = {}
    exec(program.replace("stepfunctions", "retrain.workflow"), scope)
    assert '"Convert HelloWorld to Base64"' in str(scope["text"])
    assert scope["workflow"].validate() == ()  # type: ignore[attr-defined]


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found


def test_the_library_needs_no_sagemaker_sdk_and_little_of_retrain():
    allowed = {"boto3", "botocore", "yaml", *sys.stdlib_module_names}
    own = PROJECT / "retrain" / "workflow"
    others = {own / "drawing", own / "iam"}
    for file in own.rglob("*.py"):
        if others & set(file.parents):
            continue
        for name in imports(file):
            if name.split(".")[0] == "retrain":
                assert name == "retrain" or name.startswith(ALLOWED), (file, name)
            else:
                assert name.split(".")[0] in allowed, (file, name)


@pytest.mark.parametrize("folder", ["functions", "training", "retrain/states"])
def test_nothing_that_it_builds_on_needs_it(folder):
    users = [
        file
        for file in (PROJECT / folder).rglob("*.py")
        if any(name.startswith("retrain.workflow") for name in imports(file))
    ]
    assert users == []


def test_drawing_does_not_load_it():
    import subprocess

    program = (
        "import sys, retrain.workflow; print([m for m in sys.modules if m.startswith('retrain.workflow.')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
