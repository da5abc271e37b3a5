"""The state machine's definition: its form, its paths through the states, and its paths into the data."""

import inspect
import json
import re
from itertools import pairwise
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from retrain.localcloud import definitions
from retraining import errors, rollouts
from tests.unit.functions import stack
from tests.unit.functions.states import deployed_state, evaluated_state, prepared_state
from tests.workflow import machine
from tests.workflow.machine import DEFINITION, STATES

CASES = json.loads((machine.PATH.parents[1] / "tests/workflow/cases/paths.json").read_text())
SAGEMAKER = botocore.session.Session().get_service_model("sagemaker")
OUR_ERRORS = {name for name, _ in inspect.getmembers(errors, inspect.isclass)}
LAMBDA_ERRORS = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
}
KILLED = {"Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout"}
KNOWN_PREFIXES = ("SageMaker.", "CloudWatch.", "SQS.")
SAGEMAKER_TASKS = [name for name, state in machine.tasks() if "sagemaker" in state["Resource"]]
LAMBDA_TASKS = [name for name, state in machine.tasks() if "lambda" in state["Resource"]]


def test_the_definition_is_well_formed():
    text = machine.PATH.read_text()
    values = {name: {} for name in re.findall(r"\$\{(\w+)\}", text)} | {"Partition": "aws"}
    assert definitions.problems(definitions.substitute(text, values)) == []


@pytest.mark.parametrize("name", STATES)
def test_every_state_says_what_it_is_for(name):
    assert len(STATES[name]["Comment"]) > 10


@pytest.mark.parametrize(("name", "state"), machine.tasks())
def test_every_task_is_bounded_retried_and_caught(name, state):
    assert "TimeoutSeconds" in state or "TimeoutSecondsPath" in state
    assert state["Retry"]
    assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
    for catcher in state["Catch"]:
        assert re.fullmatch(r"\$\.\w*error", catcher["ResultPath"])


@pytest.mark.parametrize(("name", "state"), machine.tasks())
def test_retries_name_errors_that_exist(name, state):
    for retrier in state["Retry"]:
        for error in retrier["ErrorEquals"]:
            if name == "AwaitApproval" and error in {"States.HeartbeatTimeout", "States.Timeout"}:
                continue  # the registry is asked again
            known = error in OUR_ERRORS | LAMBDA_ERRORS | KILLED or error.startswith(KNOWN_PREFIXES)
            assert known or error == "ThrottlingException"
            # Whoever retries these would train again because a training program failed.
            assert not error.startswith("States.")
    names = {error for retrier in state["Retry"] for error in retrier["ErrorEquals"]}
    if name in LAMBDA_TASKS:
        assert LAMBDA_ERRORS | KILLED | {"TransientAwsError"} <= names


def test_the_machine_gives_up_later_than_all_its_parts_together():
    parameters = stack.TEMPLATE["Parameters"]
    training = parameters["TrainingMaxRuntimeSeconds"]["MaxValue"] + 86_400 + 3_600
    approval = 3_600 * parameters["ApprovalTimeoutHours"]["MaxValue"]
    deployment = 2 * rollouts.MOST_EXECUTION_SECONDS
    fixed = sum(state.get("TimeoutSeconds", 0) * 6 for _, state in machine.tasks())
    busy = 3 * 60 * 120
    assert DEFINITION["TimeoutSeconds"] > training + approval + deployment + busy + fixed


def test_the_functions_end_before_their_states_do():
    timeouts = {
        "Prepare": "PrepareTrainingFunction",
        "Evaluate": "EvaluateChallengerFunction",
        "ClaimEndpoint": "ClaimEndpointFunction",
        "Verify": "VerifyEndpointFunction",
        "CleanUp": "CleanUpFunction",
        "RecordFailed": "RecordOutcomeFunction",
        "ReportFailed": "WriteReportFunction",
        "NotifyFailed": "NotifyFunction",
    }
    for name, function in timeouts.items():
        assert stack.properties(function)["Timeout"] < STATES[name]["TimeoutSeconds"]


