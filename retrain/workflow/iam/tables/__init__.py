"""What each optimised integration needs of a role: one table for each kind of service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from retrain.workflow.iam.tables import compute, data, learning, messages
from retrain.workflow.iam.tables.rights import Right, Rights

RIGHTS: Final[Mapping[tuple[str, str], Rights]] = {
    **compute.RIGHTS,
    **data.RIGHTS,
    **learning.RIGHTS,
    **messages.RIGHTS,
}
"""By service and action of the resource."""

__all__ = ["RIGHTS", "Right", "Rights"]
