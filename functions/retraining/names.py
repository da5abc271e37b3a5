"""Every AWS name that Retrain makes.

SageMaker wants at most 63 characters of ``[a-zA-Z0-9-]``, treats endpoint names as case-insensitive and
writes ARNs in lower case; so all names here are lower case. All begin with the stack's name, because that is
what the policies of the template are bound to (``.../${AWS::StackName}-*``).
"""

import hashlib
import re
from dataclasses import dataclass

SAGEMAKER_LIMIT = 63
ATTEMPT_SUFFIX = len("-r99t99")
"""Room that a training job's name leaves for the counts that the state machine appends."""

STACK_NAME_LIMIT = 30
DATASET_NAME_LIMIT = 32
NAME_PATTERN = re.compile(r"[a-z0-9](?:-*[a-z0-9])*")
"""Lower-case letters and digits, hyphens inside: both the stack's name and a dataset's."""

_DIGEST_LENGTH = 8


@dataclass(frozen=True, slots=True)
class RunNames:
    """The names of one run.

    Attributes
    ----------
    training_job : str
        Stem of the training job's name; the state machine appends ``-r<redrives>t<retries>``.
    model, endpoint_config : str
        New for every run.
    endpoint : str
        The same for every run of a dataset.
    client_token : str
        Makes registering the model package idempotent.
    """

    training_job: str
    model: str
    endpoint_config: str
    endpoint: str
    client_token: str


def is_name(text: str, limit: int) -> bool:
    """Whether a text may be the name of a stack or of a dataset."""
    return len(text) <= limit and NAME_PATTERN.fullmatch(text) is not None


def endpoint_name(stack: str, dataset: str) -> str:
    """Return the stable name of a dataset's endpoint."""
    return _fit(f"{stack}-{dataset}", SAGEMAKER_LIMIT)


def execution_name(dataset: str, key: str, attempt: int) -> str:
    """Return the run id for a retrain key: the same data asked for twice gives the same name.

    Parameters
    ----------
    dataset : str
        Name of the dataset.
    key : str
        Hexadecimal digest of everything that decides the outcome.
    attempt : int
        1, or more when earlier attempts of the very same key failed.
    """
    return f"{dataset}-{key[:12]}-{attempt}"


def forced_execution_name(dataset: str, key: str, trigger_id: str) -> str:
    """Return the run id of a forced run: one for each trigger, however often that comes."""
    return f"{dataset}-{key[:12]}-f{_digest(trigger_id, 11)}"


def run_names(stack: str, dataset: str, run_id: str) -> RunNames:
    """Return every name of a run, each one valid for its service.

    Parameters
    ----------
    stack, dataset : str
        Valid names in the sense of `is_name`.
    run_id : str
        Name of the execution, which a person may have chosen freely.
    """
    stem = f"{stack}-{_slug(run_id)}"
    return RunNames(
        training_job=_fit(stem, SAGEMAKER_LIMIT - ATTEMPT_SUFFIX),
        model=_fit(stem, SAGEMAKER_LIMIT),
        endpoint_config=_fit(stem, SAGEMAKER_LIMIT),
        endpoint=endpoint_name(stack, dataset),
        client_token=_digest(f"{stack}/{run_id}", 32),
    )


def _slug(run_id: str) -> str:
    """Make any execution name usable; a name that had to be altered gets a digest to stay unique."""
    slug = re.sub(r"[^a-z0-9]+", "-", run_id.lower()).strip("-")
    if slug == run_id:
        return slug
    return f"{slug[:40].rstrip('-')}-{_digest(run_id)}".lstrip("-")


def _fit(name: str, limit: int) -> str:
    """Shorten a name to a limit, keeping its readable head and telling it apart by a digest."""
    if len(name) <= limit:
        return name
    return f"{name[: limit - _DIGEST_LENGTH - 1].rstrip('-')}-{_digest(name)}"


def _digest(text: str, length: int = _DIGEST_LENGTH) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]
