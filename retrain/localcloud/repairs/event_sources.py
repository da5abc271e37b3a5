"""Numbers of event source mappings that come from parameters of a stack are numbers.

CloudFormation hands parameters over as texts and converts them as each property wants. MiniStack keeps
`ScalingConfig.MaximumConcurrency` as the text that it was given, compares it with a number, and its poller
fails at every look at the queue.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from retrain.localcloud import seams

TYPE = "AWS::Lambda::EventSourceMapping"


def install() -> None:
    """Convert before MiniStack sees the properties."""
    handlers = seams.module(seams.PROVISIONERS)._RESOURCE_HANDLERS[TYPE]
    for verb in ("create", "update"):
        handlers[verb] = _converting(handlers[verb])


def _converting(handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    def convert(*arguments: Any, **named: Any) -> Any:
        return handler(
            *(converted(each) for each in arguments), **{key: converted(each) for key, each in named.items()}
        )

    return convert


def converted(properties: Any) -> Any:
    """Return properties with the concurrency as a number; anything else as it is."""
    scaling = properties.get("ScalingConfig") if isinstance(properties, dict) else None
    text = scaling.get("MaximumConcurrency") if isinstance(scaling, dict) else None
    if scaling is None or not isinstance(text, str) or not text.isdigit():
        return properties
    return {**properties, "ScalingConfig": {**scaling, "MaximumConcurrency": int(text)}}
