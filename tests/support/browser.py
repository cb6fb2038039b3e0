"""A real browser for tests: Chromium from PATH, driven by Playwright.

What a page shows is asked with `expect`, which waits for it; `use_inner_text=True` leaves out what is hidden.
`count()`, `inner_text()` and the like answer at once, of the page before or of the half that has arrived: they are for
what must not be there, after `expect` has seen what comes with it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

# The headless shell first: the same engine without the windows, and a page of it takes a third of the CPU.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((path for path in map(shutil.which, NAMES) if path), None)
# As root (in a container, in CI) Chromium starts only without its sandbox. The rest keeps it from calling home.
ARGUMENTS = [
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    *("--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-quic"),
]

WAIT = 30_000  # milliseconds for an action, and for what is expected of a page
expect.set_options(timeout=WAIT)

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason=f"no Chromium on PATH (looked for {', '.join(NAMES)}): install it to run browser tests"
)


@contextmanager
def new_page(url: str, width: int = 1280, **options: Any) -> Iterator[Page]:
    """A page of a new browser. Nothing may touch the database meanwhile: Playwright has an event loop in this thread,
    where Django refuses to.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_context(viewport={"width": width, "height": 900}, base_url=url, **options).new_page()
        page.set_default_timeout(WAIT)
        try:
            yield page
        finally:
            browser.close()