def test_the_template_gives_exactly_what_the_definition_asks_for():
    asked = set(re.findall(r"\$\{(\w+)\}", machine.PATH.read_text()))
    assert asked == set(stack.properties("StateMachine")["DefinitionSubstitutions"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_named_path_is_one_that_the_definition_allows(case):
    path = case["states"]
    assert path[0] == DEFINITION["StartAt"]
    assert STATES[path[-1]]["Type"] in {"Succeed", "Fail"}
    assert set(pairwise(path)) <= machine.edges()


def test_every_transition_belongs_to_a_named_path():
    walked = {edge for case in CASES for edge in pairwise(case["states"])}
    assert machine.edges() - walked == set()


def test_only_the_word_promote_leads_to_a_deployment():
    assert [edge for edge in machine.edges() if edge[1] == "RegisterModel"] == [("Promote?", "RegisterModel")]
    (rule,) = STATES["Promote?"]["Choices"]
    assert (rule["Variable"], rule["StringEquals"]) == ("$.decision.verdict", "promote")


def guaranteed() -> dict[str, set[str]]:
    """For each state, the top-level fields that its input has on whichever way it was reached."""
    everything = {field for state in STATES.values() for field in _written(state)} | set(prepared_state())
    known = {name: set(everything) for name in STATES}
    known[DEFINITION["StartAt"]] = set()
    changed = True
    while changed:
        changed = False
        for name, state in STATES.items():
            after = set(prepared_state()) if name == "Prepare" else known[name] | _written(state)
            arrivals = [(target, after) for source, target in machine.edges() if source == name]
            arrivals = [(target, fields) for target, fields in arrivals if not _only_caught(state, target)]
            for catcher in state.get("Catch", []):
                arrivals.append((catcher["Next"], known[name] | {catcher["ResultPath"].removeprefix("$.")}))
            for target, fields in arrivals:
                if not known[target] <= fields:
                    known[target] &= fields
                    changed = True
    return known


def _written(state: dict[str, Any]) -> set[str]:
    path = state.get("ResultPath") or "$"
    return {path.removeprefix("$.")} if path.startswith("$.") else set()


def _only_caught(state: dict[str, Any], target: str) -> bool:
    others = [state.get("Next"), state.get("Default"), *(rule["Next"] for rule in state.get("Choices", []))]
    return target not in others


@pytest.mark.parametrize("name", STATES)
def test_every_path_into_the_data_exists_on_every_way_to_its_state(name):
    fields = guaranteed()[name]
    for path in machine.inputs_of(STATES[name]):
        assert path.split(".")[1] in fields, f"{name} reads {path}, but only {sorted(fields)} are sure"


def test_after_a_failure_nothing_of_the_data_is_relied_on():
    assert guaranteed()["RecordFailed"] == set()
    assert machine.inputs_of(STATES["RecordFailed"]) == machine.inputs_of(STATES["NotifyFailed"]) == set()


def sample(name: str) -> dict[str, Any]:
    state = deployed_state()
    claim = {**state["claim"], "previous_endpoint_config_name": "retrain-mnist-fedcba987654-1"}
    return {
        **state,
        "claim": claim,
        "approval": {"granted": True, "reason": "", "decided_at": "", "by": ""},
        "restore": {"arn": "x"},
        "restore_error": {"Error": "x", "Cause": "x"},
        "deleting": {"count": 0},
        "notification": {"reason": "x"},
        "name": name,
    }


@pytest.mark.parametrize(
    "name", [name for name in STATES if not name.startswith(("Record", "Notify", "Prepare", "Retell"))]
)
def test_every_path_into_the_data_leads_to_a_value(name):
    for path in machine.inputs_of(STATES[name]):
        machine.look_up(path, sample(name))


def operation(name: str) -> Any:
    action = STATES[name]["Resource"].removesuffix(".sync").rpartition(":")[2]
    return SAGEMAKER.operation_model(action[0].upper() + action[1:])


def problems(value: Any, shape: Any, path: str) -> list[str]:
    """Check the patterns and lengths that botocore itself does not."""
    if shape.type_name == "structure":
        return [
            found
            for key, item in value.items()
            for found in (
                problems(item, shape.members[key], f"{path}.{key}")
                if key in shape.members
                else [f"{path}.{key} unknown"]
            )
        ]
    if shape.type_name == "list":
        return [found for item in value for found in problems(item, shape.member, f"{path}[]")]
    if shape.type_name == "map":
        return [found for item in value.values() for found in problems(item, shape.value, f"{path}{{}}")]
    if shape.type_name == "string":
        pattern, longest = shape.metadata.get("pattern"), shape.metadata.get("max")
        if shape.enum and value not in shape.enum:
            return [f"{path}: {value!r} is none of {shape.enum}"]
        if longest and len(value) > longest:
            return [f"{path}: {len(value)} characters, at most {longest}"]
        if pattern and "\\p{" not in pattern and not re.fullmatch(pattern, value):
            return [f"{path}: {value!r} does not match {pattern}"]
    return []


@pytest.mark.parametrize("name", SAGEMAKER_TASKS)
def test_sagemaker_accepts_the_parameters(name):
    parameters = machine.fill_in(STATES[name]["Parameters"], sample(name))
    shape = operation(name).input_shape
    report = ParamValidator().validate(parameters, shape)
    assert not report.has_errors(), report.generate_report()
    assert problems(parameters, shape, name) == []


@pytest.mark.parametrize("name", SAGEMAKER_TASKS)
def test_sagemaker_gives_what_is_selected_from_its_answer(name):
    resource = STATES[name]["Resource"]
    answer = SAGEMAKER.operation_model("DescribeTrainingJob") if ".sync" in resource else operation(name)
    for path in machine.references(STATES[name].get("ResultSelector", {})):
        assert path.split(".")[1] in answer.output_shape.members


def test_what_is_not_to_be_deployed_never_reaches_the_endpoint():
    ahead = {source for source, target in machine.edges() if target == "CreateOrUpdate?"}
    assert ahead == {"LatencyAlarm?", "PutLatencyAlarm"}
    assert [edge for edge in machine.edges() if edge[1] == "PutErrorAlarm"] == [
        ("NewestVersion?", "PutErrorAlarm")
    ]
    (rule,) = STATES["NewestVersion?"]["Choices"]
    assert (rule["Variable"], rule["BooleanEquals"]) == ("$.claim.granted", True)
    (rule,) = STATES["RunAlready?"]["Choices"]
    assert (rule["Variable"], rule["BooleanEquals"]) == ("$.skip.skipped", True)
    assert rule["Next"] == STATES["NewestVersion?"]["Default"] == "RecordSkipped"


def test_the_training_job_gets_a_new_name_for_each_attempt():
    parameters = machine.fill_in(STATES["Train"]["Parameters"], prepared_state())
    assert parameters["TrainingJobName"] == "retrain-mnist-0123456789ab-1-r0t0"


@pytest.mark.parametrize("name", LAMBDA_TASKS)
def test_functions_are_told_the_execution_and_the_data(name):
    data = {"any": "data"}
    payload = machine.fill_in(STATES[name]["Parameters"], data)["Payload"]
    assert payload["execution"]["name"] == "mnist-0123456789ab-1"
    assert payload["input"] == data
    if name.startswith(("Record", "Notify")):
        assert payload["outcome"] in {"DEPLOYED", "REJECTED", "SKIPPED", "FAILED"}
        assert payload["finished_at"]


def test_what_the_functions_answer_has_what_is_selected():
    answers = {
        "Prepare": prepared_state(),
        "Evaluate": evaluated_state("promote")["decision"],
        "ClaimEndpoint": deployed_state()["claim"],
        "Verify": deployed_state()["verification"],
        "NotifyFailed": {"subject": "", "outcome": "", "reason": ""},
    }
    for name, answer in answers.items():
        machine.fill_in(STATES[name]["ResultSelector"], {"Payload": answer})


def test_the_data_stays_far_below_what_step_functions_carries():
    assert len(json.dumps(deployed_state())) < 32_000
