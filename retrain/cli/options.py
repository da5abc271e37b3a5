"""Options that several commands share."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from retrain.aws import DEFAULT_STACK, Stack, connect
from retrain.cli.output import Output

_CLOUD = "Which cloud"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
StackName = Annotated[
    str,
    typer.Option(
        "--stack-name", envvar="RETRAIN_STACK_NAME", help="The CloudFormation stack.", rich_help_panel=_CLOUD
    ),
]
UseAws = Annotated[
    bool, typer.Option("--aws", help="AWS, even while a local cloud runs here.", rich_help_panel=_CLOUD)
]
Profile = Annotated[str | None, typer.Option(help="AWS profile; means --aws.", rich_help_panel=_CLOUD)]
Region = Annotated[str | None, typer.Option(help="AWS region.", rich_help_panel=_CLOUD)]
Dataset = Annotated[str, typer.Option("--dataset", help="The dataset's name.")]

STACK_NAME: str = DEFAULT_STACK


def stack_of(output: Output, stack_name: str, *, aws: bool, profile: str | None, region: str | None) -> Stack:
    """Return the stack that the shared options mean, and say where it is if that is not AWS."""
    stack = connect(stack_name, use_aws=aws, profile=profile, region=region)
    if stack.target.local_cloud:
        output.say(f"Using the local cloud on {stack.target.endpoint_url} (--aws for AWS).")
    elif url := os.environ.get("AWS_ENDPOINT_URL"):
        output.say(f"Using {url}, as AWS_ENDPOINT_URL says (unset it for AWS).")
    return stack
