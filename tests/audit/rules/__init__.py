"""Our own rules for the transformed templates: what must hold of every resource, and no linter knows.

`findings(template)` gives a sentence for each resource that breaks one; `unexplained(text)` one for each `*`
in a template's text that stands without a reason.
"""

from __future__ import annotations

from typing import Any

from tests.audit.rules import keeping, rights, running
from tests.audit.rules.stars import unexplained

__all__ = ["findings", "unexplained"]


def findings(template: dict[str, Any]) -> list[str]:
    """Return what is wrong with a transformed template, as `resource: sentence`, sorted."""
    return sorted({found for part in (keeping, rights, running) for found in part.findings(template)})
