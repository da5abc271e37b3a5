"""Errors of the local CodePipeline.

::

    ApiError                          what a caller gets as an AWS error, with AWS's code
    ├── PipelineNotFoundError
    ├── PipelineNameInUseError
    ├── ExecutionNotFoundError        PipelineExecutionNotFoundException
    ├── InvalidStructureError         InvalidStructureException
    ├── InvalidStageError             InvalidStageDeclarationException
    ├── InvalidActionError            InvalidActionDeclarationException
    ├── JobNotFoundError
    ├── InvalidJobStateError          the job was answered before
    └── VariablesTooLargeError        OutputVariablesSizeExceededException
    LocalCloudError
    ├── ActionError                   what fails an action; its text becomes errorDetails
    └── ForgottenError                an execution runs whose pipeline was deleted
"""

from __future__ import annotations

from retrain.localcloud.errors import LocalCloudError
from retrain.localcloud.sagemaker.errors import ApiError


class PipelineNotFoundError(ApiError):
    """There is no such pipeline."""

    code = "PipelineNotFoundException"


class PipelineNameInUseError(ApiError):
    """The name is taken."""

    code = "PipelineNameInUseException"


class ExecutionNotFoundError(ApiError):
    """The pipeline has no such execution."""

    code = "PipelineExecutionNotFoundException"


class InvalidStructureError(ApiError):
    """The pipeline's parts do not fit together."""

    code = "InvalidStructureException"


class InvalidStageError(ApiError):
    """A stage breaks a rule."""

    code = "InvalidStageDeclarationException"


class InvalidActionError(ApiError):
    """An action breaks a rule."""

    code = "InvalidActionDeclarationException"


class JobNotFoundError(ApiError):
    """There is no such job."""

    code = "JobNotFoundException"


class InvalidJobStateError(ApiError):
    """The job was answered before, or its time has passed."""

    code = "InvalidJobStateException"


class VariablesTooLargeError(ApiError):
    """The output variables have more characters than a pipeline keeps."""

    code = "OutputVariablesSizeExceededException"


class ActionError(LocalCloudError):
    """Fails an action.

    Attributes
    ----------
    code
        As in the action's errorDetails, ``JobFailed`` or the like.
    external_id
        Of whatever the action had started.
    """

    def __init__(self, message: str, *, code: str = "JobFailed", external_id: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.external_id = external_id


class ForgottenError(LocalCloudError):
    """An execution's pipeline was deleted while it ran."""
