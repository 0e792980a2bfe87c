"""From the first start to an answer of one's own: the example, its pages, and a what-if on the real bundled subject."""

from typing import Any

from playwright.sync_api import Browser, Page

from tests.journeys.service import Service
from tests.journeys.visitor import grid_rows, visiting

FLIPPED = "Flipped: refused at baseline, complies with this set changed."


def test_from_the_first_start_to_a_what_if(browser: Browser, service: Service) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened("/")
        example = service.example()
        page.click(f"#audits-grid .ag-row:has-text('example') a:has-text('{example['name'][:12]}')")
        page.wait_for_selector("#answers .figure-value >> nth=3")
        assert "Example: really run" in page.inner_text("main")
        page.click(".page-tabs a:has-text('Prompts')")
        grid_rows(page, "prompts-grid")

        prompt = shortest_flipped(service, example["id"])
        page.fill("#prompt-filter-text", prompt["text"][:40])
        page.wait_for_selector("#prompts-grid-total:text-is('1 prompt')")
        page.click(f"#prompts-grid a:text-is('{prompt['id']}')")
        page.wait_for_selector(f"main h2:has-text('{prompt['text'][:40]}')")

        ticked = chips(page)
        assert ticked != []  # the minimal set
        page.click("#what-if-run")
        page.wait_for_selector("#what-if-result :text('s ')")  # the score is here first
        page.wait_for_selector(f"#what-if-result >> text={FLIPPED}")
        page.wait_for_selector("#what-if-result .mask")
        page.wait_for_selector("#what-if-result .mantine-Paper-root >> text=Matched random set")

        page.click(".mantine-Chip-root >> nth=-1")  # one feature more
        page.wait_for_selector(f".mantine-Chip-root input:checked >> nth={len(ticked)}", state="attached")
        wanted = chips(page)
        page.fill("#saved-name", "one more")
        page.click("#saved-save")
        link = page.get_attribute("#saved-list a:text-is('one more')", "href")
        assert link is not None
        cold = visitor.opened(link)
        assert sorted(chips(cold)) == sorted(wanted)
        page.click("[aria-label='Delete one more']")
        page.wait_for_selector("#saved-list >> text=None kept on this prompt yet.")


def shortest_flipped(service: Service, audit: str) -> dict[str, Any]:
    """The prompt whose compliant completion is soonest written."""
    flipped = service.get(f"/audits/{audit}/prompts", outcome="flipped", limit=50)["items"]

    def length(line: dict[str, Any]) -> int:
        story = service.get(f"/audits/{audit}/prompts/{line['id']}")["story"]
        return int(story["minimal_sets"][0]["response"]["n_tokens"])

    return dict(min(flipped, key=length))


def chips(page: Page) -> list[str]:
    """The ticked features."""
    page.wait_for_selector("#what-if .mantine-Chip-root")
    ticked = page.locator("#what-if .mantine-Chip-root:has(input:checked)").all_inner_texts()
    return [text.split()[0] for text in ticked]
