"""Moving about: links restore their view from cold, back and forward, two tabs, light and dark, phone, keyboard."""

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page

from tests.journeys.service import Service
from tests.journeys.visitor import PHONE, grid_rows, visiting


def shown_query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_a_link_to_prompts_restores_filters_and_sort(browser: Browser, service: Service) -> None:
    audit = service.example()["id"]
    listed = service.get(f"/audits/{audit}/prompts", outcome="flipped", sort="-score")["items"]
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/audits/{audit}/prompts?outcome=flipped&sort=-score")
        first = grid_rows(page, "prompts-grid")[:5]
        assert first == [line["id"] for line in listed[:5]]
        assert page.input_value("#prompt-filter-outcome") == "flipped"
        assert page.get_attribute("#prompts-grid .ag-header-cell[col-id=score]", "aria-sort") == "descending"

        page.click("#prompts-grid .ag-header-cell[col-id=score]")  # descending, then none
        page.click("#prompts-grid .ag-header-cell[col-id=id]")
        page.click("#prompt-filter-split")
        page.get_by_role("option", name="test", exact=True).click()
        page.wait_for_url(lambda url: "split=test" in url and "sort=id" in url)
        listed = service.get(f"/audits/{audit}/prompts", outcome="flipped", split="test", sort="id")
        page.reload()
        assert grid_rows(page, "prompts-grid")[:5] == [line["id"] for line in listed["items"][:5]]
        assert page.inner_text("#prompts-grid-total") == f"{listed['total']} prompts"
        assert page.input_value("#prompt-filter-split") == "test"


def test_a_link_to_features_restores_filters_and_sort(browser: Browser, service: Service) -> None:
    audit = service.example()["id"]
    listed = service.get(f"/audits/{audit}/features", layer=21, in_sets="true", sort="cosine")["items"]
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/audits/{audit}/features?layer=21&role=in_sets&sort=cosine")
        assert grid_rows(page, "features-grid") == [line["id"] for line in listed]
        assert page.input_value("#feature-filter-role") == "in minimal sets"


def test_a_link_to_a_prompt_restores_feature_token_and_what_if(browser: Browser, service: Service) -> None:
    audit = service.example()["id"]
    prompt = service.get(f"/audits/{audit}/prompts", outcome="flipped")["items"][0]["id"]
    story = service.get(f"/audits/{audit}/prompts/{prompt}")["story"]
    feature, places = next(iter(story["activations"].items()))
    query = f"feature={feature}&token={places[0][0]}&set={feature},9:7&mode=scale&scale=-1.5&scope=instruction"
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/audits/{audit}/prompts/{prompt}?{query}")
        pressed = page.locator(".feature-chip[aria-pressed=true]")
        pressed.wait_for()
        assert feature in pressed.inner_text()
        assert page.locator(".token.clicked").count() == 1
        assert page.input_value("#what-if-mode") == "scale by a factor"
        assert float(page.input_value("#what-if-scale")) == -1.5
        scope = [page.get_by_role("checkbox", name=name, exact=True) for name in ("system", "instruction", "response")]
        assert [box.is_checked() for box in scope] == [False, True, False]
        assert page.locator("#what-if .mantine-Pill-root:has-text('9:7')").count() == 1

        other = page.locator(".feature-chip[aria-pressed=false]").first
        name = other.inner_text().split()[0]
        other.click()
        page.wait_for_url(lambda url: f"feature={name.replace(':', '%3A')}" in url)
        assert shown_query(page)["mode"] == ["scale"]


def test_a_link_to_a_new_audit_restores_its_form(browser: Browser, service: Service) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened("/audits/new?subject=planted&prompts=planted&effort=thorough")
        page.wait_for_selector("#new-start:enabled")
        assert page.input_value("#new-subject") == "planted"
        assert page.get_by_role("radio", name="Thorough").is_checked()


