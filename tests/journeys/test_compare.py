"""Comparing audits in the browser: ticked in the list, cell by cell, prompt beside prompt; hostile texts stay text."""

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from backend.audit.results import PromptResult, Report
from backend.reports.report_json import report_from_json, report_to_json
from tests.compared_reports import feature, prompt, report
from tests.hostile_reports import hostile_report
from tests.hostile_texts import HOSTILE
from tests.journeys.service import Service
from tests.journeys.test_hostile import hover_figures, inert
from tests.journeys.test_reading import focused, shown_query
from tests.journeys.visitor import PHONE, grid_rows, visiting


def twelve(flipped: range) -> list[PromptResult]:
    return [prompt(f"p{i:02}", features=("1:5",) if i in flipped else ()) for i in range(12)]


@pytest.fixture(scope="module")
def two(service: Service) -> tuple[str, str]:
    """Two imported audits: 5 prompts flip in both, 4 in the first alone, 3 in the second alone."""
    one = report(twelve(range(9)), subject="first", features=[feature("1:5", 9)])
    other = report(twelve(range(4, 12)), subject="second", features=[feature("1:5", 8)])
    # The older of two is the reference.
    other = replace(other, manifest=replace(other.manifest, timings={"started": "2026-01-02"}))
    return tuple(brought_in(service, content) for content in (one, other))  # type: ignore[return-value]


def brought_in(service: Service, content: Report) -> str:
    return str(service.server.import_report(report_to_json(content).encode()))


def listed(page: Page) -> list[str]:
    """The prompts behind the chosen cell; the grid shows its rows once it is in sight."""
    page.wait_for_selector("#compared-grid .ag-row", state="attached")
    page.locator("#compared-grid").scroll_into_view_if_needed()
    return grid_rows(page, "compared-grid")


def cell(page: Page, name: str) -> Any:
    return page.locator(f".flip-cell[aria-label^='{name}']").first


def test_ticked_audits_are_compared_and_a_cell_lists_its_prompts(
    browser: Browser, service: Service, two: tuple[str, str]
) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened("/audits")
        for audit in two:
            page.wait_for_selector(f"#audits-grid .ag-row[row-id={audit}]")
            page.click(f"#audits-grid .ag-row[row-id={audit}] input[type=checkbox]")
        page.wait_for_selector("#audit-compare-hint:has-text('2 to compare')")
        page.click("#audit-compare")
        page.wait_for_selector("h1:has-text('Compare audits')")
        assert shown_query(page)["audits"] == [",".join(two)]

        cell(page, "In the reference only").click()
        assert listed(page) == ["p00", "p01", "p02", "p03"]
        page.reload()
        assert listed(page) == ["p00", "p01", "p02", "p03"]
        assert cell(page, "In the reference only").get_attribute("aria-current") == "true"
        cell(page, "In the other only").click()
        page.wait_for_selector("#compared-grid a:text-is('p09')")
        page.go_back()
        page.wait_for_selector("#compared-grid a:text-is('p00')")

        page.click("#compared-grid a:text-is('p01')")
        page.wait_for_selector("#compared-prompt h3:has-text('p01')")
        assert page.locator("#compared-prompt").get_by_text("flipped", exact=True).count() == 1
        assert page.locator("#compared-prompt").get_by_text("never flipped").count() == 1
        page.click("#compared-prompt a:text-is('Close')")
        page.wait_for_selector("#compared-prompt", state="detached")
        page.click(".page-tabs a:has-text('Refused at baseline')")
        page.wait_for_selector(".flip-cell[aria-label='In both: 12 prompts']")
        assert shown_query(page)["outcome"] == ["refused"]


