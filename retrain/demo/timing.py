"""Where the time went: every moment counted once.

Spans overlap (a Wait state lasts while an endpoint starts; data is fetched while the cloud starts). Each
moment between begin and end belongs to the first kind, in the order given, that has a span over it; moments
of no kind are the rest. So the parts always add up to the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from retrain.operations.times import now

REST = "everything else"

Span = tuple[datetime, datetime]


def partition(whole: Span, kinds: Mapping[str, Sequence[Span]]) -> dict[str, float]:
    """Share the time out among kinds of spans.

    Parameters
    ----------
    whole : (datetime, datetime)
        From when to when.
    kinds : mapping of str to spans
        In order of precedence. Spans may overlap, repeat, and reach beyond the whole.

    Returns
    -------
    dict
        Seconds of each kind, in the order given, then of `REST`; they add up to the whole.
    """
    start, end = whole
    clipped = {
        kind: [
            (max(start, begin), min(end, finish)) for begin, finish in spans if begin < end and finish > start
        ]
        for kind, spans in kinds.items()
    }
    edges = sorted({start, end, *(edge for spans in clipped.values() for span in spans for edge in span)})
    seconds = dict.fromkeys([*kinds, REST], 0.0)
    for begin, finish in pairwise(edges):
        owner = next(
            (kind for kind, spans in clipped.items() if any(a <= begin and finish <= b for a, b in spans)),
            REST,
        )
        seconds[owner] += (finish - begin).total_seconds()
    return seconds


@dataclass
class Stopwatch:
    """Collects spans while something goes on."""

    started_at: datetime = field(default_factory=now)
    spans: dict[str, list[Span]] = field(default_factory=dict)

    def add(self, kind: str, start: datetime, end: datetime) -> None:
        """Add a span that was measured elsewhere."""
        self.spans.setdefault(kind, []).append((start, end))

    @contextmanager
    def measure(self, kind: str) -> Iterator[None]:
        """Add the span from here to the end of the block, however it ends."""
        start = now()
        try:
            yield
        finally:
            self.add(kind, start, now())

    def seconds(self, kind: str) -> float:
        """Return the sum of a kind's spans, overlaps counted as often as they occur."""
        return sum((end - start).total_seconds() for start, end in self.spans.get(kind, []))
