"""The errors of the authoring library, one tree.

They are `ValueError` too, as the errors of AWS's library for the same purpose were, so that programs that
catch these go on working.

::

    WorkflowError (RetrainError)
    ├── AuthoringError (ValueError)          something is wrong with what was written
    │   ├── UnknownFieldError (TypeError)       a keyword that a step does not have
    │   ├── ParameterError                      members of a request: unknown, or of the wrong type
    │   │   └── MissingRequiredParameterError      members that must be given
    │   ├── ServiceError                        a service or an action that Step Functions does not know
    │   ├── PatternError                        an integration pattern that the action does not offer
    │   ├── DuplicateStateError                 two states of one name, or one state in two places
    │   ├── TransitionError                     a state that cannot be left, or is never reached
    │   │   └── EndlessChainError                  states that no execution can ever leave
    │   ├── PlaceholderError                    a placeholder that does not fit where it stands
    │   ├── InputError                          an execution's input that does not fit its schema
    │   ├── EstimatorError                      an estimator, a model or the like that cannot be rendered
    │   └── InvalidDefinitionError              what AWS would refuse; holds everything that was found
    └── WorkflowNotFoundError                there is no state machine yet
"""

from __future__ import annotations

from collections.abc import Iterable

from retrain.errors import RetrainError
from retrain.states.errors import Diagnostic


class WorkflowError(RetrainError):
    """What the authoring library says no to."""


class AuthoringError(WorkflowError, ValueError):
    """Something is wrong with what was written."""


class UnknownFieldError(AuthoringError, TypeError):
    """A keyword that a step, or something else that is written, does not have."""


class ParameterError(AuthoringError):
    """Members of a service's request are unknown, or have the wrong type."""


class MissingRequiredParameterError(ParameterError):
    """Something that must be given is missing."""


class ServiceError(AuthoringError):
    """Step Functions does not know the service, or the service does not know the action."""


class PatternError(AuthoringError):
    """The action does not offer the integration pattern."""


class DuplicateStateError(AuthoringError):
    """Two states have the same name, or one state is in two places."""


class TransitionError(AuthoringError):
    """A state cannot be left as written, or nothing leads to it."""


class EndlessChainError(TransitionError):
    """States lead only to each other, so that no execution ever ends."""


class PlaceholderError(AuthoringError):
    """A placeholder does not fit where it stands: its type, its place, or the state whose output it is."""


class InputError(AuthoringError):
    """An execution's input does not fit the schema of the workflow's `execution_input`."""


class EstimatorError(AuthoringError):
    """An estimator, a model, a processor or the like cannot be rendered as it is."""


class InvalidDefinitionError(AuthoringError):
    """AWS would refuse the definition.

    Attributes
    ----------
    diagnostics : tuple of Diagnostic
        Everything that was found, warnings too.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic], *, what: str = "The definition") -> None:
        self.diagnostics = tuple(diagnostics)
        faults = [str(each) for each in self.diagnostics if each.severity == "ERROR"]
        super().__init__(f"{what} is invalid: {'; '.join(faults)}")


class WorkflowNotFoundError(WorkflowError):
    """The workflow does not point to a state machine: it was not created, or has been deleted."""
