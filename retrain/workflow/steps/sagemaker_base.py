"""What the steps for SageMaker have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retrain.states.model.values import JSONATA
from retrain.workflow.steps.task import ServiceStep

if TYPE_CHECKING:
    from retrain.workflow.estimators.session import Session
    from retrain.workflow.estimators.source import Source


class SageMakerStep(ServiceStep, service="sagemaker"):
    """What the steps for SageMaker have in common.

    Parameters
    ----------
    state_id : str
        The state's name.
    request : dict
        What the step's own arguments say; `parameters` among `fields` has priority, member by member.
    """

    def __init__(self, state_id: str, request: Mapping[str, Any], **fields: Any) -> None:
        name = "arguments" if fields.get("query_language") == JSONATA else "parameters"
        fields[name] = _merged(request, fields.get(name) or {})
        super().__init__(state_id, **fields)

    @property
    def uploads(self) -> list[tuple[Source, Session]]:
        """Source code that must be in S3 before the step can run, and where it is uploaded with."""
        return []


def _merged(request: Mapping[str, Any], further: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request with members put in or replaced, also inside of objects."""
    merged = dict(request)
    for name, value in further.items():
        merged.pop(name.removesuffix(".$"), None)
        before = request.get(name)
        inside = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[name] = _merged(before, value) if inside else value  # type: ignore[arg-type]
    return merged
