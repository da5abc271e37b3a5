"""What the tests of drawings share: definitions, and what can be read out of a picture again."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from retrain.states.model import StateMachine, build, parse

DEFINITIONS = sorted((Path(__file__).parent / "definitions").iterdir())
SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def machine(states: dict[str, Any], **fields: Any) -> StateMachine:
    """A machine that begins with the first of its states."""
    return parse({"StartAt": next(iter(states)), "States": states, **fields})


def unchecked(states: dict[str, Any], **fields: Any) -> StateMachine:
    """The same without a look at whether AWS would take it."""
    return build({"StartAt": next(iter(states)), "States": states, **fields})


def chain(*names: str, **last: Any) -> dict[str, Any]:
    """Pass states, one after the other."""
    states: dict[str, Any] = {
        name: {"Type": "Pass", "Next": after} for name, after in itertools.pairwise(names)
    }
    return {**states, names[-1]: {"Type": "Pass", "End": True, **last}}


class Picture:
    """An SVG, taken apart."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root = ET.fromstring(text)

    def groups(self, kind: str) -> list[ET.Element]:
        return [each for each in self.root.iter(f"{SVG}g") if kind in each.get("class", "").split()]

    def state(self, name: str) -> ET.Element:
        (found,) = (each for each in self.groups("state") if each.get("data-state") == name)
        return found

    def names(self) -> list[str]:
        return [each.get("data-state", "") for each in self.groups("state")]

    def words(self, element: ET.Element | None = None) -> list[str]:
        """Every line of text that is directly in an element, or anywhere."""
        if element is None:
            return [each.text or "" for each in self.root.iter(f"{SVG}text")]
        return [each.text or "" for each in element.findall(f"{SVG}text")]

    def title(self, element: ET.Element) -> str:
        return element.findtext(f"{SVG}title") or ""

    @property
    def size(self) -> tuple[float, float]:
        return float(self.root.get("width", 0)), float(self.root.get("height", 0))

    def boxes(self) -> dict[str, tuple[float, float, float, float]]:
        """Left, top, right and bottom of each state, in the picture's own coordinates."""
        return {
            each.get("data-state", ""): (x, y, x + width, y + height)
            for each, x, y in self._placed(self.root, 0, 0)
            if "state" in each.get("class", "").split()
            for width, height in [_extent(each)]
        }

    def points(self) -> list[tuple[float, float]]:
        """Points on every edge, in the picture's own coordinates."""
        return [
            (x + px, y + py)
            for each, x, y in self._placed(self.root, 0, 0)
            if "edge" in each.get("class", "").split()
            for path in each.findall(f"{SVG}path")
            for px, py in _on_curve([(float(a), float(b)) for a, b in _pairs(path.get("d", ""))])
        ]

    def _placed(self, element: ET.Element, x: float, y: float) -> Iterator[tuple[ET.Element, float, float]]:
        for each in element.findall(f"{SVG}g"):
            dx, dy = map(float, NUMBER.findall(each.get("transform", "translate(0 0)")))
            yield each, x + dx, y + dy
            yield from self._placed(each, x + dx, y + dy)


def _extent(state: ET.Element) -> tuple[float, float]:
    (box,) = (each for each in state if each.get("class") == "box")
    if box.tag == f"{SVG}rect":
        return float(box.get("width", 0)), float(box.get("height", 0))
    corners = _pairs(box.get("points", ""))
    return max(float(x) for x, _ in corners), max(float(y) for _, y in corners)


def _on_curve(points: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Points on a curve of Bezier's, or the corners of a triangle."""
    if len(points) % 3 == 0:
        yield from points
    for at in range(0, len(points) - 3, 3):
        p, q, r, s = points[at : at + 4]
        for t in (0, 0.25, 0.5, 0.75, 1):
            weights = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
            yield tuple(
                sum(w * each[i] for w, each in zip(weights, (p, q, r, s), strict=True)) for i in (0, 1)
            )


def _pairs(text: str) -> list[tuple[str, str]]:
    found = NUMBER.findall(text)
    return list(zip(found[::2], found[1::2], strict=True))


def overlapping(boxes: dict[str, tuple[float, float, float, float]]) -> list[tuple[str, str]]:
    """Pairs of boxes that overlap and of which none is inside of the other."""
    found = []
    named = list(boxes.items())
    for at, (one, a) in enumerate(named):
        for other, b in named[at + 1 :]:
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            if not apart and not _inside(a, b) and not _inside(b, a):
                found.append((one, other))
    return found


def _inside(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] >= b[0] and a[1] >= b[1] and a[2] <= b[2] and a[3] <= b[3]
