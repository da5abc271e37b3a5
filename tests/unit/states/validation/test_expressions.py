"""Paths, payload templates, intrinsic functions, JSONata and variables, where they stand in a definition."""

from __future__ import annotations

import pytest

from tests.unit.states.validation.machines import FUNCTION, distributed, errors, inner, jsonata, machine, task

PASS = {"Type": "Pass", "End": True}


@pytest.mark.parametrize(
    "path", ["$", "$.a.b", "$.a[*].b", "$..a", "$.a[?(@.b > 1)]", "$$.Execution.Id", "$variable.a", None]
)
@pytest.mark.parametrize("field", ["InputPath", "OutputPath"])
def test_paths_that_are_taken(field, path):
    assert errors(machine({**PASS, field: path})) == []


@pytest.mark.parametrize("path", ["", "a", ".a", "$.", "$.a[", "$.a[?(@.b >", "States.UUID()", 1, {}])
@pytest.mark.parametrize("field", ["InputPath", "OutputPath"])
def test_paths_that_are_refused(field, path):
    (only,) = errors(machine({**PASS, field: path}))
    assert only.startswith(
        f"/States/A/{field}: "
        + ("Value must be a valid JSONPath" if isinstance(path, str) else "Expected value of")
    )


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("$", True),
        ("$.a.b[0]", True),
        ("$['a']['b']", True),
        (None, True),
        ("$.a[*]", False),
        ("$.a[0:2]", False),
        ("$..a", False),
        ("$.a[?(@.b)]", False),
        ("$$.a", False),
        ("$variable", False),
        ("a", False),
        (False, False),
    ],
)
def test_where_a_result_can_be_put(path, taken):
    assert (errors(machine(task(ResultPath=path))) == []) is taken


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (
            {"a.$": "plain"},
            "/a.$: The value for the field 'a.$' must be a valid JSONPath or a valid intrinsic",
        ),
        ({"a.$": 1}, "/a.$: The value for the field 'a.$' must be a STRING that contains a JSONPath"),
        ({"a.$": {"b": "$"}}, "/a.$: The value for the field 'a.$' must be a STRING"),
        ({"a.$": "$.b["}, "/a.$: The value for the field 'a.$' must be a valid JSONPath"),
        ({"a.$": "States.Nope($.b)"}, "/a.$: The value for the field 'a.$' must be a valid JSONPath"),
        ({"a.$": "States.Format('{}', $.b"}, "/a.$: The value for the field 'a.$' must be a valid JSONPath"),
        ({"a.$": "States.MathAdd($.b)"}, "/a.$: The value for the field 'a.$' must be a valid JSONPath"),
        ({"a": [{"b": {"c.$": ""}}]}, "/a[0]/b/c.$: The value for the field 'c.$' must be a valid JSONPath"),
        ({"a": 1, "a.$": "$.b"}, ": Duplicate field 'a': it is given with and without '.$'"),
        ([], ": Expected value of type [OBJECT]"),
        (None, ": Expected value of type [OBJECT]"),
        ("$", ": Expected value of type [OBJECT]"),
    ],
)
@pytest.mark.parametrize("field", ["Parameters", "ResultSelector"])
def test_templates_that_are_refused(field, template, said):
    (only,) = errors(machine(task(**{field: template})))
    assert only.startswith(f"/States/A/{field}{said}")


def test_templates_that_are_taken():
    template = {
        "constant": [1, None, {"a": "text"}],
        "path.$": "$.a[*]",
        "context.$": "$$.Execution.Id",
        "variable.$": "$v.a",
        "function.$": "States.Format('{} {}', States.UUID(), $.a)",
        ".$": "$",
    }
    assert errors(machine(task(Parameters=template, ResultSelector=template))) == []


