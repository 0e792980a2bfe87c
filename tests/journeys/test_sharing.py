"""What is masked until it is revealed, on record; and what a read-only link opens, and what it does not even offer."""

import json

from playwright.sync_api import Browser

from tests.journeys.service import Service
from tests.journeys.visitor import grid_rows, visiting

MASKED = "first gather fresh supplies"  # how the planted subject complies


def test_a_reveal_is_asked_recorded_and_shown_to_its_reader_alone(
    browser: Browser, service: Service, planted_audit: str
) -> None:
    prompt = service.get(f"/audits/{planted_audit}/prompts", outcome="flipped")["items"][0]["id"]
    before = service.get(f"/audits/{planted_audit}/reveals")["total"]
    with visiting(browser, service.url) as visitor:
        page = visitor.tab()
        received: list[str] = []
        page.on("response", lambda answer: received.append(answer.url) if MASKED in words(answer) else None)
        page.goto(f"{service.url}/audits/{planted_audit}/prompts/{prompt}")
        page.wait_for_selector("#completions .mask")
        page.click("#completions button:has-text('Reveal')")
        page.wait_for_selector("#completions >> text=Reveal this completion?")
        assert MASKED not in page.content()
        assert received == []
        page.click("button:has-text('Reveal and record')")
        page.wait_for_selector(f"#completions .completion:has-text('{MASKED}')")
        page.wait_for_selector("#completions >> text=revealed, on record")
        assert MASKED not in visitor.opened(f"/audits/{planted_audit}/prompts/{prompt}").content()
    assert service.get(f"/audits/{planted_audit}/reveals")["total"] == before + 1
    assert MASKED not in service.log.read_text()


def words(answer: object) -> str:
    """The body of a callback's answer; scripts and styles hold no completions."""
    url = answer.url  # type: ignore[attr-defined]
    return answer.text() if "_dash-update-component" in url else ""  # type: ignore[attr-defined]


def test_a_read_only_link_opens_one_audit_and_offers_nothing_else(
    browser: Browser, service: Service, planted_audit: str
) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/audits/{planted_audit}")
        page.click("#share-open")
        page.fill("#share-label", "a colleague")
        page.click("#share-create")
        link = page.inner_text("#share-made code")
        assert link.startswith(f"{service.url}/share/")
        page.wait_for_selector("#share-list tr:has-text('a colleague') >> text=active")

        refused = ("403 (Forbidden)", "status 403")
        with visiting(browser, service.url, expected=refused) as reader:
            shared = reader.tab()
            shared.goto(link)
            shared.wait_for_selector("#answers .figure-value >> nth=3")
            shared.wait_for_selector(".by-link", state="attached")
            offered = "a[href='/audits'], a[href^='/audits/new'], a[href^='/api/'], #share-open"
            assert shared.locator(offered).locator("visible=true").count() == 0
            shared.click(".page-tabs a:has-text('Prompts')")
            first = grid_rows(shared, "prompts-grid")[0]
            shared.click(f"#prompts-grid a:text-is('{first}')")
            shared.wait_for_selector("#completions")
            assert shared.locator("#what-if, button:has-text('Reveal')").count() == 0
            shared.click(".page-tabs a:has-text('Features')")
            feature = grid_rows(shared, "features-grid")[0]
            shared.click(f"#features-grid a:text-is('{feature}')")
            shared.wait_for_selector(f"h2:has-text('Feature {feature}')")
            assert reader.complaints == []

            for closed in ("/audits", "/audits/new", f"/audits/{service.example()['id']}"):
                shared.goto(service.url + closed)
                shared.wait_for_selector("text=This link opens one audit for reading and nothing else")
            for closed in ("/api/audits", f"/api/audits/{planted_audit}/report.json", "/api/docs"):
                assert shared.request.get(service.url + closed).status == 403
            shared.goto(f"{service.url}/audits/{planted_audit}")
            shared.click("a:has-text('Leave')")
            shared.wait_for_selector("#audits-grid")

            page.click("[aria-label='Revoke the link a colleague']")
            page.wait_for_selector("#share-list tr:has-text('a colleague') >> text=revoked")
            shared.goto(link)
            shared.wait_for_selector("text=withdrawn")


def test_the_exports_of_the_page_are_what_the_api_gives(browser: Browser, service: Service, planted_audit: str) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/audits/{planted_audit}")
        page.click("button:has-text('Export')")
        with page.expect_download() as saved:
            page.click("a:has-text('Report (JSON)')")
        report = json.loads(saved.value.path().read_text("utf-8"))
        assert len(report["prompts"]) == 12
