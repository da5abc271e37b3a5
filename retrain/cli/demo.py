"""`retrain demo`."""

from __future__ import annotations


def demo() -> None:
    """Show the whole way on MNIST: upload, train, judge, deploy, ask; then refuse spoiled data.

    Runs in a local cloud of its own, beside any other, and leaves nothing running. About two minutes.
    """
    from retrain.cli.output import Output
    from retrain.demo import tour

    tour.run(Output())
