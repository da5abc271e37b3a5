"""The errors of the `retrain` package, one tree.

Every message is one clear sentence or two: what was wrong, where, and what to do about it. The command prints
it without a traceback and ends with the error's `exit_code`.

    RetrainError                      1  anything that the tool itself says no to
    ├── UsageError                    2  an argument that cannot be meant
    │   ├── DatasetNameError             a dataset name that no endpoint could be named after
    │   ├── NothingToUploadError         an empty folder, a missing path
    │   ├── ApprovalReasonError          a reason that the model registry has no room for
    │   ├── PolicyArgumentError          a setting of the gate's policy that is not field=value
    │   ├── DefinitionFileError          a state machine definition that cannot be read
    │   ├── SubstitutionArgumentError    a definition substitution that is not name=value
    │   ├── ExecutionInputError          an execution's input that is not JSON
    │   ├── MockedCaseError              a mock configuration, or a test case in it, that cannot be used
    │   ├── ProgramArgumentError         a folder that holds no training program, or what is said about one
    │   ├── UnreadableRequestError       a file that cannot be read, to be sent to an endpoint
    │   └── UnreadableImageError         a file that holds no image to predict
    ├── CloudError                    1  something about AWS, or the local cloud in its place
    │   ├── NoCloudError                 neither a local cloud nor AWS credentials
    │   ├── CloudUnreachableError        nothing answers at the endpoint URL
    │   ├── AccessDeniedError            the credentials are refused, or may not do this
    │   ├── StackNotFoundError           no such stack, or one that is not Retrain's
    │   └── AwsCallError                 any other answer that AWS gave instead of a result
    ├── RunNotFoundError              1  no run of that name
    ├── ApprovalError                 1  a run that does not wait for an approval, or has its answer
    ├── ReportError                   1  there is no run card, and none could be written
    ├── RollbackError                 1  there is no earlier model to go back to
    ├── CleaningError                 1  the stack could not remove what it does not keep
    ├── NothingStartedError           1  what was uploaded starts no run, and why
    ├── GateError                     1  the gate has no answer: a wrong policy, a run that was not judged
    ├── WaitTimeoutError              1  what was waited for did not come
    ├── PredictionError               1  the endpoint is missing, or refused to answer
    ├── DatasetError                  1  data that could not be fetched or read
    │   ├── IdxFormatError               bytes that are no IDX file
    │   └── DataSourceError              no source gave the data
    ├── DemoError                     1  the demo did not show what it promises
    ├── WorkflowError                 1  authoring state machines; its branch is in `retrain.workflow.errors`
    └── LocalCloudError               1  the local cloud itself; its branch is in `retrain.localcloud.errors`
"""

from __future__ import annotations


class RetrainError(Exception):
    """What the tool says no to; its message is meant for people."""

    exit_code = 1


class UsageError(RetrainError):
    """An argument that cannot be meant."""

    exit_code = 2


class DatasetNameError(UsageError):
    """A dataset name that cannot become part of an endpoint's name."""


class NothingToUploadError(UsageError):
    """The path to upload holds no file."""


class ApprovalReasonError(UsageError):
    """A reason that is longer than the model registry takes."""


class PolicyArgumentError(UsageError):
    """A setting of the gate's policy that is not of the form field=value."""


class DefinitionFileError(UsageError):
    """The file of a state machine definition cannot be read."""


class SubstitutionArgumentError(UsageError):
    """A definition substitution that is not of the form name=value."""


class ExecutionInputError(UsageError):
    """An execution's input is not JSON, or cannot be read."""


class MockedCaseError(UsageError):
    """A mock configuration makes no sense, or has no such test case."""


class ProgramArgumentError(UsageError):
    """A training program, or something that is said about it, cannot be used."""


class UnreadableRequestError(UsageError):
    """A file that an endpoint is to be sent cannot be read."""


class UnreadableImageError(UsageError):
    """The file holds no image that can be sent to the endpoint."""


class CloudError(RetrainError):
    """Something about AWS, or the local cloud in its place."""


class NoCloudError(CloudError):
    """There is neither a local cloud nor are there AWS credentials."""


class CloudUnreachableError(CloudError):
    """Nothing answers at the endpoint URL."""


class AccessDeniedError(CloudError):
    """The credentials are refused, or do not allow the call."""


class StackNotFoundError(CloudError):
    """There is no such stack, or it is not one of Retrain's."""


class AwsCallError(CloudError):
    """AWS answered with an error that has no class of its own here.

    Attributes
    ----------
    code : str
        AWS's own error code, such as `ThrottlingException`.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class RunNotFoundError(RetrainError):
    """There is no run of that name."""


class ApprovalError(RetrainError):
    """The run does not wait for anybody's approval, or has its answer already."""


class ReportError(RetrainError):
    """There is no card of a run, and none could be written or saved."""


class RollbackError(RetrainError):
    """There is no earlier model to go back to, or not the one that was asked for."""


class CleaningError(RetrainError):
    """The stack could not remove what earlier runs have left."""


class NothingStartedError(RetrainError):
    """What was uploaded starts no run.

    Attributes
    ----------
    result : str
        The stack's word for it: skipped, duplicate, refused or empty.
    run_id : str or None
        The run that it would repeat.
    """

    def __init__(self, message: str, *, result: str, run_id: str | None) -> None:
        super().__init__(message)
        self.result = result
        self.run_id = run_id


class GateError(RetrainError):
    """The gate has no answer: the policy is wrong, or the run was never judged."""


class WaitTimeoutError(RetrainError):
    """What was waited for did not come in time."""


class PredictionError(RetrainError):
    """The endpoint is missing, or refused to answer."""


class DatasetError(RetrainError):
    """Data that could not be fetched or read."""


class IdxFormatError(DatasetError):
    """Bytes that are no IDX file, or not a whole one."""


class DataSourceError(DatasetError):
    """A source did not give the data, or none did."""


class DemoError(RetrainError):
    """The demo did not show what it promises."""
