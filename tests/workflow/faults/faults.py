"""What can go wrong in a state, and how Step Functions says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from retrain.states.errors import StatesError

THROTTLED = "throttled once"
THROTTLED_LASTING = "throttled on and on"
LOST = "the answer is lost once"
BROKEN = "service error on and on"
SILENT = "never answers"
RAISES = "the function raises"
KILLED = "the worker is killed once, its work done"
KILLED_LASTING = "the worker is killed each time"


@dataclass(frozen=True)
class Fault:
    """A fault of a state.

    Attributes
    ----------
    lasting
        It strikes at every attempt, else at the first alone.
    after
        What was asked for is done, and only its answer is lost.
    hangs
        There is no answer at all; the state's time-out ends the wait.
    """

    state: str
    kind: str
    lasting: bool = False
    after: bool = False
    hangs: bool = False

    def strikes(self, attempt: int) -> bool:
        """Whether it strikes at an attempt, counted from 0."""
        return self.lasting or attempt == 0


def of_state(name: str, state: dict[str, Any], *, thorough: bool) -> Iterator[Fault]:
    """Yield the faults of a Task state; the thorough ones are told apart by functions alone."""
    yield Fault(name, THROTTLED)
    yield Fault(name, LOST, after=True)
    yield Fault(name, BROKEN, lasting=True)
    yield Fault(name, SILENT, lasting=True, after=True, hangs=True)
    if thorough and "lambda:" in state["Resource"]:
        yield Fault(name, THROTTLED_LASTING, lasting=True)
        yield Fault(name, RAISES, lasting=True)
        yield Fault(name, KILLED, after=True)
        yield Fault(name, KILLED_LASTING, lasting=True)


def error_of(fault: Fault, resource: str) -> StatesError:
    """Return the error that a state sees."""
    if fault.kind == RAISES:
        raised = {"errorType": "RuntimeError", "errorMessage": "A fault that nobody thought of."}
        return StatesError("RuntimeError", json.dumps(raised))
    if fault.kind in {KILLED, KILLED_LASTING}:
        killed = {
            "errorType": "Runtime.ExitError",
            "errorMessage": "Error: Runtime exited with signal: killed",
        }
        return StatesError("Runtime.ExitError", json.dumps(killed))
    throttled = fault.kind in {THROTTLED, THROTTLED_LASTING}
    if "lambda:" in resource:
        name = "Lambda.TooManyRequestsException" if throttled else "Lambda.ServiceException"
    elif "cloudwatch" in resource:
        name = "CloudWatch.CloudWatchException"
    elif "sqs" in resource:
        name = "SQS.AmazonSQSException"
    elif "aws-sdk" in resource:
        name = "SageMaker.SageMakerException"
    else:
        name = "SageMaker.AmazonSageMakerException"
    return StatesError(
        name, "Rate exceeded." if throttled else "The service is unavailable. (Status Code: 503)"
    )
