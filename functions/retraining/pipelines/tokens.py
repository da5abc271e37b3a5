"""Continuation tokens: what one call tells the next, through CodePipeline."""

import json
from dataclasses import asdict, dataclass, replace

from retraining.errors import PipelineJobError

LIMIT = 2_048
"""Characters that CodePipeline takes."""


@dataclass(frozen=True, slots=True)
class Token:
    """How far a job has come.

    Attributes
    ----------
    job : str
        Id of the first call, which the run is asked for under however many calls follow.
    since : str
        When that was, ISO 8601.
    run : str
        The run that is waited for; empty while there is none yet.
    repeated : str
        Why there is no run of the job's own, if it waits for an earlier one of the same content.
    failures : int
        Calls in a row in which AWS did not answer.
    unrecorded : int
        Calls since the run ended, for as long as nobody has recorded how.
    """

    job: str
    since: str
    run: str = ""
    repeated: str = ""
    failures: int = 0
    unrecorded: int = 0

    def __str__(self) -> str:
        text = json.dumps(asdict(self), separators=(",", ":"))
        if len(text) <= LIMIT:
            return text
        return str(replace(self, repeated=self.repeated[:200]))


def parse(text: str) -> Token:
    """Read a token.

    Raises
    ------
    PipelineJobError
        It is none of ours.
    """
    try:
        found = json.loads(text)
        token = Token(**found)
        if not all(isinstance(getattr(token, name), kind) for name, kind in Token.__annotations__.items()):
            raise TypeError
    except (TypeError, ValueError, RecursionError):
        raise PipelineJobError(
            "The job's continuation token is none that this function gives: the action may have been changed "
            "while it ran. Release the change again."
        ) from None
    return token
