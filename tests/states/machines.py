"""Random state machines: well-formed ones that come to an end, and damaged ones."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 1000)
    | st.sampled_from(["", "a", "é☃", "2026-01-01T00:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "n", "list"]), inner, max_size=2)
    ),
    max_leaves=4,
)
INPUTS = st.fixed_dictionaries(
    {
        "n": st.integers(0, 50),
        "flag": st.booleans(),
        "list": st.lists(VALUES, max_size=4),
        "s": st.text(max_size=3),
    }
)
ERRORS = ["Broken", "Lambda.TooManyRequestsException"]
NAMED = [["States.ALL"], ["States.TaskFailed"], ["States.Timeout"], ["Broken"], ["Broken", "States.Timeout"]]


class Specimen(NamedTuple):
    """A machine with all that it needs to be run."""

    definition: dict[str, Any]
    given: Any
    tasks: dict[str, list[dict[str, Any]]]


@st.composite
def specimens(draw: st.DrawFn) -> Specimen:
    """Draw a machine, its input, and what its tasks answer."""
    builder = _Builder(draw)
    definition = builder.machine(depth=2)
    if builder.language != "JSONPath":
        definition["QueryLanguage"] = builder.language
    if draw(st.integers(0, 9)) == 0:
        definition["TimeoutSeconds"] = draw(st.integers(1, 200))
    return Specimen(definition, draw(INPUTS), builder.tasks)


@st.composite
def damaged(draw: st.DrawFn) -> Specimen:
    """Draw a machine in which something was left out, replaced, or put in from somewhere else."""
    specimen = draw(specimens())
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(specimen.definition))
        holder, key = draw(st.sampled_from(places))
        what = draw(st.integers(0, 2))
        if what == 0:
            del holder[key]
        elif what == 1:
            holder[key] = draw(
                VALUES | st.sampled_from(["$.a[", "{% 1 + %}", "States.Format('{}')", "$$.State"])
            )
        else:
            other, name = draw(st.sampled_from(places))
            if name in other:
                holder[key] = copy.deepcopy(other[name])
        if not specimen.definition:
            break
    # A task that never ends may have lost its timeout.
    endless = {"return": None, "after_seconds": 10_000}
    tasks = {
        name: [endless if "forever" in each else each for each in answers]
        for name, answers in specimen.tasks.items()
    }
    return specimen._replace(tasks=tasks)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place inside a JSON value, as its holder and its key."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(value, dict):
            yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


class _Builder:
    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.language = draw(st.sampled_from(["JSONPath", "JSONata"]))
        self.tasks: dict[str, list[dict[str, Any]]] = {}
        self._names = 0

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def machine(self, depth: int) -> dict[str, Any]:
        """Return `StartAt` and `States`; every state leads to one of those after it, the last one ends."""
        names = [self._name() for _ in range(self.draw(st.integers(1, 4)))]
        variables: list[str] = []
        states = {name: self._state(name, names[at + 1 :], depth, variables) for at, name in enumerate(names)}
        return {"StartAt": names[0], "States": states}

    def _name(self) -> str:
        self._names += 1
        return f"S{self._names}"

    def _state(self, name: str, later: list[str], depth: int, variables: list[str]) -> dict[str, Any]:
        kinds = ["Pass", "Pass", "Wait", "Task"] + (["Choice"] if later else ["Succeed", "Fail"])
        kind = self.pick(*kinds, *(["Parallel", "Map"] if depth else []))
        state: dict[str, Any] = {"Type": kind, **getattr(self, f"_{kind.lower()}")(name, later, depth)}
        if kind not in ("Choice", "Succeed", "Fail"):
            state |= {"Next": later[0]} if later else {"End": True}
        if kind in ("Pass", "Wait", "Task") and self.draw(st.booleans()):
            state["Assign"] = {f"v{name}": self._value(variables)}
            variables.append(f"v{name}")
            if self.language == "JSONPath" and isinstance(state["Assign"][f"v{name}"], str):
                state["Assign"] = {f"v{name}.$": state["Assign"][f"v{name}"]}
        return state

    def _value(self, variables: list[str]) -> Any:
        """Return what to assign: the input, a variable that a state before may have set, or a constant."""
        paths = ["$", *(f"${name}" for name in variables)]
        if self.language == "JSONata":
            paths = ["{% $states.input %}", *(f"{{% ${name} %}}" for name in variables)]
        return self.pick(*paths, 7)

    def _pass(self, name: str, later: list[str], depth: int) -> dict[str, Any]:
        if self.language == "JSONata":
            twice = {"a": "{% $states.input %}", "b": "{% $states.input %}"}
            count = "{% $exists($states.input.n) ? $states.input.n + 1 : 0 %}"
            output = self.pick(
                None, twice, {"n": count, "list": [1, 2]}, "{% $states.input.missing %}", self.draw(VALUES)
            )
            return {} if output is None else {"Output": output}
        return dict(
            self.pick(
                {},
                {"Result": self.draw(VALUES)},
                {"Result": self.draw(VALUES), "ResultPath": "$.r"},
                {"Parameters": {"a.$": "$", "b.$": "$"}},
                {"Parameters": {"n.$": "States.MathAdd($.n, 1)", "list.$": "States.Array($, 2)"}},
                {"InputPath": "$.list[*]", "ResultPath": "$.list"},
                {"OutputPath": None},
                {"ResultPath": None},
                {"OutputPath": "$.missing"},
            )
        )

    def _wait(self, name: str, later: list[str], depth: int) -> dict[str, Any]:
        seconds = self.draw(st.integers(0, 100))
        if self.language == "JSONata":
            return dict(self.pick({"Seconds": seconds}, {"Seconds": "{% $states.input.n %}"}))
        return dict(
            self.pick({"Seconds": seconds}, {"SecondsPath": "$.n"}, {"Timestamp": "2026-01-01T00:00:30Z"})
        )

    def _task(self, name: str, later: list[str], depth: int) -> dict[str, Any]:
        state = {"Resource": f"arn:aws:lambda:us-east-1:123456789012:function:{name}", "TimeoutSeconds": 20}
        if self.draw(st.integers(0, 3)) == 0:
            state["Resource"] = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
            given = {"QueueUrl": "q", "MessageBody": "b"}
            state["Arguments" if self.language == "JSONata" else "Parameters"] = given
            state["HeartbeatSeconds"] = 10
        after = st.integers(0, 25)
        answer = st.one_of(
            st.fixed_dictionaries({"return": VALUES, "after_seconds": after}),
            st.fixed_dictionaries(
                {"return": VALUES, "after_seconds": after, "heartbeats_seconds": st.just([8, 16])}
            ),
            st.fixed_dictionaries(
                {"throw": st.fixed_dictionaries({"error": st.sampled_from(ERRORS), "cause": st.just("why")})}
            ),
            st.just({"forever": True}),
        )
        self.tasks[name] = self.draw(st.lists(answer, min_size=1, max_size=5))
        return state | self._handlers(later, "NONE", "FULL")

    def _handlers(self, later: list[str], *jitter: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.draw(st.booleans()):
            found["Retry"] = [
                {
                    "ErrorEquals": self.pick(*NAMED),
                    "IntervalSeconds": self.draw(st.integers(1, 9)),
                    "MaxAttempts": self.draw(st.integers(0, 2)),
                    "JitterStrategy": self.pick(*jitter),
                }
            ]
        if later and self.draw(st.booleans()):
            found["Catch"] = [{"ErrorEquals": self.pick(*NAMED), "Next": self.pick(*later)}]
        return found

    def _choice(self, name: str, later: list[str], depth: int) -> dict[str, Any]:
        if self.language == "JSONata":
            condition = self.pick(
                "{% $states.input.n > 10 %}", "{% $states.input.flag = true %}", True, "{% 1 %}"
            )
            return {"Choices": [{"Condition": condition, "Next": self.pick(*later)}], "Default": later[0]}
        test = self.pick(
            {"Variable": "$.n", "NumericGreaterThan": 10},
            {"Variable": "$.flag", "BooleanEquals": True},
            {"Variable": "$.list", "IsPresent": True},
            {"Not": {"Variable": "$.s", "StringMatches": "*a*"}},
            {
                "And": [
                    {"Variable": "$.n", "IsPresent": True},
                    {"Variable": "$.n", "NumericLessThanPath": "$.n"},
                ]
            },
        )
        return {"Choices": [{**test, "Next": self.pick(*later)}], "Default": later[0]}

    def _succeed(self, name: str, later: list[str], depth: int) -> dict[str, Any]:
        return {}

    def _fail(self, name: str, later: list[str], depth: int) -> dict[str, Any]:
        return dict(self.pick({}, {"Error": "Broken", "Cause": "why"}))

    def _parallel(self, name: str, later: list[str], depth: int) -> dict[str, Any]:
        branches = [self.machine(depth - 1) for _ in range(self.draw(st.integers(1, 3)))]
        return {"Branches": branches} | self._handlers(later, "NONE")

    def _map(self, name: str, later: list[str], depth: int) -> dict[str, Any]:
        processor = self.machine(depth - 1)
        state: dict[str, Any] = {"ItemProcessor": processor, "MaxConcurrency": self.draw(st.integers(0, 2))}
        if self.draw(st.integers(0, 3)) == 0:
            processor["ProcessorConfig"] = {
                "Mode": "DISTRIBUTED",
                "ExecutionType": "STANDARD",
            }
            state["ToleratedFailurePercentage"] = self.pick(0, 50, 100)
        if self.language == "JSONata":
            state["Items"] = self.pick([1, {"n": 2}], "{% $states.input.list %}", "{% [] %}")
        else:
            state |= self.pick({"ItemsPath": "$.list"}, {})
        return state | self._handlers(later, "NONE")
