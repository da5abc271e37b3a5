"""AWS Step Functions: answers to states that wait under a task token."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from retraining.aws.clients import client, code, translated

_NOBODY_WAITS = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


class StepFunctionsTokens:
    """Task tokens of Step Functions; implements `retraining.ports.TaskTokens`."""

    def succeed(self, token: str, output: Mapping[str, Any]) -> bool:
        """Answer; False if nobody waits under that token (any more)."""
        with translated("Answering a waiting state"):
            try:
                client("stepfunctions").send_task_success(taskToken=token, output=json.dumps(dict(output)))
            except ClientError as error:
                if code(error) in _NOBODY_WAITS:
                    return False
                raise
        return True
