"""Every error that a function of Retrain raises on purpose.

::

    RetrainError
    ├── SettingsError               the stack's own configuration is unusable
    ├── RequestError                a retrain request that cannot be carried out as written
    ├── PolicyError                 the gate's policy of a dataset, or one proposed for a replay, is wrong
    ├── ProgramError                what the ledger has a dataset trained with is wrong
    ├── RunNotJudgedError           a replay of a run that has no evaluation
    ├── RunUnknownError             a question about a run that the ledger does not know
    ├── ContendedError              two at once want to start the same run; ask again
    ├── RunLimitError               a dataset has had as many runs as it may
    │   └── RunSlotsTakenError      ... at a time; the state machine asks again
    ├── RollbackError               there is nothing to go back to, or not to what was asked for
    ├── ListingUnorderedError       a bucket lists its keys in no order
    ├── UnknownEventError           an event of a shape that nothing here sends
    ├── PipelineJobError            a job of CodePipeline that cannot be done as it is configured
    │   ├── UserParametersError     ... because its UserParameters are wrong
    │   └── ArtifactError           ... because its input artifact is odd, or names no image
    ├── DatasetError
    │   ├── DatasetEmptyError       nothing to train on
    │   ├── ManifestError           a manifest.json that does not say which files a batch has
    │   ├── HoldoutMissingError     nothing to judge on
    │   ├── HoldoutInvalidError     labels.csv cannot be read as the truth
    │   └── HoldoutChangedError     the holdout is no longer the one that was pinned
    ├── ArchiveUnreadableError      a training job's archive is broken
    ├── TrainingStoppedError        the job ended without completing
    ├── DeploymentError
    │   ├── ChampionChangedError    another model went live while this one trained
    │   ├── EndpointBusyError       another deployment is under way; the state machine asks again
    │   ├── EndpointUnusableError   the endpoint needs a person first
    │   └── VerificationRowsInvalidError    the rows to verify an endpoint with are not as Evaluate left them
    └── AwsError                    an AWS call failed
        ├── AccessRefusedError      ... for want of a permission
        ├── ObjectMissingError      ... because the object does not exist
        └── TransientAwsError       ... in a way that trying again may mend

The class names are what the state machine's Retry and Catch match on, and are therefore part of the
interface.
"""


class RetrainError(Exception):
    """Base of all errors raised on purpose; its message is written for people."""


class SettingsError(RetrainError):
    """The environment of a function lacks a setting or holds an impossible one."""


class RequestError(RetrainError):
    """A retrain request is not one; the message names each field and its remedy.

    Parameters
    ----------
    problems : list of str
        One sentence per offending field.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        # DynamoDB, SNS and Step Functions bound what can be written down and told.
        told = [problem if len(problem) <= 500 else f"{problem[:500]}…" for problem in problems[:20]]
        more = [f"And {len(problems) - 20} more."] if len(problems) > 20 else []
        super().__init__("The retrain request cannot be accepted: " + " ".join([*told, *more]))


class PolicyError(RetrainError):
    """A policy of the gate is wrong; the message names each field and its bounds.

    Parameters
    ----------
    problems : list of str
        One sentence per offending field.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The gate's policy cannot be used: " + " ".join(problems))


class ProgramError(RetrainError):
    """What a dataset is to be trained with cannot be used; the message names each field and the remedy.

    Parameters
    ----------
    dataset : str
        Whose program it is.
    problems : list of str
        One sentence per offending field.
    """

    def __init__(self, dataset: str, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(
            f"The program that the ledger has for {dataset} cannot be used: {' '.join(problems)} "
            f"'retrain program set {dataset} FOLDER' writes it anew."
        )


class RunNotJudgedError(RetrainError):
    """A run has no evaluation that could be replayed."""


class RunUnknownError(RetrainError):
    """The ledger knows no run of that id."""


class ContendedError(RetrainError):
    """Two triggers want to start a run of the same content at the same moment; asking again settles it."""


class RunLimitError(RetrainError):
    """A dataset has had as many runs today as it may have."""


class RunSlotsTakenError(RunLimitError):
    """As many runs of a dataset are under way as may be at a time; the state machine asks again."""


class RollbackError(RetrainError):
    """There is no earlier model to go back to, or the one that was asked for cannot be gone back to."""


class ListingUnorderedError(RetrainError):
    """A bucket does not list its keys in the order of their bytes, as those of Amazon S3 do."""


class UnknownEventError(RetrainError):
    """An event does not have the shape of anything that Retrain listens to."""


class PipelineJobError(RetrainError):
    """A job of CodePipeline cannot be done as its action is configured."""


class UserParametersError(PipelineJobError):
    """The UserParameters of an action are not what is expected."""


class ArtifactError(PipelineJobError):
    """An input artifact cannot be read, or does not say which image is meant."""


class DatasetError(RetrainError):
    """Something is wrong with what was uploaded."""


class DatasetEmptyError(DatasetError):
    """There is no object, or no byte, under the dataset's prefix.

    Parameters
    ----------
    message : str
        For people.
    file_count : int
        Objects that are there.
    """

    def __init__(self, message: str, file_count: int = 0) -> None:
        self.file_count = file_count
        super().__init__(message)


class ManifestError(DatasetError):
    """A ``manifest.json`` cannot be read as a list of files of its dataset."""


class HoldoutMissingError(DatasetError):
    """There is no ``holdout/<dataset>/labels.csv`` to judge a challenger by."""


class HoldoutInvalidError(DatasetError):
    """``labels.csv`` is not a table of ids and labels."""


class HoldoutChangedError(DatasetError):
    """The holdout changed between preparation and evaluation."""


class ArchiveUnreadableError(RetrainError):
    """An archive that a training job wrote is damaged, or beyond the limits of what is read."""


class TrainingStoppedError(RetrainError):
    """The training job was stopped, by a person or by its time limit."""


class DeploymentError(RetrainError):
    """The endpoint is not in a state in which the challenger may go live."""


class ChampionChangedError(DeploymentError):
    """The champion that the challenger was compared with no longer serves."""


class EndpointBusyError(DeploymentError):
    """The endpoint is being created or updated right now."""


class EndpointUnusableError(DeploymentError):
    """The endpoint is in a state that Retrain will not touch by itself."""


class VerificationRowsInvalidError(DeploymentError):
    """The rows to verify an endpoint with are not as Evaluate has left them."""


class AwsError(RetrainError):
    """An AWS service refused or failed a call."""


class AccessRefusedError(AwsError):
    """The function's role lacks a permission."""


class ObjectMissingError(AwsError):
    """There is no object of that key in the bucket."""


class TransientAwsError(AwsError):
    """The service was throttling, busy or unreachable; the state machine tries again."""
