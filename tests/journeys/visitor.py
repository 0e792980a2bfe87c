"""A browser's tab that notes whatever a user must never meet: errors, failed requests, requests to anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

LEFT = "net::ERR_ABORTED"  # a request under way when its page was left
MARK = "window.ran = 0; window.hostile = () => { window.ran += 1; };"  # what hostile texts would call
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Visitor:
    """One reader: tabs of one browser profile on one server."""

    url: str
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()  # parts of complaints that a journey brings about itself

    def tab(self) -> Page:
        page = self.context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"error {error}"))
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)
        return page

    def opened(self, path: str) -> Page:
        """A new tab on an address of the server, its page shown."""
        page = self.tab()
        page.goto(self.url + path)
        page.wait_for_selector("main h1")
        return page

    def remaining(self) -> list[str]:
        return [said for said in self.complaints if not any(part in said for part in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type} {message.text}")

    def _request(self, request: Request) -> None:
        place = urlsplit(request.url)
        if place.scheme not in ("data", "blob") and not request.url.startswith(self.url + "/"):
            self.complaints.append(f"elsewhere {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != LEFT:
            self.complaints.append(f"failed {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"status {response.status} {response.url}")


@contextmanager
def visiting(browser: Browser, url: str, *, expected: tuple[str, ...] = (), **options: Any) -> Iterator[Visitor]:
    """A reader whom nothing is known of; leaving, nothing may have been noted and nothing hostile may have run."""
    idle = _idle.setdefault((browser, url, repr(sorted(options.items()))), [])
    context = idle.pop() if idle else _profile(browser, url, options)
    try:
        visitor = Visitor(url, context, expected=expected)
        yield visitor
        assert not any(page.evaluate("window.ran") for page in context.pages), "a hostile text ran"
        assert not visitor.remaining(), "\n".join(visitor.remaining())
    except BaseException:
        context.close()
        raise
    first, *tabs = context.pages
    for page in tabs:
        page.close()
    first.evaluate("localStorage.clear()")
    context.clear_cookies()
    idle.append(context)


_idle: dict[tuple[Browser, str, str], list[BrowserContext]] = {}
"""Profiles of readers who have left with nothing to complain of: what the browser has compiled of the pages is kept,
which is half of what opening one takes."""


def _profile(browser: Browser, url: str, options: dict[str, Any]) -> BrowserContext:
    """One tab stays open, for with the last one what is compiled would go."""
    context = browser.new_context(**{"viewport": WIDE, **options})
    context.set_default_timeout(45_000)
    context.add_init_script(MARK)
    context.new_page().goto(url + "/api/health")
    return context


def grid_rows(page: Page, grid: str) -> list[str]:
    """The first column of a grid's rows, once there are any."""
    page.wait_for_selector(f"#{grid} .ag-row a")
    return page.locator(f"#{grid} .ag-row a").all_inner_texts()