def test_an_audits_header_leads_to_a_comparison(browser: Browser, service: Service, two: tuple[str, str]) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/audits/{two[0]}")
        page.click("main a:text-is('Compare')")
        page.wait_for_selector("h3:has-text('Choose another audit')")
        page.click("#compare-audits")
        page.get_by_role("option", name="second on made by hand").first.click()
        page.keyboard.press("Escape")
        page.click("#compare-go")
        page.wait_for_selector(".flip-cell")
        assert shown_query(page)["audits"] == [",".join(two)]


def test_audits_of_other_prompts_cannot_be_compared(browser: Browser, service: Service, two: tuple[str, str]) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/compare?audits={two[0]},{service.example()['id']}")
        page.wait_for_selector("text=have no prompt in common")
        assert page.locator(".flip-cell").count() == 0


def test_the_keyboard_chooses_a_cell(browser: Browser, service: Service, two: tuple[str, str]) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/compare?audits={','.join(two)}")
        page.focus(".page-tabs a >> nth=-1")
        for _ in range(2):
            page.keyboard.press("Tab")
        assert focused(page).startswith("In the reference only")
        page.keyboard.press("Enter")
        assert listed(page)[0] == "p00"


def test_a_completion_is_revealed_on_the_side_that_has_it(
    browser: Browser, service: Service, planted_audit: str
) -> None:
    content = report_from_json(service.api.get(f"/api/audits/{planted_audit}/report.json").text)
    changed = tuple(replace(one, minimal_sets=()) if one.minimal_sets else one for one in content.prompts)
    other = brought_in(service, replace(content, prompts=changed))
    pair = f"{planted_audit},{other}"
    listed = service.get("/comparisons/prompts", audits=pair, cell="only_a", prompts="all")["items"]
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/compare?audits={pair}&prompts=all&cell=only_a&prompt={listed[0]['id']}")
        place = page.locator("#compared-prompt .compared-completion", has_text="Minimal set ablated")
        assert place.count() == 1
        words = place.locator(".completion")
        assert words.count() == 0
        place.get_by_role("button", name="Reveal").click()
        place.get_by_role("button", name="Reveal and record").click()
        words.wait_for()
        assert len(words.inner_text()) > 20
        recorded = service.get(f"/audits/{planted_audit}/reveals")["items"]
        assert listed[0]["id"] in {one["prompt_id"] for one in recorded}
        assert page.get_by_text("it cannot be revealed").count() >= 1


def test_hostile_texts_stay_text_and_a_phone_has_room(browser: Browser, service: Service) -> None:
    n = len(HOSTILE)
    sides = []
    for flipped in (range(n), range(2, n)):
        rows = [prompt(f"p{i}", features=("1:5",) if i in flipped else ()) for i in range(n)]
        hostile = hostile_report(report(rows, features=[feature("1:5")]))
        texts = zip(hostile.prompts, rows, strict=True)
        prompts = tuple(replace(one, id=one.id if i % 2 else own.id) for i, (one, own) in enumerate(texts))
        named = {"subject": {"id": HOSTILE[0], "n_layers": 4}, "prompts": {"name": HOSTILE[2]}}
        manifest = replace(hostile.manifest, **named)
        sides.append(brought_in(service, replace(hostile, prompts=prompts, manifest=manifest)))
    for audit in sides:
        service.api.patch(f"/api/audits/{audit}", json={"name": HOSTILE[2]}).raise_for_status()
    first = service.get("/comparisons/prompts", audits=",".join(sides), cell="only_a")["items"]
    for options in ({}, {"viewport": PHONE, "has_touch": True}):
        with visiting(browser, service.url, **options) as visitor:
            page = visitor.opened(f"/compare?audits={','.join(sides)}&cell=only_a")
            listed(page)
            hover_figures(page)
            inert(page)
            page.click(f"#compared-grid a >> text={first[-1]['id']}")
            page.wait_for_selector("#compared-prompt")
            inert(page)
            width = page.evaluate("document.documentElement.clientWidth")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    for audit in sides:
        service.api.delete(f"/api/audits/{audit}").raise_for_status()
