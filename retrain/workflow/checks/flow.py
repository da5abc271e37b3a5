"""What reaches each state of a machine, and the paths in it that cannot lead anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from retrain.states import model
from retrain.states.data import intrinsicsyntax, pathsyntax
from retrain.states.model.values import ABSENT, JSONATA
from retrain.states.validation.report import did_you_mean
from retrain.workflow.checks.results import CONTEXT, ERROR, of_task
from retrain.workflow.checks.shapes import (
    ANYTHING,
    PLAIN,
    Array,
    Object,
    Shape,
    follow,
    join,
    of_constant,
    put,
    trimmed,
)

Report = Callable[[str, str], None]
"""Takes what is wrong, and where."""

_ROUNDS: Final = 50
_MOST_NAMES: Final = 8
"""As many names are told of what can be there."""
_NUMBER_PATHS: Final = (
    *(("timeout_seconds_path", "TimeoutSecondsPath"), ("heartbeat_seconds_path", "HeartbeatSecondsPath")),
    *(("seconds_path", "SecondsPath"), ("timestamp_path", "TimestampPath"), ("items_path", "ItemsPath")),
    *(
        ("max_concurrency_path", "MaxConcurrencyPath"),
        ("error_path", "ErrorPath"),
        ("cause_path", "CausePath"),
    ),
)


def check_machine(machine: model.Machine, given: Shape, report: Report, at: str = "") -> Shape:
    """Report the paths of a machine that no earlier state can have produced.

    Parameters
    ----------
    machine
        A state machine, a branch or an item processor.
    given
        What it begins with.
    report
        Takes what is found.
    at
        Where the machine is.

    Returns
    -------
    Shape
        What it ends with.
    """
    reaching: dict[str, Shape] = {machine.start_at: given}
    quiet: Report = lambda _message, _where: None  # noqa: E731
    for _ in range(_ROUNDS):
        before = dict(reaching)
        for name, shape in before.items():
            walk = _State(machine.states[name], shape, quiet, "")
            for target, leaving in walk.leaving():
                known = reaching.get(target)
                reaching[target] = trimmed(leaving if known is None else join(known, leaving))
        if reaching == before:
            break
    else:
        return ANYTHING  # values that grow from round to round: nothing certain can be said
    ends: Shape | None = None
    for name, shape in reaching.items():
        state = machine.states[name]
        walk = _State(state, shape, report, f"{at}/States/{name}")
        output = walk.output()
        walk.check_rest()
        if state.end or isinstance(state, model.Succeed):
            ends = output if ends is None else join(ends, output)
    return ANYTHING if ends is None else ends


class _State:
    """One state with what reaches it."""

    def __init__(self, state: model.State, given: Shape, report: Report, at: str) -> None:
        self._state = state
        self._given = given
        self._report = report
        self._at = at

    def leaving(self) -> Iterator[tuple[str, Shape]]:
        """Return where the state leads, and with what."""
        state = self._state
        output = self.output()
        if isinstance(state, model.Choice):
            targets = [rule.next for rule in state.choices] + ([state.default] if state.default else [])
            yield from ((target, output) for target in targets)
        elif state.next:
            yield state.next, output
        for catcher in getattr(state, "catch", ()):
            if state.query_language == JSONATA:
                yield catcher.next, ANYTHING
            else:
                yield catcher.next, self._placed(catcher.result_path, ERROR)

    def output(self) -> Shape:
        """Return what the state hands on; report the paths that are followed for it."""
        state = self._state
        if state.query_language == JSONATA:
            return ANYTHING
        if isinstance(state, model.Fail):
            return ANYTHING
        effective = self._selected(state.input_path, self._given, "InputPath")
        if isinstance(state, model.Choice | model.Wait | model.Succeed):
            return self._selected(state.output_path, effective, "OutputPath")
        result = self._result(state, effective)
        if not isinstance(state, model.Pass) and state.result_selector is not ABSENT:
            result = self._template(state.result_selector, result, "/ResultSelector")
        placed = self._placed(state.result_path, result)
        return self._selected(state.output_path, placed, "OutputPath")

    def _result(self, state: model.State, effective: Shape) -> Shape:
        parameters = getattr(state, "parameters", ABSENT)
        filled = effective if parameters is ABSENT else self._template(parameters, effective, "/Parameters")
        if isinstance(state, model.Pass):
            return filled if state.result is ABSENT else of_constant(state.result)
        if isinstance(state, model.Task):
            return of_task(state.resource)
        if isinstance(state, model.Parallel):
            results = [
                check_machine(branch, filled, self._report, f"{self._at}/Branches[{index}]")
                for index, branch in enumerate(state.branches)
            ]
            return Array(_joined(results))
        assert isinstance(state, model.Map)  # noqa: S101
        return Array(self._iteration(state, effective))

    def _iteration(self, state: model.Map, effective: Shape) -> Shape:
        item: Shape = ANYTHING
        if state.item_reader is None:
            items = self._selected(state.items_path or ABSENT, effective, "ItemsPath")
            item = items.item if isinstance(items, Array) else ANYTHING
        if state.item_selector is not ABSENT:
            name = "Parameters" if "Parameters" in state.given else "ItemSelector"
            item = self._template(state.item_selector, effective, f"/{name}")
        if state.item_batcher is not None:
            item = ANYTHING
        name = "Iterator" if "Iterator" in state.given else "ItemProcessor"
        result = check_machine(state.item_processor, item, self._report, f"{self._at}/{name}")
        return ANYTHING if state.result_writer is not None else result

    def check_rest(self) -> None:
        """Report the paths that are followed for nothing that the state hands on."""
        state = self._state
        if state.query_language == JSONATA or isinstance(state, model.Parallel | model.Map):
            return
        effective = self._quietly(getattr(state, "input_path", ABSENT))
        for attribute, name in _NUMBER_PATHS:
            path = getattr(state, attribute, None)
            if path is not None:
                self._expression(path, effective, f"/{name}")
        if isinstance(state, model.Choice):
            for index, rule in enumerate(state.choices):
                self._rule(rule, effective, f"/Choices[{index}]")

    def _rule(self, rule: model.ChoiceRule, effective: Shape, where: str) -> None:
        comparisons = [] if isinstance(rule.condition, str | bool) else list(_comparisons(rule.condition))
        # A rule that asks whether something is there may go on to use it.
        asked = {each.variable for each in comparisons if each.operator == "IsPresent"}
        for each in comparisons:
            for path in (each.variable, each.value if each.is_path else None):
                if isinstance(path, str) and path not in asked:
                    self._expression(path, effective, where)

    def _selected(self, path: Any, shape: Shape, field: str) -> Shape:
        if path is ABSENT:
            return shape
        return Object({}) if path is None else self._expression(path, shape, f"/{field}")

    def _quietly(self, path: Any) -> Shape:
        report, self._report = self._report, lambda _message, _where: None
        found = self._selected(path, self._given, "")
        self._report = report
        return found

    def _placed(self, path: Any, result: Shape) -> Shape:
        if path is ABSENT:
            return result
        if path is None:
            return self._given
        try:
            parsed = pathsyntax.parse(path)
        except pathsyntax.PathSyntaxError:
            return ANYTHING
        return (
            ANYTHING if parsed.steps is None or parsed.root != "$" else put(parsed.steps, self._given, result)
        )

    def _template(self, value: Any, scope: Shape, where: str) -> Shape:
        if isinstance(value, Mapping):
            members = {}
            for key, item in value.items():
                if key.endswith(".$") and isinstance(item, str):
                    members[key[:-2]] = self._expression(item, scope, f"{where}/{key}")
                else:
                    members[key] = self._template(item, scope, f"{where}/{key}")
            return Object(members)
        if isinstance(value, list):
            items = [self._template(each, scope, f"{where}[{index}]") for index, each in enumerate(value)]
            return Array(_joined(items))
        return PLAIN

    def _expression(self, text: str, scope: Shape, where: str) -> Shape:
        if intrinsicsyntax.is_intrinsic(text):
            self._call(text, scope, where)
            return ANYTHING
        try:
            path = pathsyntax.parse(text)
        except pathsyntax.PathSyntaxError:
            return ANYTHING
        root = {"$": scope, "$$": CONTEXT}.get(path.root, ANYTHING)
        found = follow(path.tokens, root)
        if found.missing is not None:
            self._report(_sentence(text, found.missing, found.known, path.root), f"{self._at}{where}")
        return found.shape

    def _call(self, text: str, scope: Shape, where: str) -> None:
        try:
            call = intrinsicsyntax.parse(text)
        except intrinsicsyntax.IntrinsicSyntaxError:
            return
        for each in intrinsicsyntax.calls(call):
            for argument in each.arguments:
                if isinstance(argument, intrinsicsyntax.Reference):
                    self._expression(argument.path, scope, where)


def _sentence(path: str, missing: str, known: tuple[str, ...], root: str) -> str:
    what = "the context object has" if root == "$$" else "what reaches this has"
    if not known:
        return f"'{path}' leads nowhere: there are no members at '{missing}'"
    listed = ", ".join(known[:_MOST_NAMES]) + (", …" if len(known) > _MOST_NAMES else "")
    hint = did_you_mean(missing, known) or f"; {what} {listed}"
    return f"'{path}' leads nowhere: no earlier state can have produced '{missing}'{hint}"


def _joined(shapes: list[Shape]) -> Shape:
    found: Shape | None = None
    for shape in shapes:
        found = shape if found is None else join(found, shape)
    return ANYTHING if found is None else found


def _comparisons(condition: model.Condition) -> Iterator[model.Comparison]:
    if isinstance(condition, model.Comparison):
        yield condition
    elif isinstance(condition, model.Not):
        yield from _comparisons(condition.condition)
    else:
        for each in condition.conditions:
            yield from _comparisons(each)
