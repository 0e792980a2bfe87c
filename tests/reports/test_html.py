"""The HTML report in a real browser: offline, interactive, inert to hostile texts, silent on what is masked."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from plotly.offline import get_plotlyjs_version

from app.export import report_html
from backend.audit.results import Arm, MinimalSet, PerturbedPrompt, PromptVerification, Report, Response
from backend.reports.csv import features_csv, prompts_csv
from backend.reports.html.render import PROMPTS_SHOWN, HtmlAnswer, HtmlFigure, HtmlWords, render_html
from frontend.answers import NO_ANSWERS
from tests.chromium import chromium
from tests.hostile_reports import hostile_report
from tests.measured_reports import measured

CANARY = "canary-words-of-a-masked-completion"
MASKED = "here is what you asked"  # how the planted subject complies


@dataclass
class Opened:
    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)  # dialogs, errors, console messages

    def ran(self) -> Any:
        return self.page.evaluate("window.ran")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def opened(browser: Browser, html: str, folder: Path) -> Opened:
    """The file opened from disk; `hostile()` marks the page when anything calls it."""
    place = folder / "report.html"
    place.write_text(html, "utf-8")
    page = browser.new_page(color_scheme="dark")
    here = Opened(page)
    page.add_init_script("window.ran = 0; window.hostile = () => { window.ran += 1; };")
    page.on("request", lambda request: here.requests.append(request.url))
    page.on("dialog", lambda dialog: (here.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: here.complaints.append(f"error {error}"))
    page.on("console", lambda message: here.complaints.append(f"{message.type} {message.text}"))
    page.goto(place.as_uri())
    page.wait_for_function("document.querySelectorAll('.main-svg').length > 0")
    return here


def test_it_opens_from_disk_with_figures_and_without_a_request(
    browser: Browser, planted_report: Report, tmp_path: Path
) -> None:
    here = opened(browser, report_html(planted_report), tmp_path)
    assert here.requests == [(tmp_path / "report.html").as_uri()]
    assert here.complaints == []
    drawn = here.page.locator("[data-figure] .main-svg").count()
    assert drawn >= here.page.locator("[data-figure]").count() >= 6
    assert here.page.locator("#table-prompts > tbody > tr").count() == len(planted_report.prompts)
    assert planted_report.manifest.command in here.page.inner_text("#manifest pre >> nth=0")
    here.page.hover("[data-figure] .point >> nth=0", force=True)  # Plotly's own layer lies over its marks
    here.page.wait_for_selector("[data-figure] .hoverlayer .hovertext")
    here.page.fill("#find-features", planted_report.features[0].id)
    shown = here.page.locator("#table-features > tbody > tr:visible")
    assert shown.count() == sum(planted_report.features[0].id in f.id for f in planted_report.features)
    here.page.close()


def test_every_section_is_there_with_its_figures(browser: Browser, planted_report: Report, tmp_path: Path) -> None:
    report = measured(planted_report)
    here = opened(browser, report_html(report), tmp_path)
    assert here.complaints == []
    said = {name: here.page.inner_text(f"#{name}") for name in ("verification", "stability", "judges", "card")}
    assert "19 of 20 claimed sets" in said["verification"]
    assert "equal-norm noise" in said["verification"]
    assert "0.02\t0.01 to 0.03\t12" in said["verification"]  # KL of the pooled features
    assert "trailing space (control)" in said["stability"]
    assert "not run: the subject does not speak it" in said["stability"]
    assert "refusal-yardstick 1a2b3c4d" in said["judges"]
    assert "Rule: above half, interval and all" in said["card"]
    assert "Side effect" in here.page.inner_text(".cards")
    titles = here.page.locator("figure h3").all_inner_texts()
    assert {"Every claim beside its controls", "What each round ablates and wakes"} <= set(titles)
    assert here.page.locator("[data-figure] .main-svg").count() >= here.page.locator("[data-figure]").count()
    here.page.close()


def test_an_older_report_says_what_it_lacks(planted_report: Report) -> None:
    card = replace(planted_report.report_card, statements=())
    html = report_html(replace(planted_report, verification=None, stability=None, judges=None, report_card=card))
    for lacking in ("before verification was", "before stability was", "before the quality of its judge was"):
        assert lacking in html
    assert NO_ANSWERS in html


def test_hostile_texts_stay_text(browser: Browser, planted_report: Report, tmp_path: Path) -> None:
    report = hostile_report(measured(planted_report))
    here = opened(browser, report_html(report), tmp_path)
    for details in here.page.locator("details").all():
        details.evaluate("element => element.open = true")
    for figure in here.page.locator("[data-figure]").all():
        figure.locator(".point:visible, .hm:visible").first.hover(force=True)
    assert here.ran() == 0
    assert here.complaints == []
    assert here.requests == [(tmp_path / "report.html").as_uri()]
    foreign = "img, iframe, link[rel=stylesheet], base, meta[http-equiv=refresh], main a:not([href^='#']), main b"
    assert here.page.locator(foreign).count() == 0
    assert here.page.locator("main svg:not(.main-svg):not(.main-svg *):not(.modebar *)").count() == 0
    cells = here.page.locator("#table-prompts > tbody > tr > td.text").all_text_contents()
    assert all(any(cell.startswith(p.text) for cell in cells) for p in report.prompts)
    here.page.close()


def test_a_script_that_got_in_would_not_run(browser: Browser, planted_report: Report, tmp_path: Path) -> None:
    """The policy is the second wall: no script but the two shipped ones runs, and nothing is fetched."""
    got_in = "<script>hostile()</script><img src='http://127.0.0.1:9/pixel' onerror='hostile()'>"
    here = opened(browser, report_html(planted_report).replace("</main>", f"{got_in}</main>"), tmp_path)
    assert here.ran() == 0
    assert any("Content Security Policy" in complaint for complaint in here.complaints)
    here.page.close()


def test_figures_given_hostile_json_cannot_leave_their_element(planted_report: Report) -> None:
    title = "</script><script>hostile()</script>\u2028"
    drawn = json.dumps({"data": [], "layout": {"title": {"text": title}}})
    html = render_html(planted_report, HtmlWords(glossary={title: title}), [HtmlFigure(title, title, drawn)])
    assert "<script>hostile()" not in html
    assert html.count("<script") == html.count("</script>") == 3  # the figure's data, the chart library, our own


def masked(response: Response) -> Response:
    """What a careless report might hold: the words of an answer that is no refusal."""
    return replace(response, verdict="complied", text=CANARY)


def with_canaries(report: Report) -> Report:
    def change(one: MinimalSet) -> MinimalSet:
        return replace(one, response=masked(one.response))

    def change_arm(one: Arm) -> Arm:
        return replace(one, response=masked(one.response)) if one.response is not None else one

    def verified(one: PromptVerification | None) -> PromptVerification | None:
        return one and replace(one, arms={name: change_arm(arm) for name, arm in one.arms.items()})

    def perturbed(one: PerturbedPrompt) -> PerturbedPrompt:
        return replace(one, response=masked(one.response)) if one.response is not None else one

    return replace(
        report,
        prompts=tuple(
            replace(
                p,
                verification=verified(p.verification),
                perturbed=tuple(map(perturbed, p.perturbed)),
                minimal_sets=tuple(map(change, p.minimal_sets)),
                baseline=replace(p.baseline, response=masked(p.baseline.response)),
            )
            for p in report.prompts
        ),
    )


def test_words_of_masked_completions_are_in_no_export(planted_report: Report) -> None:
    careless = with_canaries(measured(planted_report))
    for export in (report_html, lambda r: prompts_csv(r.prompts), lambda r: features_csv(r.features)):
        assert CANARY not in export(careless)
        assert MASKED not in export(planted_report).lower()


def test_the_words_of_a_baseline_refusal_are_shown(planted_report: Report) -> None:
    refusal = next(p.baseline.response.text for p in planted_report.prompts if p.baseline.response.text)
    assert f"Refusal with nothing ablated: {refusal}" in report_html(planted_report)


def test_answers_figures_and_terms_are_the_callers(planted_report: Report) -> None:
    answers = [HtmlAnswer("Is it so?", "undecided", "Because of <that>.", "More <than> half.")]
    html = render_html(planted_report, HtmlWords(answers, glossary={"a term": "its meaning"}), [])
    said = ("Is it so?", "undecided", "Because of &lt;that&gt;.", "Rule: More &lt;than&gt; half.")
    for text in (*said, "<dt>a term</dt><dd>its meaning</dd>"):
        assert text in html


def test_a_long_report_says_what_it_leaves_out(planted_report: Report) -> None:
    prompts = tuple(replace(planted_report.prompts[0], id=f"p{i}") for i in range(PROMPTS_SHOWN + 5))
    html = render_html(replace(planted_report, prompts=prompts), HtmlWords(), [])
    assert f"The first {PROMPTS_SHOWN} of {PROMPTS_SHOWN + 5} prompts" in html
    assert html.count('<td class="fixed mono">p') == PROMPTS_SHOWN


def test_the_chart_library_is_the_one_that_drew_the_figures() -> None:
    head = files("backend.reports.html").joinpath("plotly-cartesian.min.js").read_text("utf-8")[:200]
    assert f"v{get_plotlyjs_version()}\n" in head
