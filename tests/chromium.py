"""The machine's Chromium for tests that need a real browser; they are skipped where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

PLACES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
NOTICE = "no Chromium on this machine; run: apt-get install chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--process-per-site",  # tabs of one profile share what is compiled
    "--renderer-process-limit=1",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for one test or module; skips the test where none is found."""
    place = next((found for name in PLACES if (found := shutil.which(name))), None)
    if place is None:
        pytest.skip(NOTICE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
