"""HTML that cannot be broken by what it shows: every value is escaped unless it is markup already.

`element` escapes whatever is not `Html`, and only the functions here make `Html`. Joining or formatting such
texts gives an ordinary text again, which would be escaped, and seen, rather than trusted.
"""

import html
import re
from collections.abc import Iterable

_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Characters that HTML does not allow, and halves of characters, which no file can hold."""

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that make the text after them run the other way, and so could disguise it."""

_EMPTY = frozenset({"br", "circle", "line", "link", "meta", "path", "polyline", "rect"})
"""Elements that have no content, of HTML and of the SVG in it."""


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | int | None
Attribute = str | int | float | bool | None


def text(value: object) -> Html:
    """Escape a value."""
    plain = _TURNING.sub("\ufffd", _UNSEEN.sub("\ufffd", str(value)))
    return Html(html.escape(plain, quote=True))


def element(tag: str, /, *children: Child, **attributes: Attribute) -> Html:
    """Make an element.

    Parameters
    ----------
    tag : str
        Its name.
    children : Html, str, int or None
        Its content; None is left out, everything but `Html` is escaped.
    attributes : str, number, bool or None
        ``class_`` stands for ``class``, other underscores for hyphens. None and False are left out, and True
        is an attribute without a value.
    """
    parts = [f"<{tag}"]
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        written = name.rstrip("_").replace("_", "-")
        parts.append(f" {written}" if value is True else f' {written}="{text(value)}"')
    if tag in _EMPTY:
        # HTML overlooks the slash; without it, SVG would take what follows for the element's content.
        return Html("".join([*parts, "/>"]))
    content = "".join(_markup(child) for child in children if child is not None)
    return Html(f"{''.join(parts)}>{content}</{tag}>")


def together(children: Iterable[Child]) -> Html:
    """Put contents one after another."""
    return Html("".join(_markup(child) for child in children if child is not None))


def code(value: object) -> Html:
    """Show a name or a text of a machine's as it is."""
    return element("code", str(value))


def _markup(child: Child) -> str:
    return child if isinstance(child, Html) else text(child)
