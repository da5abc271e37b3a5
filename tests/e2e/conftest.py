"""A real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

# Each window of Chromium's prepares for menus that nobody will open, with a process for each: half of what a
# short test costs. Of two such options the last one counts; those of Playwright's that matter are repeated.
FEATURES = "HttpsUpgrades,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,PaintHolding"
OPTIONS = [f"--disable-features=PreloadTopChromeWebUI,{FEATURES}"]


# Of a module, not of the session: while it is open, an event loop runs in this thread, and other tests of the
# same process could run none.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium of this machine's."""
    named = os.environ.get("RETRAIN_CHROMIUM")
    path = named or next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("There is no Chromium here: install one, or name it in RETRAIN_CHROMIUM.")
    with sync_playwright() as driver:
        # Root, as in containers, has no sandbox; the pages are the tests' own.
        options = [*OPTIONS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        launched = driver.chromium.launch(executable_path=path, args=options)
        yield launched
        launched.close()
