"""Texts that run as code wherever they are taken for markup, as cells, prompts, names and tokens: they stay text."""

import csv
import io
from dataclasses import replace
from importlib.resources import files

from playwright.sync_api import Browser, Page

from app.first_start import EXAMPLES
from backend.reports.report_json import report_from_json, report_to_json
from tests.hostile_reports import hostile_report
from tests.hostile_texts import FORMULAS, HOSTILE
from tests.journeys.service import Service
from tests.journeys.visitor import grid_rows, visiting

FOREIGN = ", ".join(
    f"main {tag}"
    for tag in (*("img", "iframe", "link", "base", "meta", "script", "b"), "a[href^='http:']", "a[href^='java']")
)


CELLS = [text for text in (*HOSTILE, *FORMULAS) if text.isprintable()]  # the rest is refused
ROWS = len(HOSTILE)  # prompts of the report: each has a text of its own for its id


def hostile_csv() -> bytes:
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(["prompt", "label", "category"])
    rows.writerows([[text, "harmful", text.strip()[:60]] for text in CELLS])
    return file.getvalue().encode()


def test_cells_of_a_file_stay_text(browser: Browser, service: Service) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened("/audits/new?subject=planted")
        page.click("summary:has-text('Upload a file')")
        file = {"name": f"{HOSTILE[2]}.csv", "mimeType": "text/csv", "buffer": hostile_csv()}
        page.set_input_files("#prompts-upload input[type=file]", file)  # type: ignore[arg-type]
        page.wait_for_selector("#prompts-preview .ag-row:has-text('<script>hostile()</script>')")
        assert page.locator(FOREIGN).count() == 0


def hostile_example() -> str:
    """The example's report with hostile texts, as far as an import takes them."""
    example = next(entry for entry in files("backend").joinpath(EXAMPLES).iterdir() if entry.is_dir())
    report = report_from_json(example.joinpath("report.json").read_text("utf-8"))
    hostile = hostile_report(replace(report, prompts=report.prompts[:ROWS]))
    named = {"subject": {"id": HOSTILE[0], "n_layers": 30}, "prompts": {"name": HOSTILE[2]}}
    return report_to_json(replace(hostile, manifest=replace(hostile.manifest, **named)))


def test_texts_of_a_report_stay_text(browser: Browser, service: Service) -> None:
    audit = service.server.import_report(hostile_example().encode())
    service.api.patch(f"/api/audits/{audit}", json={"name": HOSTILE[2]}).raise_for_status()
    with visiting(browser, service.url) as visitor:
        page = visitor.opened("/audits")
        page.wait_for_selector("#audits-grid a:has-text('<img src=x')")
        inert(page)
        page.click("#audits-grid a:has-text('<img src=x')")
        page.wait_for_selector("#answers .main-svg >> nth=0")
        hover_figures(page)
        inert(page)
        page.goto(f"{service.url}/audits/{audit}/prompts")
        grid_rows(page, "prompts-grid")
        hover_figures(page)
        inert(page)
        for name in HOSTILE[:2]:
            page.goto(f"{service.url}/audits/{audit}/prompts?text=")
            page.click(f"#prompts-grid a >> text={name}")
            page.wait_for_selector("#completions")
            inert(page)
        page.goto(f"{service.url}/audits/{audit}/features")
        feature = grid_rows(page, "features-grid")[0]
        page.click(f"#features-grid a:text-is('{feature}')")
        page.wait_for_selector("h2:has-text('Feature')")
        hover_figures(page)
        inert(page)
        service.api.delete(f"/api/audits/{audit}").raise_for_status()


def hover_figures(page: Page) -> None:
    page.wait_for_selector("main .main-svg")
    for figure in page.locator("main .js-plotly-plot").all():
        figure.scroll_into_view_if_needed()
        for point in figure.locator(".point").all()[:1]:
            box = point.bounding_box()
            if box is not None:
                page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def inert(page: Page) -> None:
    assert page.evaluate("window.ran") == 0
    assert page.locator(FOREIGN).count() == 0
