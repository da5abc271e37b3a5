"""Logs and metrics, the same way in every function: the run's id, no events, no surprises."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from retraining.errors import RetrainError
from retraining.run_metrics import Figure

Result = TypeVar("Result")
Handler = Callable[[dict[str, Any], Any], Result]


def observed(logger: Logger, metrics: Metrics) -> Callable[[Handler[Result]], Handler[Result]]:
    """Wrap a handler: correlation id before, metrics after, failures counted by name.

    The event itself is never logged: it may hold what is not for logs.

    Parameters
    ----------
    logger, metrics
        The function's own.
    """

    def decorate(handler: Handler[Result]) -> Handler[Result]:
        @functools.wraps(handler)
        def wrapper(event: dict[str, Any], context: Any) -> Result:
            logger.set_correlation_id(correlation_id(event, context))
            with about_run(logger, run_id(event)):
                try:
                    result = handler(event, context)
                except RetrainError as error:
                    metrics.add_metric(name=type(error).__name__, unit=MetricUnit.Count, value=1)
                    logger.error(str(error), error=type(error).__name__)
                    raise
                except Exception:
                    metrics.add_metric(name="UnexpectedError", unit=MetricUnit.Count, value=1)
                    logger.exception("The function failed unexpectedly")
                    raise
                finally:
                    metrics.flush_metrics()
            return result

        return wrapper

    return decorate


def correlation_id(event: object, context: Any) -> str:
    """Return the execution's name, or the invocation's id where no execution is involved yet."""
    return run_id(event) or str(getattr(context, "aws_request_id", ""))


def run_id(event: object) -> str:
    """Return the name of the execution that an event is about, its run's id; empty if there is none."""
    if isinstance(event, Mapping):
        for part in (event.get("execution"), event.get("detail")):
            if isinstance(part, Mapping) and isinstance(part.get("name"), str):
                return str(part["name"])
    return ""


@contextmanager
def about_run(logger: Logger, run: str) -> Iterator[None]:
    """Let every line that is logged inside carry a run's id; an empty one is none."""
    if not run:
        yield
        return
    logger.append_keys(run_id=run)
    try:
        yield
    finally:
        # The logger outlives the invocation, and what the next one logs may be about no run.
        logger.remove_keys(["run_id"])


def send(figures: Iterable[Figure], stack_name: str, **facts: str) -> None:
    """Send figures to CloudWatch by way of the log, each with dimensions of its own.

    Parameters
    ----------
    stack_name : str
        Becomes the dimension ``service``, as in the functions' other metrics.
    **facts
        Stand beside the figures in the log, and are no dimensions.
    """
    for figure in figures:
        dimensions = {"service": stack_name, **figure.dimensions}
        unit = MetricUnit(figure.unit)
        with single_metric(figure.name, unit, figure.value, default_dimensions=dimensions) as sent:
            for name, value in facts.items():
                sent.add_metadata(name, value)
