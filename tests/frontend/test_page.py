"""Which page an address opens."""

import pytest
from dash import Dash, Input, Output
from fastapi import FastAPI

from frontend.page import Ui, View, match


async def audits(query):
    return View("audits", [])


async def new(query):
    return View("new", [])


async def overview(query, audit_id):
    return View("overview", [])


async def prompt(query, audit_id, prompt_id):
    return View("prompt", [])


@pytest.fixture
def ui():
    ui = Ui(app=Dash("test", server=FastAPI()), api=None)
    ui.page("/", audits)
    ui.page("/audits/{audit_id}", overview)
    ui.page("/audits/new", new)
    ui.page("/audits/{audit_id}/prompts/{prompt_id}", prompt)
    return ui


@pytest.mark.parametrize(
    ("path", "layout", "variables"),
    [
        ("/", audits, {}),
        ("/audits/new", new, {}),
        ("/audits/new/", new, {}),
        ("/audits/a1", overview, {"audit_id": "a1"}),
        ("/audits/a1/prompts/x%2Fy%3F%20z", prompt, {"audit_id": "a1", "prompt_id": "x/y? z"}),
    ],
)
def test_a_path_opens_its_page_with_its_variables_decoded(ui, path, layout, variables):
    assert match(ui.routes, path) == (layout, variables)


@pytest.mark.parametrize("path", ["/audits", "/audits/a1/nothing", "/audits/a1/prompts/b/c", "/audits//prompts/b"])
def test_no_variable_spans_a_slash_or_is_empty(ui, path):
    assert match(ui.routes, path) is None


def test_a_callback_that_would_hold_up_the_server_is_refused(ui):
    def slow(value):
        return value

    with pytest.raises(TypeError, match="slow: make it async"):
        ui.callback(Output("a", "children"), Input("b", "value"))(slow)
