"""What can be wrong with a job or a model before, or around, the user's own code.

::

    ContainerError
    ├── ConfigurationError           the platform's files or variables do not make sense
    ├── SourceError                  the user's code cannot be fetched, unpacked or found
    ├── InstallRequirementsError     its requirements.txt cannot be installed
    ├── ExecuteUserScriptError       the training program ended with an error
    ├── ModelLoadError               the model cannot be loaded for serving
    └── InputError                   a request that cannot be answered; carries `status_code`
        ├── UnsupportedContentTypeError    415
        ├── UnacceptableError              406
        └── PayloadTooLargeError           413
"""

from __future__ import annotations


class ContainerError(Exception):
    """The container cannot do what it was started for."""


class ConfigurationError(ContainerError):
    """The platform's files or variables do not make sense."""


class SourceError(ContainerError):
    """The user's code cannot be fetched, unpacked or found."""


class InstallRequirementsError(ContainerError):
    """The user's requirements.txt cannot be installed."""


class ExecuteUserScriptError(ContainerError):
    """The training program ended with an error.

    Parameters
    ----------
    exit_code : int
        As a shell would report it: 128 plus the signal's number for a program that a signal ended.
    message : str
        What the program said last.
    command : str
        What was run.
    """

    def __init__(self, exit_code: int, message: str, command: str) -> None:
        self.exit_code = exit_code
        super().__init__(f'ExitCode {exit_code}\nErrorMessage "{message}"\nCommand "{command}"')


class ModelLoadError(ContainerError):
    """The model cannot be loaded for serving."""


class InputError(ContainerError):
    """A request that cannot be answered as it is."""

    status_code = 400


class UnsupportedContentTypeError(InputError):
    """The request's content type is none that is read here."""

    status_code = 415


class UnacceptableError(InputError):
    """The answer was asked for in a content type that is not written here."""

    status_code = 406


class PayloadTooLargeError(InputError):
    """The request's body is larger than SageMaker allows."""

    status_code = 413
