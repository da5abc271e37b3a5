"""What all values have in common that are known only when an execution runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NoReturn

from retrain.workflow.errors import PlaceholderError


class Dynamic(ABC):
    """A value that an execution computes.

    Attributes
    ----------
    type
        The Python type that the value will have, as far as it is known.
    """

    type: type | None = None

    @abstractmethod
    def to_jsonpath(self) -> str:
        """Return what stands for the value in a state of the query language JSONPath."""

    @abstractmethod
    def to_jsonata(self) -> str:
        """Return what stands for the value in an expression of JSONata, without `{% %}` around it."""

    def __format__(self, _: str) -> NoReturn:
        """Refuse to become part of a text: that would write the placeholder's own name there."""
        raise PlaceholderError(
            f"{self!r} has no value before an execution runs, so it cannot be part of a text here. For a "
            "text around it, use retrain.workflow.inputs.Format('s3://{}/data', placeholder)."
        )
