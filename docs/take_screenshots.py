"""`make screenshots`: every page of the dashboard as Chromium shows it, off a real server with real audits.

Wide and as on a phone, light and dark. The finished pages are the shipped example's; the live one is an audit that
runs meanwhile, and once it has ended it is compared with one of another subject; the what-if is run. Needs the fetched
subjects and a Chromium, and ten minutes.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.service.server import Server, serving, wait_until, with_subjects

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
SHIPPED = (  # those that the documentation shows
    "audits-wide-light", "new-audit-wide-light", "live-wide-dark", "overview-wide-light", "overview-phone-dark",
    "verification-wide-light", "stability-wide-light", "cascade-wide-light", "cascade-phone-dark",
    "interactions-wide-light", "prompts-wide-light", "prompts-phone-light", "prompt-wide-light", "what-if-wide-light",
    "features-wide-dark", "feature-wide-light", "feature-phone-dark", "compare-wide-light", "compare-phone-light",
)  # fmt: skip
MOST_BYTES = 180_000  # of one that ships
DRAWN = "main .ag-row, main .main-svg, main .stage"  # there once a page is more than its words
Shot = Callable[[Page, str], None]


def main(everything: Path, shipped: Path) -> None:
    """All of them into one folder; those that the documentation shows into the other."""
    everything.mkdir(parents=True, exist_ok=True)
    shipped.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(with_subjects(Path(folder))) as server,
        _chromium() as chromium,
    ):
        _take(server, chromium, everything)
    for name in SHIPPED:
        picture = everything / f"{name}.png"
        if picture.stat().st_size > MOST_BYTES:
            raise SystemExit(f"{picture}: {picture.stat().st_size} bytes are more than {MOST_BYTES}; ship another")
        shutil.copyfile(picture, shipped / picture.name)


def _take(server: Server, chromium: Browser, folder: Path) -> None:
    url = str(server.client.base_url).rstrip("/")

    def shoot(name: str, path: str, prepare: Shot = lambda page, size: None) -> None:
        for size, scheme in product(SIZES, SCHEMES):
            with chromium.new_context(viewport=SIZES[size], color_scheme=scheme) as context:
                context.set_default_timeout(120_000)
                page = context.new_page()
                page.goto(url + path)
                page.wait_for_selector(DRAWN)
                prepare(page, size)
                page.wait_for_timeout(1500)  # figures and grids settle
                page.screenshot(path=folder / f"{name}-{size}-{scheme}.png")

    example = server.get("/audits", origin="example")["items"][0]["id"]
    prompt = server.get(f"/audits/{example}/prompts", outcome="flipped", sort="-set_size")["items"][0]["id"]
    feature = server.get(f"/audits/{example}/features", sort="-in_minimal_sets")["items"][0]["id"]
    live = _quick_audit(server, "smollm2-135m-sft")
    wait_until(lambda: _stage(server, live) not in (None, "loading", "baseline"))
    shoot("audits", "/audits")
    shoot("live", f"/audits/{live}")
    server.ended(live)
    other = _quick_audit(server, "smollm2-135m-refat")
    server.ended(other)
    shoot("compare", f"/compare?audits={live},{other}")
    shoot("new-audit", "/audits/new?subject=smollm2-135m-sft&prompts=bundled:demo&effort=quick")
    shoot("overview", f"/audits/{example}")
    for tab in ("verification", "stability", "cascade", "interactions"):
        shoot(tab, f"/audits/{example}/{tab}")
    shoot("prompts", f"/audits/{example}/prompts?sort=-score")
    shoot("prompt", f"/audits/{example}/prompts/{prompt}")
    shoot("what-if", f"/audits/{example}/prompts/{prompt}", _run_what_if)
    shoot("features", f"/audits/{example}/features")
    shoot("feature", f"/audits/{example}/features/{feature.replace(':', '-')}")


def _quick_audit(server: Server, subject: str) -> str:
    """Its id, queued."""
    spec = {"subject": subject, "prompt_set": "bundled:demo", "effort": "quick"}
    return str(server.post("/audits", {"spec": spec})["audit"]["id"])


def _stage(server: Server, audit: str) -> str | None:
    progress = server.get(f"/audits/{audit}")["audit"]["progress"]
    return progress["stage"] if progress is not None else None


def _run_what_if(page: Page, size: str) -> None:
    page.click("#what-if-run")
    page.wait_for_selector("#what-if-result button:has-text('Reveal')")
    page.locator("#what-if" if size == "wide" else "#what-if-result").evaluate("part => part.scrollIntoView()")


@contextmanager
def _chromium() -> Iterator[Browser]:
    place = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if place is None:
        raise SystemExit("no Chromium on this machine; run: apt-get install chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=place, args=["--no-sandbox", "--disable-gpu"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
