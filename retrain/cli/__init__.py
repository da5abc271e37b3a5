"""The `retrain` command.

Exit codes: 0 done; 1 it could not be done (the reason is on standard error); 2 the command was used wrongly;
3 `watch` saw the run being rejected; 130 ended by Ctrl-C.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the `retrain` command."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments : list of str
        What follows `retrain` on the command line.

    Returns
    -------
    int
        See the module's text. An error that is meant for people has been printed, without a traceback.
    """
    from retrain.cli.app import app
    from retrain.errors import RetrainError

    try:
        app(arguments, prog_name="retrain")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except RetrainError as error:
        sys.stderr.write(f"retrain: {error}\n")
        return error.exit_code
    return 0
