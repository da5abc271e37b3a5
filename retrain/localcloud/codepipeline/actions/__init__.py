"""The kinds of actions that the local CodePipeline can carry out, and what each one's declaration may say."""

from __future__ import annotations

from dataclasses import dataclass

Kind = tuple[str, str, str, str]
"""Category, owner, provider and version."""

S3_SOURCE: Kind = ("Source", "AWS", "S3", "1")
STEP_FUNCTIONS: Kind = ("Invoke", "AWS", "StepFunctions", "1")
LAMBDA: Kind = ("Invoke", "AWS", "Lambda", "1")


@dataclass(frozen=True)
class Rules:
    """What AWS's reference of the action says, as far as it is served here.

    Attributes
    ----------
    required, optional
        Keys of the configuration.
    most_inputs
        Input artifacts; they may be fewer.
    outputs
        Output artifacts; exactly so many.
    """

    required: frozenset[str]
    optional: frozenset[str]
    most_inputs: int
    outputs: int


RULES: dict[Kind, Rules] = {
    S3_SOURCE: Rules(frozenset({"S3Bucket", "S3ObjectKey"}), frozenset({"PollForSourceChanges"}), 0, 1),
    STEP_FUNCTIONS: Rules(
        frozenset({"StateMachineArn"}), frozenset({"ExecutionNamePrefix", "InputType", "Input"}), 1, 0
    ),
    LAMBDA: Rules(frozenset({"FunctionName"}), frozenset({"UserParameters"}), 5, 0),
}
