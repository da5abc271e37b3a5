"""Definitions that were written elsewhere: in Workflow Studio, or by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from retrain.states.model.substitutions import substitute
from retrain.states.validation import Kind, examine
from retrain.workflow.errors import AuthoringError
from retrain.workflow.steps.graph import FrozenGraph, raise_errors


def read(
    source: str | Path, *, substitutions: Mapping[str, str] | None = None, kind: Kind = "STANDARD"
) -> tuple[FrozenGraph, str | None]:
    """Read a definition.

    Parameters
    ----------
    source
        A file, or the text itself; JSON or YAML.
    substitutions
        What its `${Name}` tokens stand for; those without a value stay, and are checked as placeholders.
    kind
        What the state machine is to be.

    Returns
    -------
    graph : FrozenGraph
        The definition, unchanged.
    name : str or None
        The file's name without its endings.

    Raises
    ------
    InvalidDefinitionError
        AWS would refuse it.
    AuthoringError
        The file cannot be read.
    """
    text, name = _text(source)
    filled, _ = substitute(text, substitutions or {})
    document, diagnostics = examine(filled, kind=kind)
    raise_errors(diagnostics)
    # Tokens outside of quotes are no JSON before they are filled in; then they cannot be kept.
    original = examine(text, kind=kind)[0]
    kept = document if original is None else original
    assert kept is not None  # noqa: S101  (else there are errors)
    return FrozenGraph(kept, substitutions), name


def _text(source: str | Path) -> tuple[str, str | None]:
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith(("{", "["))):
        return source, None
    path = Path(source)
    try:
        return path.read_text(encoding="utf-8"), path.name.split(".")[0]
    except OSError as error:
        raise AuthoringError(
            f"{path} cannot be read: {error.strerror or error}. A definition is the path of a file, or the "
            "text itself."
        ) from None
    except UnicodeDecodeError:
        raise AuthoringError(f"{path} is no text in UTF-8, so it is no definition.") from None


def definition_of(source: object) -> FrozenGraph:
    """Return the graph of a definition that came as an object or as JSON text."""
    if isinstance(source, str):
        return FrozenGraph(json.loads(source))
    if isinstance(source, Mapping):
        return FrozenGraph(source)
    raise AuthoringError(
        "A workflow's definition is a state, a chain, a graph, or a definition as a dictionary or JSON text; "
        f"not {type(source).__name__}."
    )
