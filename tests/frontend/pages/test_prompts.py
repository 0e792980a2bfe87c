"""The prompts page: rows as plain text, filters and sort from the address, and slices that choose."""

from typing import Any

from dash import no_update

from backend.api.schemas import Distributions, Slice
from frontend.components.prompt_filters import filters_of
from frontend.components.prompt_grid import prompt_columns, prompt_row, sortable
from frontend.pages.prompts import GRID, chosen_slice, prompts, unfinished
from tests.frontend.features_data import audit_detail
from tests.frontend.prompt_data import HOSTILE, UNAUDITED, line
from tests.frontend.trees import by_id, links, words

DISTRIBUTIONS = Distributions(
    set_sizes={}, depths={}, slices=[Slice(category="fraud", counts={"flipped": 1})], layers=[], never_flipped=[]
)


def click(*customdata: str) -> dict[str, Any]:
    return {"points": [{"customdata": list(customdata)}]}


def test_a_cold_link_restores_filters_and_sort() -> None:
    query = {
        "label": "harmful",
        "split": "test",
        "outcome": "flipped",
        "category": "fraud",
        "text": " a ",
        "sort": "-depth",
    }
    view = prompts(audit_detail(), DISTRIBUTIONS, query)
    expected = {"label": "harmful", "split": "test", "outcome": "flipped", "category": "fraud", "text": "a"}
    assert by_id(view, f"{GRID}-filters").data == {"audit_id": "audit_1", **expected}
    assert [c["field"] for c in by_id(view, GRID).columnDefs if c.get("sort") == "desc"] == ["depth"]
    assert by_id(view, "prompt-filter-outcome").value == "flipped"


def test_whatever_a_link_says_the_page_opens() -> None:
    query = {"label": "<b>", "verdict": "maybe", "sort": "-text", "outcome": ""}
    assert filters_of(query) == {}
    assert sortable("-text") is None
    assert sortable("nothing") is None
    view = prompts(audit_detail(), DISTRIBUTIONS, query | {"category": HOSTILE})
    assert by_id(view, f"{GRID}-filters").data == {"audit_id": "audit_1", "category": HOSTILE}


def test_rows_are_plain_text() -> None:
    row = prompt_row(line(), "a")
    assert HOSTILE in row["text"]
    assert row["link"] == {"href": "/audits/a/prompts/h1", "text": "h1"}
    assert (row["flipped_direction"], row["flipped_fm"], row["flipped_probe"]) == ("flipped", "–", "no")
    assert prompt_row(line(UNAUDITED), "a")["set_size"] == "–"
    assert prompt_row(line(id="a/b ?"), "a")["link"]["href"] == "/audits/a/prompts/a%2Fb%20%3F"


def test_columns_name_what_the_api_sorts_by() -> None:
    columns = {column.get("colId", column["field"]): column for column in prompt_columns("score")}
    assert columns["score"]["sort"] == "asc"
    assert "sortable" not in columns["text"]
    assert set(columns) == set(prompt_row(line(), "a")) - {"link"}


def test_a_slice_is_chosen_and_chosen_again_let_go() -> None:
    assert chosen_slice(click("fraud", "flipped"), None, None) == ("fraud", "flipped")
    assert chosen_slice(click("fraud", "flipped"), "fraud", "flipped") == (None, None)
    assert chosen_slice(click("", "complied"), None, None) == (None, "complied")
    assert chosen_slice(None, "fraud", None) == (no_update, no_update)


def test_an_audit_that_is_not_done_leads_to_its_progress() -> None:
    view = unfinished(audit_detail(state="running"))
    assert "Not done yet" in words(view)
    assert "/audits/audit_1" in links(view)
