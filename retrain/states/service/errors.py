"""What a caller of the Step Functions API gets instead of an answer."""

from __future__ import annotations

from retrain.states.errors import StatesLanguageError


class ServiceError(StatesLanguageError):
    """An error in AWS's terms.

    Attributes
    ----------
    code : str
        As on the wire, such as `ExecutionDoesNotExist`.
    message : str
        In AWS's words where they are known.
    status : int
        Of HTTP.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def validation_error(message: str) -> ServiceError:
    """Return the error of a request that breaks a rule of the API."""
    return ServiceError("ValidationException", message)


def no_such_machine(arn: str) -> ServiceError:
    """Return the error about a state machine that is not there."""
    return ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def no_such_execution(arn: str) -> ServiceError:
    """Return the error about an execution that is not there."""
    return ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def not_found(arn: str) -> ServiceError:
    """Return the error about anything else that is not there."""
    return ServiceError("ResourceNotFound", f"Resource not found: '{arn}'")


def invalid_arn(why: str) -> ServiceError:
    """Return the error about an ARN of the wrong form or kind."""
    return ServiceError("InvalidArn", f"Invalid Arn: '{why}'")
