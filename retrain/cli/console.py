"""`retrain console`."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from retrain.cli.options import Cloud, on_a_stack
from retrain.console.errors import ConsoleSetupError

PORT = 4580


@on_a_stack
def console(
    cloud: Cloud,
    *,
    port: Annotated[
        int, typer.Option(help="Port on 127.0.0.1; 0 takes any that is free.", min=0, max=65535)
    ] = PORT,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in the browser.")
    ] = False,
) -> None:
    """Show the runs, the champions and a canvas for digits in the browser, on this computer only.

    Ends with Ctrl-C.
    """
    output = cloud.output
    stack = cloud.stack()
    stack.output("StateMachineArn")  # a stack that is not there is said here, not by the page

    def ready(url: str) -> None:
        if output.as_json:
            output.json_line({"url": url})
        else:
            output.print(url)
            output.say("Ctrl-C ends it.")
        if open_browser:
            webbrowser.open(url)

    try:
        from retrain.console.server import serve
    except ImportError as error:
        raise ConsoleSetupError(
            f"The console needs a package that is not installed ({error}): pip install 'retrain[console]'."
        ) from error
    serve(stack, port, ready)