@pytest.mark.parametrize("field", ["Output", "Arguments", "Assign"])
def test_jsonata_is_looked_for_everywhere(field):
    value = {"a": [{"b": "{% 1 + %}"}]}
    assert errors(jsonata(task(**{field: value}))) == [
        f"/States/A/{field}/a[0]/b: Unexpected end of expression"
    ]
    fine = {"a": [{"b": "{% $states.input.x + $v %}"}, 1, None, "plain", "{ % %}"]}
    assert errors(jsonata(task(**{field: fine}))) == []


@pytest.mark.parametrize(
    "value", [None, 1, True, [], "text", "{% $states.result %}", {"a": ["{% $states.result %}"]}]
)
def test_an_output_may_be_anything(value):
    assert errors(jsonata(task(Output=value))) == []


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        (PASS, {"Output": "{% $states.result %}"}),
        (task(), {"Arguments": "{% $states.result %}"}),
        (task(), {"Output": "{% $states.errorOutput %}"}),
        (task(), {"Output": "{% $states.nonesuch.a %}"}),
        (task(), {"TimeoutSeconds": "{% $states.result.t %}"}),
        (task(), {"Catch": [{"ErrorEquals": ["E"], "Next": "A", "Output": "{% $states.result %}"}]}),
        ({"Type": "Map", "ItemProcessor": inner(PASS), "End": True}, {"Items": "{% $states.result %}"}),
    ],
)
def test_fields_of_states_that_are_not_there(state, fields):
    (only,) = errors(jsonata({**state, **fields}))
    assert "does not exist." in only


@pytest.mark.parametrize("name", ["a", "camelCase", "snake_case", "größe", "x1", "日本", "a" * 80])
def test_names_of_variables(name):
    assert errors(machine({**PASS, "Assign": {name: 1, f"{name}2"[-80:]: 2}})) == []
    assert errors(machine({**PASS, "Assign": {f"{name}.$": "$.a"}})) == []
    assert errors(jsonata({**PASS, "Assign": {name: "{% 1 %}"}})) == []


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "a.b", "$a", "_a", "states", "a" * 81])
def test_names_that_variables_cannot_have(name):
    (only,) = errors(machine({**PASS, "Assign": {name: 1}}))
    assert only.startswith(f"/States/A/Assign/{name}: ")
    assert errors(jsonata({**PASS, "Assign": {f"{name}": 1}})) == [only]


def test_an_assignment_is_an_object():
    assert errors(machine({**PASS, "Assign": [1]})) == ["/States/A/Assign: Expected value of type [OBJECT]"]
    assert errors(machine({**PASS, "Assign": {"a.$": "b"}}))[0].startswith(
        "/States/A/Assign/a.$: The value for the"
    )


def test_an_inner_scope_reads_but_does_not_assign_what_an_outer_one_assigns():
    branch = inner({**PASS, "Assign": {"x.$": "$.a"}})
    outer = {"Type": "Parallel", "Branches": [branch], "Assign": {"x": 1}, "End": True}
    (only,) = errors(machine(outer))
    at = "/States/A/Branches[0]/States/I/Assign"
    assert only.startswith(
        f"{at}: Variable 'x' is assigned in an outer scope, by the state 'A'; an inner scope"
    )
    siblings = {
        **outer,
        "Branches": [branch, {"StartAt": "J", "States": {"J": branch["States"]["I"]}}],
        "Assign": {},
    }
    assert errors(machine(siblings)) == []


def test_a_catcher_and_a_rule_assign_too():
    catching = {
        "Type": "Task",
        "Resource": FUNCTION,
        "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"x": 1}, "Next": "B"}],
        "Next": "B",
    }
    mapping = {"Type": "Map", "ItemProcessor": inner({**PASS, "Assign": {"x": 1}}), "End": True}
    (only,) = errors({"StartAt": "A", "States": {"A": catching, "B": mapping}})
    assert "by the state 'A'" in only


def test_a_distributed_map_has_variables_of_its_own():
    state = distributed()
    state["ItemProcessor"]["States"]["I"]["Assign"] = {"x": 1}
    assert errors(machine({**state, "Assign": {"x": 1}})) == []
