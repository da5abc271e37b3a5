"""The states that wait for nothing: Pass, Choice, Succeed, Fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from retrain.states.data import conditions, jsonata
from retrain.states.errors import NO_CHOICE_MATCHED, StatesError
from retrain.states.execution.evaluation import Evaluation, Outcome
from retrain.states.execution.failures import FailureError
from retrain.states.execution.frames import Frame
from retrain.states.model import ABSENT, Choice, ChoiceRule, Fail, Json, Pass, Succeed

if TYPE_CHECKING:
    from retrain.states.execution.interpreter import Interpreter


def run_pass(run: Interpreter, frame: Frame, state: Pass) -> Outcome:
    """Pass the input on, or Result, or what Parameters and Output make of it."""
    if (
        state.assign is None
        and state.result is ABSENT
        and state.parameters is ABSENT
        and state.output is ABSENT
        and state.input_path is ABSENT
        and state.output_path is ABSENT
        and state.result_path is ABSENT
    ):
        return frame.input, state.next, None
    evaluation = Evaluation(run, frame, state)
    if evaluation.jsonata:
        output, assigned = evaluation.settle(frame.input, ABSENT)
        return output, state.next, assigned
    effective = evaluation.effective_input()
    result = state.result if state.result is not ABSENT else evaluation.arguments(effective)
    output, assigned = evaluation.settle(effective, result)
    return output, state.next, assigned


def run_succeed(run: Interpreter, frame: Frame, state: Succeed) -> Outcome:
    """End the machine well."""
    evaluation = Evaluation(run, frame, state)
    effective = frame.input if evaluation.jsonata else evaluation.effective_input()
    output, _ = evaluation.settle(effective, ABSENT)
    return output, None, None


def run_fail(run: Interpreter, frame: Frame, state: Fail) -> NoReturn:
    """End the machine with the state's error."""
    evaluation = Evaluation(run, frame, state)
    error = evaluation.text(state.error, state.error_path, "Error")
    cause = evaluation.text(state.cause, state.cause_path, "Cause")
    raise FailureError(error or "", cause or "", at=frame.last)


def run_choice(run: Interpreter, frame: Frame, state: Choice) -> Outcome:
    """Go on by the first rule that holds, else to the default."""
    evaluation = Evaluation(run, frame, state)
    effective = frame.input if evaluation.jsonata else evaluation.effective_input()
    scope = evaluation.scope(effective)
    for number, rule in enumerate(state.choices):
        if evaluation.jsonata:
            holds = _condition(evaluation, rule, f"Choices[{number}]/Condition")
        else:
            holds = conditions.matches(rule.condition, scope)  # type: ignore[arg-type]
        if holds:
            return _follow(evaluation, effective, rule, f"Choices[{number}]")
    if state.default is None:
        raise StatesError(NO_CHOICE_MATCHED, "No rule of the Choice state holds and it has no Default.")
    output, assigned = evaluation.settle(effective, ABSENT)
    return output, state.default, assigned


def _condition(evaluation: Evaluation, rule: ChoiceRule, field: str) -> bool:
    condition: Any = rule.condition
    if not jsonata.is_expression(condition):
        return bool(condition)  # a plain true or false
    scope = evaluation.scope(evaluation.frame.input)
    return bool(jsonata.evaluate(condition, scope, field, expected="boolean"))


def _follow(evaluation: Evaluation, effective: Json, rule: ChoiceRule, field: str) -> Outcome:
    assigned: Any = (
        None if rule.assign is None else evaluation.fill(rule.assign, effective, f"{field}/Assign")
    )
    if rule.output is not ABSENT:
        return evaluation.fill(rule.output, effective, f"{field}/Output"), rule.next, assigned
    return effective if evaluation.jsonata else evaluation.output_path(effective), rule.next, assigned


SIMPLE: Final[Mapping[type, Callable[[Interpreter, Frame, Any], Outcome]]] = {
    Pass: run_pass,
    Choice: run_choice,
    Succeed: run_succeed,
    Fail: run_fail,
}
"""By type of state. Each returns the output, the state that follows, and the variables assigned."""