def test_back_and_forward(browser: Browser, service: Service) -> None:
    audit = service.example()["id"]
    with visiting(browser, service.url) as visitor:
        page = visitor.opened(f"/audits/{audit}")
        page.click(".page-tabs a:has-text('Prompts')")
        page.click("#prompt-filter-outcome")
        page.get_by_role("option", name="flipped", exact=True).click()
        page.wait_for_url(lambda url: "outcome=flipped" in url)
        total = service.get(f"/audits/{audit}/prompts", outcome="flipped")["total"]
        page.wait_for_selector(f"#prompts-grid-total:has-text('{total} prompts')")
        first = grid_rows(page, "prompts-grid")[0]
        page.click(f"#prompts-grid a:text-is('{first}')")
        page.wait_for_selector("#what-if")
        page.go_back()
        assert grid_rows(page, "prompts-grid")[0] == first
        assert page.input_value("#prompt-filter-outcome") == "flipped"
        page.go_back()
        page.wait_for_selector("#answers")
        page.go_forward()
        page.wait_for_selector("#prompts-grid .ag-row a")
        page.go_forward()
        page.wait_for_selector("#what-if")
        assert first in page.title()


def test_two_tabs_at_once(browser: Browser, service: Service) -> None:
    audit = service.example()["id"]
    with visiting(browser, service.url) as visitor:
        one = visitor.opened(f"/audits/{audit}/features?role=in_sets")
        other = visitor.opened(f"/audits/{audit}/features?layer=12")
        in_sets = grid_rows(one, "features-grid")
        of_layer = grid_rows(other, "features-grid")
        assert all(name.startswith("12:") for name in of_layer)
        one.click("#features-grid .ag-header-cell[col-id=cosine]")
        one.wait_for_url(lambda url: "sort=" in url)
        assert grid_rows(other, "features-grid") == of_layer
        assert "sort=" not in other.url
        assert sorted(grid_rows(one, "features-grid")) == sorted(in_sets)


def test_light_and_dark(browser: Browser, service: Service) -> None:
    with visiting(browser, service.url, color_scheme="light") as visitor:
        page = visitor.opened("/audits")
        page.wait_for_selector("html[data-mantine-color-scheme=light]")
        grid_rows(page, "audits-grid")
        light = background(page)
        page.click("#color-scheme")
        page.wait_for_selector("html[data-mantine-color-scheme=dark]")
        page.wait_for_selector("html[data-ag-theme-mode=dark]")
        dark = background(page)
        assert dark != light
        page.reload()
        grid_rows(page, "audits-grid")
        assert background(page) == dark  # kept


def background(page: Page) -> list[str]:
    """Of the page and of a grid."""
    script = "place => getComputedStyle(document.querySelector(place)).backgroundColor"
    return [page.evaluate(script, place) for place in ("body", ".ag-root-wrapper")]


def test_a_phone_shows_every_page_without_scrolling_sideways(browser: Browser, service: Service) -> None:
    audit = service.example()["id"]
    prompt = service.get(f"/audits/{audit}/prompts", outcome="flipped")["items"][0]["id"]
    feature = service.get(f"/audits/{audit}/features", sort="-in_minimal_sets")["items"][0]["id"].replace(":", "-")
    of_audit = ("", "/prompts", f"/prompts/{prompt}", "/features", f"/features/{feature}")
    with visiting(browser, service.url, viewport=PHONE, has_touch=True) as visitor:
        page = visitor.tab()
        for path in ("/", "/audits/new", *(f"/audits/{audit}{rest}" for rest in of_audit)):
            page.goto(service.url + path)
            page.wait_for_selector("main h1")
            page.wait_for_selector("main .ag-row, main .main-svg")
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        page.click("#burger")
        page.click("#nav-narrow-audits")
        page.wait_for_selector("#audits-grid .ag-row")
        page.wait_for_selector("#nav-narrow-audits", state="hidden")


def test_the_keyboard_reaches_the_first_row_and_opens_it(browser: Browser, service: Service) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened("/audits")
        first = grid_rows(page, "audits-grid")[0]
        page.keyboard.press("Tab")
        assert focused(page) == "Skip to content"
        page.keyboard.press("Enter")
        page.wait_for_selector("main:focus")
        for _ in range(40):
            page.keyboard.press("Tab")
            assert page.locator(":focus").is_visible()
            if focused(page) == first:
                break
        page.keyboard.press("Enter")
        page.wait_for_selector(f"main h1:has-text('{first}')")
        assert page.url.rsplit("/", 1)[1].startswith("audit_")


def focused(page: Page) -> str:
    return page.locator(":focus").inner_text().strip()
