"""State machines to break, and what validation says of one."""

from __future__ import annotations

from typing import Any

from retrain.states.validation import validate

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:work"


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION, "End": True, **fields}


def machine(state: Any, **fields: Any) -> dict[str, Any]:
    """A machine of the state `A`."""
    return {"StartAt": "A", "States": {"A": state}, **fields}


def jsonata(state: Any, **fields: Any) -> dict[str, Any]:
    return machine(state, QueryLanguage="JSONata", **fields)


def choice(*rules: Any, **fields: Any) -> dict[str, Any]:
    """A machine of a Choice `A`, from which all goes to `B`."""
    states = {
        "A": {"Type": "Choice", "Choices": list(rules), "Default": "B", **fields},
        "B": {"Type": "Succeed"},
    }
    return {"StartAt": "A", "States": states}


def inner(state: Any, **fields: Any) -> dict[str, Any]:
    """A branch or item processor of the state `I`."""
    return {"StartAt": "I", "States": {"I": state}, **fields}


def distributed(**fields: Any) -> dict[str, Any]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor = inner({"Type": "Pass", "End": True}, ProcessorConfig=config)
    return {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}


def found(definition: Any, **options: Any) -> list[tuple[str, str, str]]:
    """Code, message and location of everything found."""
    return [(each.code, each.message, each.location) for each in validate(definition, **options)]


def errors(definition: Any, **options: Any) -> list[str]:
    """Everything for which AWS would refuse a definition, as `location: message`."""
    diagnostics = validate(definition, **options)
    return [f"{each.location}: {each.message}" for each in diagnostics if each.severity == "ERROR"]


def warnings(definition: Any, **options: Any) -> list[str]:
    diagnostics = validate(definition, **options)
    return [f"{each.code} {each.location}" for each in diagnostics if each.severity == "WARNING"]
