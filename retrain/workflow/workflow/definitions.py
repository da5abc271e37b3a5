"""Definitions as a workflow takes them, and as it sends them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from retrain.states.validation import Kind
from retrain.workflow.steps.chain import Chain
from retrain.workflow.steps.graph import FrozenGraph, Graph, raise_errors
from retrain.workflow.steps.state import State
from retrain.workflow.workflow import reading

logger = logging.getLogger("retrain.workflow")


def as_graph(definition: Any, fields: Mapping[str, Any]) -> Graph:
    """Return the graph of a definition in any form.

    Parameters
    ----------
    definition
        States, a chain, a graph, an object or JSON text.
    fields
        Fields of the state machine as a whole, for states and chains, which have none; None is not given.
    """
    if isinstance(definition, Graph):
        return definition
    if isinstance(definition, State | Chain):
        return Graph(definition, **{name: value for name, value in fields.items() if value is not None})
    return reading.definition_of(definition)


def document(graph: Graph) -> dict[str, Any]:
    """Return a definition as it is sent: with its `${Name}` tokens filled in."""
    return graph.filled_in() if isinstance(graph, FrozenGraph) else graph.to_dict()


def checked_text(graph: Graph, kind: Kind, *, pretty: bool) -> str:
    """Return a definition as JSON text; log what is doubtful in it.

    Raises
    ------
    InvalidDefinitionError
        AWS would refuse it.
    """
    diagnostics = graph.validate(kind)
    raise_errors(diagnostics)
    for each in diagnostics:
        logger.warning("%s", each)
    return json.dumps(document(graph), indent=4 if pretty else None, ensure_ascii=False)


def arn_in(error: Any) -> str | None:
    """Return the ARN that StateMachineAlreadyExists names."""
    message = str(error.response.get("Error", {}).get("Message", ""))
    quoted = message.split("'")[1::2]
    return next((each for each in quoted if each.startswith("arn:")), None)
