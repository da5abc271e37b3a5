"""The eight types of state, and the machines that hold them.

Fields have the language's names in Python's spelling (`ResultPath` is `result_path`) and hold what the
definition says; nothing is evaluated. A field not given is None, or `ABSENT` where null can be given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from retrain.states.model.conditions import ChoiceRule
from retrain.states.model.handlers import Catcher, Retrier
from retrain.states.model.items import (
    ExecutionType,
    ItemBatcher,
    ItemReader,
    Mode,
    ProcessorConfig,
    ResultWriter,
)
from retrain.states.model.values import ABSENT, JSONPATH, Absent, Given, Json, PathField, QueryLanguage


@dataclass(frozen=True, slots=True, kw_only=True)
class StateBase:
    """What every state has.

    Attributes
    ----------
    type
        The value of `Type`.
    name
        The state's key in `States`.
    query_language
        The state's own, or its machine's.
    next
        Name of the state that follows; None in Choice, Succeed, Fail, and where `end` is true.
    end
        The machine ends after this state. Succeed and Fail end it without this.
    """

    type: ClassVar[str]

    name: str
    query_language: QueryLanguage = JSONPATH
    comment: str | None = None
    next: str | None = None
    end: bool = False
    given: Given = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass(StateBase):
    """Passes its input on, or a result that the definition gives."""

    type: ClassVar[str] = "Pass"

    input_path: PathField = ABSENT
    parameters: Json | Absent = ABSENT
    result: Json | Absent = ABSENT
    result_path: PathField = ABSENT
    output_path: PathField = ABSENT
    output: Json | Absent = ABSENT
    assign: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(StateBase):
    """Has work done by a resource; `timeout_seconds` and `heartbeat_seconds` may be JSONata strings."""

    type: ClassVar[str] = "Task"

    resource: str
    input_path: PathField = ABSENT
    parameters: Json | Absent = ABSENT
    arguments: Json | Absent = ABSENT
    credentials: Json | Absent = ABSENT
    timeout_seconds: int | str | None = None
    timeout_seconds_path: str | None = None
    heartbeat_seconds: int | str | None = None
    heartbeat_seconds_path: str | None = None
    result_selector: Json | Absent = ABSENT
    result_path: PathField = ABSENT
    output_path: PathField = ABSENT
    output: Json | Absent = ABSENT
    assign: Mapping[str, Json] | None = None
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(StateBase):
    """Waits for some seconds or until a time; exactly one of the four fields is given."""

    type: ClassVar[str] = "Wait"

    seconds: int | str | None = None
    seconds_path: str | None = None
    timestamp: str | None = None
    timestamp_path: str | None = None
    input_path: PathField = ABSENT
    output_path: PathField = ABSENT
    output: Json | Absent = ABSENT
    assign: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(StateBase):
    """Goes on by the first rule that holds, else to `default`, for which `output` and `assign` are."""

    type: ClassVar[str] = "Choice"

    choices: tuple[ChoiceRule, ...]
    default: str | None = None
    input_path: PathField = ABSENT
    output_path: PathField = ABSENT
    output: Json | Absent = ABSENT
    assign: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeed(StateBase):
    """Ends the machine well."""

    type: ClassVar[str] = "Succeed"

    input_path: PathField = ABSENT
    output_path: PathField = ABSENT
    output: Json | Absent = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(StateBase):
    """Ends the machine with an error; the paths may be intrinsic functions."""

    type: ClassVar[str] = "Fail"

    error: str | None = None
    error_path: str | None = None
    cause: str | None = None
    cause_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel(StateBase):
    """Runs its branches side by side, each with the same input; the result is the list of their outputs."""

    type: ClassVar[str] = "Parallel"

    branches: tuple[Branch, ...]
    input_path: PathField = ABSENT
    parameters: Json | Absent = ABSENT
    arguments: Json | Absent = ABSENT
    result_selector: Json | Absent = ABSENT
    result_path: PathField = ABSENT
    output_path: PathField = ABSENT
    output: Json | Absent = ABSENT
    assign: Mapping[str, Json] | None = None
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Map(StateBase):
    """Runs its item processor once for each item; the numbers may be JSONata strings.

    Attributes
    ----------
    item_processor
        Written `Iterator` in older definitions.
    item_selector
        What an iteration gets in the item's place, not evaluated; written `Parameters` in older definitions.
    items_path, items
        Where the items are in the input: a path in JSONPath; an array or an expression in JSONata.
    max_concurrency
        Iterations at the same time; 0 and None set no limit of the definition's own.
    tolerated_failure_count, tolerated_failure_percentage
        Beyond either, a distributed Map fails; None means 0.
    label
        Part of the names of a distributed Map's run and child executions.
    """

    type: ClassVar[str] = "Map"

    item_processor: ItemProcessor
    input_path: PathField = ABSENT
    items_path: str | None = None
    items: Json | Absent = ABSENT
    item_reader: ItemReader | None = None
    item_selector: Json | Absent = ABSENT
    item_batcher: ItemBatcher | None = None
    result_writer: ResultWriter | None = None
    max_concurrency: int | str | None = None
    max_concurrency_path: str | None = None
    tolerated_failure_count: int | str | None = None
    tolerated_failure_count_path: str | None = None
    tolerated_failure_percentage: float | str | None = None
    tolerated_failure_percentage_path: str | None = None
    label: str | None = None
    result_selector: Json | Absent = ABSENT
    result_path: PathField = ABSENT
    output_path: PathField = ABSENT
    output: Json | Absent = ABSENT
    assign: Mapping[str, Json] | None = None
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


State: TypeAlias = Pass | Task | Wait | Choice | Succeed | Fail | Parallel | Map


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """States and the one to begin with: a state machine, a branch, or an item processor."""

    start_at: str
    states: Mapping[str, State]
    comment: str | None = None
    given: Given = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch(Machine):
    """One of the machines that a Parallel state runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemProcessor(Machine):
    """The machine that a Map state runs for each of its items."""

    processor_config: ProcessorConfig | None = None

    @property
    def mode(self) -> Mode:
        """`DISTRIBUTED` if each iteration is an execution of its own."""
        return self.processor_config.mode if self.processor_config else "INLINE"

    @property
    def execution_type(self) -> ExecutionType | None:
        """The kind of those executions; None in inline mode."""
        return self.processor_config.execution_type if self.processor_config else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMachine(Machine):
    """A whole definition; `timeout_seconds` limits each execution, None means no limit but AWS's own."""

    version: str | None = None
    timeout_seconds: int | None = None
    query_language: QueryLanguage = JSONPATH
