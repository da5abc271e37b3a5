"""Whether a pipeline's declaration makes sense, before anything of it is kept.

The model has the rules for single values; here are those for how they go together, as far as AWS documents
them, and a clear refusal of all that this pipeline cannot do.
"""

from __future__ import annotations

from typing import Any

from retrain.localcloud.codepipeline.actions import RULES, S3_SOURCE, STEP_FUNCTIONS, Kind
from retrain.localcloud.codepipeline.errors import (
    InvalidActionError,
    InvalidStageError,
    InvalidStructureError,
)
from retrain.localcloud.sagemaker.errors import UnsupportedError

_SERVED = {
    "PipelineDeclaration": {
        *(
            "name",
            "roleArn",
            "artifactStore",
            "stages",
            "version",
            "executionMode",
            "pipelineType",
            "variables",
        ),
    },
    "StageDeclaration": {"name", "actions", "blockers"},
    "ActionDeclaration": {
        *(
            "name",
            "actionTypeId",
            "runOrder",
            "configuration",
            "inputArtifacts",
            "outputArtifacts",
            "namespace",
        ),
        *("region",),
    },
}


def check(pipeline: dict[str, Any]) -> None:
    """Check a declaration that has passed the model.

    Raises
    ------
    InvalidStructureError, InvalidStageError, InvalidActionError
        AWS would refuse it as well.
    UnsupportedError
        AWS can do it, the local cloud cannot.
    """
    _refuse_unserved("PipelineDeclaration", pipeline)
    if not pipeline.get("artifactStore"):
        raise InvalidStructureError("The pipeline has no artifactStore.")
    if pipeline["artifactStore"].get("encryptionKey"):
        raise UnsupportedError(
            "An encryptionKey of an artifactStore", "The local cloud's S3 encrypts nothing."
        )
    if pipeline.get("variables") and pipeline.get("pipelineType") != "V2":
        raise InvalidStructureError("Only pipelines of type V2 have variables.")
    stages = pipeline["stages"]
    if len(stages) < 2:
        raise InvalidStructureError(
            "Pipeline has only one stage. There should be a minimum of two stages in pipeline."
        )
    _refuse_doubles([stage["name"] for stage in stages], InvalidStageError, "stage")
    namespaces: list[str] = []
    produced: set[str] = set()
    for position, stage in enumerate(stages):
        _refuse_unserved("StageDeclaration", stage)
        if not stage["actions"]:
            raise InvalidStageError(f"The stage {stage['name']} has no actions.")
        _refuse_doubles([action["name"] for action in stage["actions"]], InvalidActionError, "action")
        for action in in_order(stage):
            _check_action(action, first_stage=position == 0)
            missing = [name for name in inputs(action) if name not in produced]
            if missing:
                raise InvalidActionError(
                    f"The action {action['name']} takes {', '.join(missing)}, which no earlier action gives."
                )
            doubled = [name for name in outputs(action) if name in produced]
            if doubled:
                raise InvalidActionError(
                    f"The action {action['name']} gives {', '.join(doubled)}, as another does before it."
                )
            produced.update(outputs(action))
            namespaces += [action["namespace"]] if action.get("namespace") else []
    _refuse_doubles(namespaces, InvalidActionError, "namespace")


def in_order(stage: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a stage's actions by their runOrder; those of the same order run one after another here."""
    return sorted(stage["actions"], key=lambda action: action.get("runOrder") or 1)


def kind(action: dict[str, Any]) -> Kind:
    """Return the kind of an action."""
    names = action["actionTypeId"]
    return names["category"], names["owner"], names["provider"], names["version"]


def inputs(action: dict[str, Any]) -> list[str]:
    """Return the names of an action's input artifacts."""
    return [artifact["name"] for artifact in action.get("inputArtifacts") or ()]


def outputs(action: dict[str, Any]) -> list[str]:
    """Return the names of an action's output artifacts."""
    return [artifact["name"] for artifact in action.get("outputArtifacts") or ()]


def _check_action(action: dict[str, Any], *, first_stage: bool) -> None:
    _refuse_unserved("ActionDeclaration", action)
    found, name = kind(action), action["name"]
    rules = RULES.get(found)
    if rules is None:
        served = "; ".join(" ".join(served) for served in RULES)
        raise UnsupportedError(f"The action type {' '.join(found)}", f"It has: {served}.")
    if (found[0] == "Source") != first_stage:
        raise InvalidStageError("Source actions stand in the first stage, and nothing else does.")
    configuration = action.get("configuration") or {}
    missing = sorted(rules.required - set(configuration))
    unknown = sorted(set(configuration) - rules.required - rules.optional)
    if missing or unknown:
        told = [f"{', '.join(missing)} is missing"] if missing else []
        told += [f"{', '.join(unknown)} is unknown"] if unknown else []
        raise InvalidActionError(f"The configuration of the action {name} is wrong: {' and '.join(told)}.")
    if len(inputs(action)) > rules.most_inputs:
        raise InvalidActionError(f"The action {name} takes at most {rules.most_inputs} input artifacts.")
    if len(outputs(action)) < rules.outputs:
        raise InvalidActionError(f"The action {name} must have {rules.outputs} output artifact.")
    if len(outputs(action)) > rules.outputs:
        if found == S3_SOURCE:
            raise InvalidActionError(f"The action {name} must have {rules.outputs} output artifact.")
        raise UnsupportedError(f"An output artifact of the action {name}")
    if found == STEP_FUNCTIONS:
        _check_input_type(name, configuration, action)


def _check_input_type(name: str, configuration: dict[str, str], action: dict[str, Any]) -> None:
    chosen = configuration.get("InputType", "Literal")
    if chosen not in ("Literal", "FilePath"):
        raise InvalidActionError(
            f"InputType of the action {name} is {chosen!r}; it must be Literal or FilePath."
        )
    if chosen == "FilePath" and (not configuration.get("Input") or not inputs(action)):
        raise InvalidActionError(
            f"With the InputType FilePath the action {name} needs Input and an input artifact."
        )


def _refuse_doubles(
    names: list[str], error: type[InvalidStructureError | InvalidStageError | InvalidActionError], what: str
) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise error(f"There is more than one {what} with the name {', '.join(doubled)}.")


def _refuse_unserved(shape: str, part: dict[str, Any]) -> None:
    unserved = sorted(name for name, value in part.items() if value and name not in _SERVED[shape])
    if unserved:
        raise UnsupportedError(f"{', '.join(unserved)} of a {shape}")
