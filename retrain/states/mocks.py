"""Results of tasks from a file, in the form of Step Functions Local's mock configuration.

::

    {"StateMachines": {"Training": {"TestCases": {"Happy path": {"Train": "Trained at the second try"}}}},
     "MockedResponses": {"Trained at the second try": {
         "0": {"Throw": {"Error": "SageMaker.ThrottlingException", "Cause": "Slow down."}},
         "1-3": {"Return": {"TrainingJobName": "a"}}}}}

A test case names, for each of its Task states, a response; a response says what the first call (0) and each
further one of that state gives.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from retrain.states.errors import RUNTIME, StatesError, StatesLanguageError
from retrain.states.execution.protocols import TaskCall, TaskRunner
from retrain.states.model import Json

_CALLS: Final = re.compile(r"(\d+)(?:-(\d+))?")


class MockConfigurationError(StatesLanguageError):
    """A mock configuration that makes no sense, or has no such case; says where and what instead."""


class MockConfiguration:
    """A mock configuration, checked.

    Parameters
    ----------
    document : mapping
        What the file says.

    Raises
    ------
    MockConfigurationError
        It is not in the form of a mock configuration.
    """

    def __init__(self, document: Any) -> None:
        machines = _mapping(
            _mapping(document, "The mock configuration").get("StateMachines", {}), "StateMachines"
        )
        self._cases = {
            (machine, case): _mapping(states, f"StateMachines.{machine}.TestCases.{case}")
            for machine, described in machines.items()
            for case, states in _cases(machine, described)
        }
        responses = _mapping(document.get("MockedResponses", {}), "MockedResponses")
        self._responses = {name: _calls(name, calls) for name, calls in responses.items()}
        for (machine, case), states in self._cases.items():
            for state, response in states.items():
                if response not in self._responses:
                    where = f"StateMachines.{machine}.TestCases.{case}.{state}"
                    raise MockConfigurationError(
                        f"{where} names {response!r}, which MockedResponses does not have."
                    )

    @classmethod
    def read(cls, path: Path) -> MockConfiguration:
        """Return the configuration that a JSON file has."""
        try:
            return cls(json.loads(path.read_text()))
        except OSError as error:
            raise MockConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise MockConfigurationError(f"{path} is not JSON: {error}.") from error

    def runner(
        self, case: str, machine: str | None = None, *, otherwise: TaskRunner | None = None
    ) -> MockedTasks:
        """Return what runs the tasks of one test case.

        Parameters
        ----------
        case : str
            Its name.
        machine : str, optional
            The state machine's name; needed if several have a case of that name.
        otherwise : TaskRunner, optional
            Runs the tasks of states that the case does not mention; without it they fail.
        """
        found = [key for key in self._cases if key[1] == case and machine in {None, key[0]}]
        if len(found) != 1:
            known = ", ".join(f"{name} of {of}" for of, name in self._cases) or "none"
            what = f"several cases {case!r}: name the state machine" if found else f"no case {case!r}"
            raise MockConfigurationError(f"There are {what}. Known: {known}.")
        states = self._cases[found[0]]
        return MockedTasks({state: self._responses[name] for state, name in states.items()}, otherwise)


class MockedTasks:
    """Gives each Task state's calls their responses in turn; a TaskRunner.

    Parameters
    ----------
    responses : mapping
        By the state's name, what each call gives, by its number: `{"Return": …}` or `{"Throw": {"Error",
        "Cause"}}`.
    otherwise : TaskRunner, optional
        Runs the tasks of other states.
    """

    def __init__(
        self, responses: Mapping[str, Mapping[int, Mapping[str, Any]]], otherwise: TaskRunner | None = None
    ) -> None:
        self._responses = responses
        self._otherwise = otherwise
        self.calls: Counter[str] = Counter()

    async def run(self, call: TaskCall) -> Json:
        """Return, or raise, what the state's next call gives."""
        name = call.state_name
        if name not in self._responses:
            if self._otherwise is not None:
                return await self._otherwise.run(call)
            raise StatesError(RUNTIME, f"The test case has no response for the state '{name}'.")
        number = self.calls[name]
        self.calls[name] += 1
        response = self._responses[name].get(number)
        if response is None:
            raise StatesError(
                RUNTIME, f"The response of the state '{name}' has nothing for its call number {number}."
            )
        if "Throw" in response:
            raise StatesError(response["Throw"]["Error"], response["Throw"].get("Cause", ""))
        result: Json = response["Return"]
        return result


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MockConfigurationError(f"{where} must be an object; it is {value!r:.60}.")
    return value


def _cases(machine: str, described: Any) -> Iterator[tuple[str, Any]]:
    where = f"StateMachines.{machine}"
    cases = _mapping(_mapping(described, where).get("TestCases", {}), f"{where}.TestCases")
    yield from cases.items()


def _calls(name: str, described: Any) -> dict[int, Mapping[str, Any]]:
    where = f"MockedResponses.{name}"
    found: dict[int, Mapping[str, Any]] = {}
    for numbers, response in _mapping(described, where).items():
        match = _CALLS.fullmatch(numbers)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise MockConfigurationError(f'{where} has {numbers!r}; its keys must be like "0" or "1-3".')
        _check(_mapping(response, f"{where}.{numbers}"), f"{where}.{numbers}")
        for number in range(int(match[1]), int(match[2] or match[1]) + 1):
            if number in found:
                raise MockConfigurationError(f"{where} says twice what call number {number} gives.")
            found[number] = response
    return found


def _check(response: Mapping[str, Any], where: str) -> None:
    if len(response) != 1 or not response.keys() & {"Return", "Throw"}:
        raise MockConfigurationError(
            f"{where} must have either Return or Throw; it has {', '.join(response)}."
        )
    if "Throw" in response:
        thrown = _mapping(response["Throw"], f"{where}.Throw")
        if not isinstance(thrown.get("Error"), str) or not isinstance(thrown.get("Cause", ""), str):
            raise MockConfigurationError(
                f"{where}.Throw must have an Error, and may have a Cause, as strings."
            )
