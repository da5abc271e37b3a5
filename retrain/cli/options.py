"""Options that several commands share, and the cloud that they mean."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from retrain.aws import DEFAULT_STACK, Stack, connect
from retrain.cli.output import Output
from retrain.project import state_dir

WHICH_CLOUD = "Which cloud"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
StackName = Annotated[
    str,
    typer.Option(
        "--stack-name",
        envvar="RETRAIN_STACK_NAME",
        help="The CloudFormation stack.",
        rich_help_panel=WHICH_CLOUD,
    ),
]
UseAws = Annotated[
    bool, typer.Option("--aws", help="AWS, even while a local cloud runs here.", rich_help_panel=WHICH_CLOUD)
]
Profile = Annotated[str | None, typer.Option(help="AWS profile; means --aws.", rich_help_panel=WHICH_CLOUD)]
Region = Annotated[str | None, typer.Option(help="AWS region.", rich_help_panel=WHICH_CLOUD)]
Dataset = Annotated[str, typer.Option("--dataset", help="The dataset's name.")]

STACK_NAME: str = DEFAULT_STACK


def stack_of(output: Output, stack_name: str, *, aws: bool, profile: str | None, region: str | None) -> Stack:
    """Return the stack that the shared options mean, and say where it is if that is not AWS."""
    stack = connect(stack_name, use_aws=aws, profile=profile, region=region)
    if stack.target.local_cloud:
        output.say(f"Using the local cloud on {stack.target.endpoint_url} (--aws for AWS).")
    elif url := os.environ.get("AWS_ENDPOINT_URL"):
        output.say(f"Using {url}, as AWS_ENDPOINT_URL says (unset it for AWS).")
    elif not (aws or profile) and state_dir().is_dir():
        output.say("Using AWS: the local cloud of this folder is down ('retrain local up' starts it).")
    return stack


@dataclass(frozen=True)
class Cloud:
    """What the shared options of a command mean.

    Attributes
    ----------
    output
        Where the command speaks.
    """

    output: Output
    _stack_name: str
    _aws: bool
    _profile: str | None
    _region: str | None

    def stack(self) -> Stack:
        """Return the stack; not before the command's own arguments are found to be right."""
        return stack_of(
            self.output, self._stack_name, aws=self._aws, profile=self._profile, region=self._region
        )


_SHARED: dict[str, tuple[Any, Any]] = {
    "stack_name": (StackName, STACK_NAME),
    "aws": (UseAws, False),
    "profile": (Profile, None),
    "region": (Region, None),
    "as_json": (AsJson, False),
}


def on_a_stack(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options by which a stack is found; it takes them as a first `Cloud`."""
    signature = inspect.signature(command, eval_str=True)
    own = list(signature.parameters.values())[1:]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in _SHARED.items()
    ]

    @functools.wraps(command)
    def called(**given: Any) -> None:
        stack_name, aws, profile, region, as_json = (given.pop(name) for name in _SHARED)
        command(Cloud(Output(as_json=as_json), stack_name, aws, profile, region), **given)

    parameters = [*own, *shared]
    called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in parameters}
    return called
