"""What stands around every page: the router, and how errors are told."""

import asyncio
import logging

import httpx
import pytest
from fastapi import FastAPI

from backend.api.schemas import Problem
from frontend import shell
from frontend.api_client import ApiProblem
from frontend.page import View
from frontend.ui import create_ui
from tests.frontend.trees import by_id, links, words
from tests.frontend.wire_values import ui_over


@pytest.fixture
def ui():
    ui = ui_over({})

    async def fine(query, name):
        return View(name, [f"{name} with {query}"])

    async def refused(query):
        raise ApiProblem(Problem(title="Not found", status=404, detail="audit: there is no a9"))

    async def broken(query):
        raise RuntimeError("secret words")

    ui.page("/fine/{name}", fine)
    ui.page("/refused", refused)
    ui.page("/broken", broken)
    return ui


def show(ui, pathname, search=""):
    return asyncio.run(shell.shown(ui, pathname, search))


def test_a_page_gets_its_path_and_query_apart(ui):
    """A query that names a path variable does not take its place."""
    assert show(ui, "/fine/a%20b", "?name=other").body == ["a b with {'name': 'other'}"]


def test_an_unknown_address_says_so(ui):
    view = show(ui, "/nowhere/<b>x</b>")
    assert view.title == "Not found"
    assert "/nowhere/<b>x</b>" in words(view.body)
    assert links(view.body) == ["/audits"]


def test_what_the_api_refuses_is_said_in_the_page(ui):
    assert "audit: there is no a9" in words(show(ui, "/refused").body)


def test_an_unexpected_error_is_logged_and_not_shown(ui, caplog):
    view = show(ui, "/broken")
    assert "secret words" not in words(view.body)
    assert "secret words" in caplog.text


def test_an_error_of_a_callback_is_told_and_logged(monkeypatch, caplog):
    told = []
    monkeypatch.setattr(shell, "set_props", lambda _, props: told.append(props["sendNotifications"][0]))
    with caplog.at_level(logging.ERROR):
        shell.tell_error(ApiProblem(Problem(title="Not now", status=409, detail="job: it has ended")))
        assert caplog.text == ""
        shell.tell_error(RuntimeError("secret words"))
    assert [notice["message"] for notice in told] == ["job: it has ended", "The server's log has the reason."]
    assert "RuntimeError: secret words" in caplog.text


def test_the_dashboard_is_put_together_whole():
    async def opened():
        async with httpx.AsyncClient(base_url="http://server") as http:
            return create_ui(FastAPI(), http)

    dashboard = asyncio.run(opened())
    assert by_id(dashboard.layout, "location").refresh == "callback-nav"
    asked = {one["id"] for callback in dashboard._callback_list for one in callback["inputs"]}
    assert asked >= {"page-address", "audits-grid", "new-start", "live-tick"}
