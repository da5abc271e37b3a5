"""Pages that may talk to nobody."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

PHONE, DESK = 360, 1280
MEASURING = Path(__file__).with_name("measuring.js").read_text()


@dataclass
class Opened:
    """A page, and whatever it did that a card must not do."""

    page: Page
    told: list[str] = field(default_factory=list)
    """Console messages, errors, and dialogs."""
    asked: list[str] = field(default_factory=list)
    """URLs that it asked for, itself left out."""

    def measured(self, what: str) -> Any:
        """Call a function of measuring.js."""
        # Without the comment before it, and the semicolon after it, the file is one expression.
        _, parenthesis, source = MEASURING.partition("({")
        return self.page.evaluate(f"{parenthesis}{source.rstrip().removesuffix(';')}.{what}()")

    def unfold(self) -> None:
        """Open what is folded away."""
        self.page.evaluate("() => document.querySelectorAll('details').forEach(part => part.open = true)")


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """A window without a network. To open one for each card would take longer than to look at the card."""
    context = browser.new_context()
    context.set_offline(True)
    yield context.new_page()
    context.close()


@pytest.fixture
def open_html(
    window: Page, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Opened]]:
    """Open a document from a file, in place of the one before, in a window of some width."""
    listening: list[tuple[Any, Callable[..., None]]] = []

    def opened(html: str, *, width: int = DESK, scheme: str = "light", media: str = "screen") -> Opened:
        file = tmp_path / "card.html"
        file.write_text(html, encoding="utf-8")
        page = window
        page.set_viewport_size({"width": width, "height": 800})
        found = Opened(page)

        def hear(route: Route) -> None:
            if route.request.url == file.as_uri():
                route.continue_()
            else:
                found.asked.append(route.request.url)
                route.abort()

        def dismiss(dialog: object) -> None:
            found.told.append(f"dialog: {dialog}")
            dialog.dismiss()  # type: ignore[attr-defined]

        leave()
        page.route("**/*", hear)
        listening.extend(
            [
                ("console", lambda message: found.told.append(message.text)),
                ("pageerror", lambda error: found.told.append(str(error))),
                ("dialog", dismiss),
            ]
        )
        for event, listener in listening:
            page.on(event, listener)
        page.emulate_media(media=media, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(file.as_uri())
        if folder := os.environ.get("RETRAIN_SCREENSHOTS"):
            name = re.sub(r"\W+", "-", f"{request.node.name}-{width}-{scheme}-{media}")
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
        return found

    def leave() -> None:
        window.unroute_all()
        for event, listener in listening:
            window.remove_listener(event, listener)
        listening.clear()

    yield opened
    leave()
    window.goto("about:blank")
