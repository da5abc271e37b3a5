"""The errors of the States Language package, one tree, and the error names that the language predefines.

::

    StatesLanguageError
    ├── StatesError        a state failed while it ran; Retry and Catch see its name
    └── DefinitionError    a definition that AWS would refuse; says everything that is wrong with it
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

STATES_ALL: Final = "States.ALL"
"""Matches every error but States.Runtime and States.DataLimitExceeded."""
TASK_FAILED: Final = "States.TaskFailed"
"""Matches every error of a task but States.Timeout."""
RUNTIME: Final = "States.Runtime"
TIMEOUT: Final = "States.Timeout"
HEARTBEAT_TIMEOUT: Final = "States.HeartbeatTimeout"
PERMISSIONS: Final = "States.Permissions"
RESULT_PATH_MATCH_FAILURE: Final = "States.ResultPathMatchFailure"
PARAMETER_PATH_FAILURE: Final = "States.ParameterPathFailure"
BRANCH_FAILED: Final = "States.BranchFailed"
NO_CHOICE_MATCHED: Final = "States.NoChoiceMatched"
INTRINSIC_FAILURE: Final = "States.IntrinsicFailure"
EXCEED_TOLERATED_FAILURE_THRESHOLD: Final = "States.ExceedToleratedFailureThreshold"
ITEM_READER_FAILED: Final = "States.ItemReaderFailed"
RESULT_WRITER_FAILED: Final = "States.ResultWriterFailed"
DATA_LIMIT_EXCEEDED: Final = "States.DataLimitExceeded"
QUERY_EVALUATION_ERROR: Final = "States.QueryEvaluationError"

PREDEFINED: Final = frozenset(
    {
        STATES_ALL,
        TASK_FAILED,
        RUNTIME,
        TIMEOUT,
        HEARTBEAT_TIMEOUT,
        PERMISSIONS,
        RESULT_PATH_MATCH_FAILURE,
        PARAMETER_PATH_FAILURE,
        BRANCH_FAILED,
        NO_CHOICE_MATCHED,
        INTRINSIC_FAILURE,
        EXCEED_TOLERATED_FAILURE_THRESHOLD,
        ITEM_READER_FAILED,
        RESULT_WRITER_FAILED,
        DATA_LIMIT_EXCEEDED,
        QUERY_EVALUATION_ERROR,
    }
)
"""All error names that the language itself raises or matches by; no other may begin with `States.`."""

UNCATCHABLE: Final = frozenset({RUNTIME, DATA_LIMIT_EXCEEDED})
"""What no wildcard matches; States.DataLimitExceeded is matched by its name, States.Runtime by nothing."""

Severity = Literal["ERROR", "WARNING"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong, or doubtful, in a definition; as ValidateStateMachineDefinition gives it.

    Attributes
    ----------
    severity
        `ERROR` if CreateStateMachine would refuse the definition for it, else `WARNING`.
    code
        AWS's word for the kind of fault, such as `SCHEMA_VALIDATION_FAILED`.
    message
        What is wrong and, where there is one obvious remedy, what to write instead.
    location
        The path of keys to the fault, such as `/States/Train/Next`; empty for the definition as a whole.
    """

    severity: Severity
    code: str
    message: str
    location: str = ""

    def __str__(self) -> str:
        """Return the diagnostic as one line of text."""
        return f"{self.code}: {self.message}" + (f" at {self.location}" if self.location else "")


class StatesLanguageError(Exception):
    """Anything that the States Language package says no to."""


class StatesError(StatesLanguageError):
    """A state failed while it ran.

    Attributes
    ----------
    error : str
        The name that Retry and Catch match by, such as `States.Timeout` or `Lambda.TooManyRequestsException`.
    cause : str
        The description that goes with it; may be JSON text.
    """

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}" if cause else error)
        self.error = error
        self.cause = cause


class DefinitionError(StatesLanguageError):
    """A definition that AWS would refuse.

    Attributes
    ----------
    diagnostics : tuple of Diagnostic
        Everything that was found, warnings too, in the order of the definition.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        faults = [each for each in self.diagnostics if each.severity == "ERROR"]
        super().__init__("; ".join(map(str, faults)) or "The definition is invalid.")
