"""Task tokens: how a task that answers from outside is waited for."""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict
from collections.abc import Callable

from retrain.states.errors import StatesError, StatesLanguageError
from retrain.states.execution.protocols import Entropy
from retrain.states.model import Json

_REMEMBERED = 10_000
"""Tokens whose tasks are over and of which this is still known."""


class TaskTokenError(StatesLanguageError):
    """A token that cannot be answered.

    Attributes
    ----------
    code : str
        As the API names it: `TaskDoesNotExist`, `TaskTimedOut`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class TaskToken:
    """One open token.

    Attributes
    ----------
    value : str
        What workers send back.
    owner : str
        The ARN of the state machine that waits; empty if that was not told.
    """

    __slots__ = ("_answer", "_on_beat", "_on_start", "owner", "value")

    def __init__(self, value: str, owner: str = "") -> None:
        self.value = value
        self.owner = owner
        self._answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._on_start: Callable[[], None] | None = None
        self._on_beat: Callable[[], None] | None = None

    async def wait(self) -> Json:
        """Return the output that SendTaskSuccess brought.

        Raises
        ------
        StatesError
            With what SendTaskFailure brought.
        """
        return await asyncio.shield(self._answer)

    def started(self) -> None:
        """An activity's worker has taken the task: from now on timeout and heartbeat count."""
        if self._on_start:
            self._on_start()

    def _watch(self, on_start: Callable[[], None], on_beat: Callable[[], None]) -> None:
        self._on_start, self._on_beat = on_start, on_beat

    def _close(self) -> None:
        self._on_start = self._on_beat = None
        if not self._answer.done():
            self._answer.cancel()
        elif not self._answer.cancelled():
            self._answer.exception()  # retrieved, so that asyncio does not warn of it


class TaskTokens:
    """All tokens of all executions of one engine; to be used on the loop's thread only.

    `succeed`, `fail` and `heartbeat` are SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat.

    Parameters
    ----------
    entropy : Entropy
        Where new tokens come from.
    """

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._open: dict[str, TaskToken] = {}
        self._closed: OrderedDict[str, None] = OrderedDict()

    def create(self, value: str | None = None, owner: str = "") -> TaskToken:
        """Open a token of a state machine; a given value is one that a restarted execution waits for."""
        if value is None:
            value = base64.b64encode((self._entropy.uuid() + self._entropy.uuid()).encode()).decode()
        token = TaskToken(value, owner)
        self._open[value] = token
        return token

    def close(self, token: TaskToken) -> None:
        """Nobody waits for a token any longer; an answer is a TaskTimedOut from now on."""
        self._open.pop(token.value, None)
        token._close()
        self._closed[token.value] = None
        if len(self._closed) > _REMEMBERED:
            self._closed.popitem(last=False)

    def owner(self, value: str) -> str | None:
        """Return the ARN of the state machine that waits with a token; None if none does."""
        token = self._open.get(value)
        return None if token is None else token.owner or None

    def succeed(self, value: str, output: Json) -> None:
        """End a token's task with its output; TaskTokenError if nobody waits for it."""
        self._get(value)._answer.set_result(output)

    def fail(self, value: str, error: str = "", cause: str = "") -> None:
        """End a token's task with an error; TaskTokenError if nobody waits for it."""
        self._get(value)._answer.set_exception(StatesError(error, cause))

    def heartbeat(self, value: str) -> None:
        """Let a token's heartbeat count anew; TaskTokenError if nobody waits for it."""
        if on_beat := self._get(value)._on_beat:
            on_beat()

    def _get(self, value: str) -> TaskToken:
        token = self._open.get(value)
        if token is not None and not token._answer.done():
            return token
        if token is not None or value in self._closed:
            raise TaskTokenError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        raise TaskTokenError("TaskDoesNotExist", "Task does not exist: the token was never given out here.")
