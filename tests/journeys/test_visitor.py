"""The journeys' own watch: what a user must never meet is noted, and ends a journey."""

import pytest
from playwright.sync_api import Browser

from tests.journeys.service import Service
from tests.journeys.visitor import visiting

NOTED = {
    "console.error('oh')": "console error oh",
    "setTimeout(() => { throw new Error('thrown') })": "error thrown",
    "alert('hello')": "dialog hello",
    "fetch('/api/none')": "status 404",
    "fetch('http://elsewhere.invalid/').catch(() => 0)": "elsewhere.invalid",
}


def test_what_must_not_happen_ends_a_journey(browser: Browser, service: Service) -> None:
    with pytest.raises(AssertionError) as ended:
        meet(browser, service, "; ".join(NOTED))
    assert [noted for noted in NOTED.values() if noted not in str(ended.value)] == []


def test_a_hostile_text_that_runs_ends_a_journey(browser: Browser, service: Service) -> None:
    with pytest.raises(AssertionError, match="a hostile text ran"):
        meet(browser, service, "hostile()")


def meet(browser: Browser, service: Service, script: str) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.opened("/audits/none")
        page.evaluate(f"{{ {script} }}")
        page.wait_for_timeout(300)
