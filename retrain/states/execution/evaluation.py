"""What a state's fields evaluate to, in its own query language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from retrain.states.data import Scope, jsonata, paths, results, templates
from retrain.states.errors import QUERY_EVALUATION_ERROR, RUNTIME, StatesError
from retrain.states.execution.frames import Frame
from retrain.states.model import ABSENT, JSONATA, Absent, Catcher, Json, Map, Parallel, Pass, State, Task

if TYPE_CHECKING:
    from retrain.states.execution.interpreter import Interpreter


Outcome: TypeAlias = tuple[Json, str | None, Mapping[str, Json] | None]
"""A state's output, the state that follows (None if the machine ends), and the variables that it assigned."""


def timestamp(seconds: float) -> str:
    """Return a time as the context object writes it, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Evaluation:
    """Evaluates the fields of one state, in one visit; the context object is made when a field needs it.

    Parameters
    ----------
    run : Interpreter
        The execution under way.
    frame : Frame
        Where it is.
    state : State
        Whose fields these are.
    token : str, optional
        The task token, for the context object.
    """

    __slots__ = ("_context", "frame", "jsonata", "run", "state", "token")

    def __init__(self, run: Interpreter, frame: Frame, state: State, token: str | None = None) -> None:
        self.run = run
        self.frame = frame
        self.state = state
        self.token = token
        self.jsonata = state.query_language == JSONATA
        self._context: dict[str, Json] | None = None

    @property
    def context(self) -> dict[str, Json]:
        """The context object."""
        if self._context is None:
            frame = self.frame
            state: dict[str, Json] = {"EnteredTime": timestamp(frame.entered), "Name": frame.state}
            if isinstance(self.state, (Task, Parallel, Map)):
                state["RetryCount"] = frame.retry_count
            self._context = {**self.run.context, "State": state}
            if frame.item is not None:
                self._context["Map"] = frame.item
            if self.token is not None:
                self._context["Task"] = {"Token": self.token}
        return self._context

    def scope(
        self,
        input: Json,  # noqa: A002 (the language's word)
        *,
        result: Json | Absent = ABSENT,
        error_output: Json | Absent = ABSENT,
        item: Mapping[str, Json] | None = None,
    ) -> Scope:
        """Return what an expression may see; `item` is the context object's Map, for an ItemSelector."""
        return Scope(
            input=input,
            context=self.context if item is None else {**self.context, "Map": item},
            variables=self.frame.variables,
            result=result,
            error_output=error_output,
            entropy=self.run.engine.entropy,
            clock=self.run.engine.clock.now,
        )

    def effective_input(self) -> Json:
        """Return the raw input, or what InputPath makes of it."""
        path = getattr(self.state, "input_path", ABSENT)
        if path is ABSENT or path == "$":
            return self.frame.input
        if path is None:
            return {}
        return paths.evaluate(path, self.scope(self.frame.input), field="InputPath")

    def arguments(self, effective: Json) -> Json:
        """Return what a Task or Parallel state works on: Parameters or Arguments, else its input."""
        if self.jsonata:
            given = getattr(self.state, "arguments", ABSENT)
            return self.frame.input if given is ABSENT else self.fill(given, self.frame.input, "Arguments")
        given = getattr(self.state, "parameters", ABSENT)
        return effective if given is ABSENT else self.fill(given, effective, "Parameters")

    def fill(self, template: Json, input: Json, field: str = "", **more: Any) -> Json:  # noqa: A002
        """Return a template of the state's query language, evaluated; causes name the `field`."""
        scope = self.scope(input, **more)
        return jsonata.fill(template, scope, field) if self.jsonata else templates.fill(template, scope)

    def settle(self, effective: Json, result: Json | Absent) -> tuple[Json, Mapping[str, Json] | None]:
        """Return the state's output and the variables that it assigns.

        Parameters
        ----------
        effective : Json
            Its input after InputPath.
        result : Json
            What it did; ABSENT in states that have no result.
        """
        state: Any = self.state
        assign = getattr(state, "assign", None)
        if self.jsonata:
            raw = self.frame.input
            assigned = None if assign is None else self.fill(assign, raw, "Assign", result=result)
            output = getattr(state, "output", ABSENT)
            if output is not ABSENT:
                output = self.fill(output, raw, "Output", result=result)
            elif result is ABSENT or isinstance(state, Pass):
                output = raw
            else:
                output = result
            return output, cast("Mapping[str, Json] | None", assigned)
        if result is ABSENT:
            output = selected = effective
        else:
            selector = getattr(state, "result_selector", ABSENT)
            selected = result if selector is ABSENT else self.fill(selector, result, "ResultSelector")
            output = self.put(state.result_path, selected)
        assigned = None if assign is None else self.fill(assign, selected, "Assign")
        return self.output_path(output), cast("Mapping[str, Json] | None", assigned)

    def put(self, result_path: str | Absent | None, result: Json) -> Json:
        """Return the raw input with a result in it, as ResultPath says."""
        if result_path is ABSENT or result_path == "$":
            return result
        if result_path is None:
            return self.frame.input
        return results.put(result_path, self.frame.input, result)

    def output_path(self, output: Json) -> Json:
        """Return an output, or what OutputPath makes of it."""
        path = getattr(self.state, "output_path", ABSENT)
        if path is ABSENT or path == "$":
            return output
        if path is None:
            return {}
        return paths.evaluate(path, self.scope(output), field="OutputPath")

    def caught(self, catcher: Catcher, error_output: Json) -> tuple[Json, Mapping[str, Json] | None]:
        """Return what goes to a catcher's state, and the variables that it assigns."""
        raw = self.frame.input
        if self.jsonata:
            given = (
                None
                if catcher.assign is None
                else self.fill(catcher.assign, raw, "Assign", error_output=error_output)
            )
            if catcher.output is ABSENT:
                output = error_output
            else:
                output = self.fill(catcher.output, raw, "Output", error_output=error_output)
        else:
            given = None if catcher.assign is None else self.fill(catcher.assign, error_output, "Assign")
            output = self.put(catcher.result_path, error_output)
        return output, cast("Mapping[str, Json] | None", given)

    def number(
        self,
        given: float | str | None,
        path: str | None,
        what: str,
        *,
        effective: Json,
        least: int = 0,
        whole: bool = True,
        most: float | None = None,
    ) -> float | None:
        """Return a number that a field gives as it is, by a path, or by a JSONata expression.

        None if the field is not given.

        Raises
        ------
        StatesError
            It is not a number, not whole, or out of bounds: States.QueryEvaluationError in JSONata, else
            States.Runtime.
        """
        value: Any = given
        if path is not None:
            value = paths.evaluate(path, self.scope(effective), field=f"{what}Path")
        elif isinstance(given, str):
            value = jsonata.evaluate(given, self.scope(self.frame.input), what, expected="number")
        elif given is None:
            return None
        if isinstance(value, float) and value.is_integer() and whole:
            value = int(value)
        fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not fits or value < least or (most is not None and value > most):
            kind = "an integer" if whole else "a number"
            limits = f"of at least {least}" if most is None else f"from {least} to {most:g}"
            error = QUERY_EVALUATION_ERROR if self.jsonata else RUNTIME
            raise StatesError(error, f"{what} must be {kind} {limits}; here it is {value!r}.")
        return cast("float", value)

    def text(
        self, given: str | None, path: str | None, what: str, *, effective: Json | Absent = ABSENT
    ) -> str | None:
        """Return a text that a field gives as it is, by a path or an intrinsic function, or by JSONata."""
        value: Json = given
        if path is not None:
            scope = self.scope(self.frame.input if effective is ABSENT else effective)
            if path.startswith("States."):
                filled = templates.fill({"value.$": path}, scope)
                value = cast("dict[str, Json]", filled)["value"]
            else:
                value = paths.evaluate(path, scope, field=f"{what}Path")
        elif given is not None and self.jsonata:
            value = self.fill(given, self.frame.input, what)
        if value is not None and not isinstance(value, str):
            error = QUERY_EVALUATION_ERROR if self.jsonata else RUNTIME
            raise StatesError(error, f"{what} must be a string; here it is {value!r}.")
        return value
