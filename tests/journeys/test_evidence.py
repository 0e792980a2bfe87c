"""The tabs of evidence: each opens on a report with every section, keeps its address, and says what is lacking."""

from dataclasses import replace
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page

from app.first_start import EXAMPLES
from backend.reports.report_json import report_from_json, report_to_json
from tests.hostile_texts import HOSTILE
from tests.journeys.service import Service
from tests.journeys.visitor import PHONE, visiting
from tests.measured_reports import measured

TABS = {
    "verification": "#verified-arms .main-svg",
    "stability": "#stability-features-grid .ag-row a",
    "cascade": "#cascade-graph .main-svg",
    "interactions": "#interaction-map .main-svg",
}
"""tab -> what is there once it is drawn"""


def report_with_every_section() -> str:
    """The example's report with made-up verification, stability and judges, one of their texts hostile."""
    example = next(entry for entry in files("backend").joinpath(EXAMPLES).iterdir() if entry.is_dir())
    report = measured(report_from_json(example.joinpath("report.json").read_text("utf-8")))
    assert report.stability is not None
    first, *rest = report.stability.perturbations
    hostile = replace(first, name=HOSTILE[0][:60], description=HOSTILE[2])
    return report_to_json(replace(report, stability=replace(report.stability, perturbations=(hostile, *rest))))


@pytest.fixture(scope="module")
def audit(service: Service) -> str:
    return service.server.import_report(report_with_every_section().encode())


def test_every_tab_opens_from_the_one_before(browser: Browser, service: Service, audit: str) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/audits/{audit}")
        for tab, drawn in TABS.items():
            page.click(f".page-tabs a:has-text('{tab.capitalize()}')")
            page.wait_for_selector(f"main {drawn}")
            assert page.url.endswith(f"/audits/{audit}/{tab}")
            assert page.locator("main img, main script").count() == 0
        page.go_back()
        page.wait_for_selector(f"main {TABS['cascade']}")


def test_a_statement_leads_to_its_evidence(browser: Browser, service: Service, audit: str) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/audits/{audit}")
        page.wait_for_selector("#answers :text('undecided')")
        page.click("a[aria-label='Verification behind this: Side effect (KL, nats a token)']")
        page.wait_for_selector(f"main {TABS['verification']}")
        page.wait_for_function("document.getElementById('side-effects').getBoundingClientRect().top < innerHeight")


def test_a_cell_and_a_line_of_the_list_open_a_pair(browser: Browser, service: Service, audit: str) -> None:
    pairs = service.get(f"/audits/{audit}/interactions")["pairs"]
    last = pairs[-1]
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/audits/{audit}/interactions?pair={last['b']},{last['a']}")
        page.wait_for_selector(f"#pair-chosen a:text-is('{last['a']}')")
        other = page.locator(".pair-list a:not([aria-current])").first
        name = other.inner_text().split(" × ")[0]
        other.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#pair-chosen a:text-is('{name}')")
        page.reload()
        page.wait_for_selector(f"#pair-chosen a:text-is('{name}')")


def test_a_prompt_shows_its_verification_and_perturbations(browser: Browser, service: Service, audit: str) -> None:
    prompt = service.get(f"/audits/{audit}/prompts", outcome="flipped")["items"][0]["id"]
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/audits/{audit}/prompts/{prompt}")
        page.wait_for_selector("#verification #verification-strip .main-svg")
        assert "role play" in page.inner_text("#perturbed")


def test_an_older_audit_says_what_it_lacks(browser: Browser, service: Service) -> None:
    example = report_from_json(report_with_every_section())
    card = replace(example.report_card, statements=())
    older = replace(example, verification=None, stability=None, judges=None, report_card=card)
    audit = service.server.import_report(report_to_json(older).encode())
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/audits/{audit}/verification")
        page.wait_for_selector("text=made before verification was measured")
        page.goto(f"{service.url}/audits/{audit}/stability")
        page.wait_for_selector("text=made before stability was measured")
        page.goto(f"{service.url}/audits/{audit}")
        page.wait_for_selector("#answers :text('made before its report card gave answers')")


def test_a_phone_shows_every_tab_without_scrolling_sideways(browser: Browser, service: Service, audit: str) -> None:
    with visiting(browser, service.url, viewport=PHONE, has_touch=True) as visitor:
        page = visitor.tab()
        for tab in TABS:
            opened(page, f"{service.url}/audits/{audit}/{tab}")
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], tab
            active = page.locator(".page-tab.active").bounding_box()
            assert active is not None, tab
            assert active["x"] + active["width"] <= PHONE["width"], tab


def opened(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("main h1")
    page.wait_for_selector("main .main-svg")
