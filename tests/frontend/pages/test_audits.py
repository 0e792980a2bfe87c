"""The list of audits: what an empty server offers, and what the address brings back."""

import asyncio

import pytest

from frontend.pages import audits
from frontend.shell import shown
from tests.frontend.trees import by_id, links, words
from tests.frontend.wire_values import audit, page, subject, ui_over


def view(*found, search="", path="/audits"):
    ui = ui_over({"/audits": page(*found), "/subjects": page(subject("planted"))})
    audits.register(ui)
    return asyncio.run(shown(ui, path, search)).body


def test_an_empty_server_offers_a_first_audit():
    body = view()
    assert "No audits yet" in words(body)
    assert "/audits/new?subject=smollm2-135m-sft&prompts=bundled%3Ademo&effort=quick" in links(body)


def test_a_server_with_the_example_alone_begins_with_it():
    body = view(audit(origin="example", id="example"))
    assert "Start with the example" in words(body)
    assert "/audits/example" in links(body)
    assert "Start with the example" not in words(view(audit()))


@pytest.mark.parametrize("path", ["/", "/audits"])
def test_the_address_brings_back_filters_and_sort(path):
    body = view(audit(), path=path, search="?q=red&state=failed&subject=planted&sort=flipped_minimal")
    assert by_id(body, "audits-search").value == "red"
    assert by_id(body, "audits-grid-filters").data == {"text": "red", "state": "failed", "subject": "planted"}
    sorted_by = [column["field"] for column in by_id(body, "audits-grid").columnDefs if "sort" in column]
    assert sorted_by == ["flipped_minimal"]


def test_a_foreign_sort_or_state_falls_back():
    body = view(audit(), search="?sort=password&state=mine&subject=gone")
    assert [column["field"] for column in by_id(body, "audits-grid").columnDefs if "sort" in column] == ["created"]
    assert by_id(body, "audits-grid-filters").data == {"text": None, "state": None, "subject": "gone"}
