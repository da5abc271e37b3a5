"""Logs and metrics, the same way in every function: one correlation id, no events, no surprises."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining.errors import RetrainError

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
    if isinstance(event, Mapping):
        for part in (event.get("execution"), event.get("detail")):
            if isinstance(part, Mapping) and isinstance(part.get("name"), str):
                return str(part["name"])
    return str(getattr(context, "aws_request_id", ""))
