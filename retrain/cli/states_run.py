"""`retrain states run`: one execution of a state machine, in this program."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from retrain.cli.options import AsJson, Profile, Region, UseAws
from retrain.cli.output import Output
from retrain.errors import ExecutionInputError, MockedCaseError

if TYPE_CHECKING:
    from retrain.states.execution import Engine, Execution
    from retrain.states.model import Machine, StateMachine

EXIT_FAILED = 1
STANDARD_INPUT = "-"
_MOCKS = "Results from a file"


def run(
    file: Annotated[
        str, typer.Argument(help="A definition in JSON or YAML; - for standard input.", metavar="FILE")
    ],
    *,
    given: Annotated[
        str,
        typer.Option("--input", help="The input: JSON, or @FILE with JSON, or - for standard input."),
    ] = "{}",
    mocks: Annotated[
        Path | None,
        typer.Option(
            help="Mock configuration of Step Functions Local; nothing is called, waiting takes no time.",
            rich_help_panel=_MOCKS,
        ),
    ] = None,
    case: Annotated[
        str | None, typer.Option(help="Its test case.", metavar="NAME", rich_help_panel=_MOCKS)
    ] = None,
    machine_name: Annotated[
        str | None,
        typer.Option(
            "--machine",
            help="Its state machine, if several have such a case.",
            metavar="NAME",
            rich_help_panel=_MOCKS,
        ),
    ] = None,
    express: Annotated[bool, typer.Option("--express", help="As an Express state machine.")] = False,
    substitutions: Annotated[
        list[str] | None,
        typer.Option(
            "--substitute",
            help="What a ${NAME} stands for; may be given several times.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    aws: UseAws = False,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Run a state machine once and print its output.

    Tasks are run for good, in the local cloud or in AWS, unless a mock configuration gives their results.
    With --json, everything that happened is printed too. Ends with 1 if the execution does not succeed.
    """
    from retrain.cli.states import machine_of, read_definition

    output = Output(as_json=as_json)
    if file == given == STANDARD_INPUT:
        raise ExecutionInputError("The definition and the input cannot both come from standard input.")
    if (mocks is None) != (case is None):
        raise MockedCaseError("--mocks and --case belong together: the file, and the test case in it.")
    text = read_definition(output, file, substitutions)
    machine = machine_of(output, file, text, express=express)
    value = _input(given)
    if mocks is not None:
        engine = _mocked(mocks, str(case), machine_name)
    else:
        engine = _real(output, machine, aws=aws, profile=profile, region=region)
    execution = engine.run_to_end(machine, value, express=express)
    _print(output, execution)
    if execution.status != "SUCCEEDED":
        raise typer.Exit(EXIT_FAILED)


def _input(given: str) -> Any:
    try:
        if given == STANDARD_INPUT:
            given = sys.stdin.read()
        elif given.startswith("@"):
            given = Path(given[1:]).read_text(encoding="utf-8")
        return json.loads(given)
    except OSError as error:
        raise ExecutionInputError(f"{given[1:]} cannot be read: {error.strerror or error}.") from None
    except ValueError as error:
        raise ExecutionInputError(f"The input is not JSON: {error}.") from None


def _mocked(mocks: Path, case: str, machine: str | None) -> Engine:
    from retrain.states.execution import Engine, SeededEntropy, VirtualClock
    from retrain.states.mocks import MockConfiguration, MockConfigurationError

    try:
        runner = MockConfiguration.read(mocks).runner(case, machine)
    except MockConfigurationError as error:
        raise MockedCaseError(str(error)) from None
    return Engine(runner, clock=VirtualClock(), entropy=SeededEntropy())


def _real(
    output: Output, machine: StateMachine, *, aws: bool, profile: str | None, region: str | None
) -> Engine:
    from retrain.states.execution import Engine

    if not _calls_something(machine):
        return Engine()
    from retrain.cli.options import STACK_NAME, stack_of
    from retrain.states.tasks import BotoCaller, BotoClients, S3Items, ServiceTasks

    stack = stack_of(output, STACK_NAME, aws=aws, profile=profile, region=region)
    caller = BotoCaller(BotoClients(stack.region, stack.target.endpoint_url, stack.session))
    return Engine(ServiceTasks(caller), items=S3Items(caller))


def _calls_something(machine: Machine) -> bool:
    """Whether a machine has a state that needs a cloud."""
    from retrain.states.model import Map, Parallel, Task

    for state in machine.states.values():
        if isinstance(state, Task):
            return True
        if isinstance(state, Parallel) and any(map(_calls_something, state.branches)):
            return True
        if isinstance(state, Map):
            stores = state.item_reader is not None or state.result_writer is not None
            if stores or _calls_something(state.item_processor):
                return True
    return False


def _print(output: Output, execution: Execution) -> None:
    seconds = (execution.stopped or execution.started) - execution.started
    reason = ": ".join(part for part in (execution.error, execution.cause) if part)
    if output.as_json:
        output.json(
            {
                "status": execution.status,
                "seconds": round(seconds, 3),
                "output": execution.output,
                "error": execution.error,
                "cause": execution.cause,
                "events": list(execution.history),
            }
        )
    elif execution.status == "SUCCEEDED":
        output.json(execution.output)
    style = "green" if execution.status == "SUCCEEDED" else "red"
    output.say(f"{execution.status} after {seconds:.1f} s{f': {reason}' if reason else ''}", style)
