"""Audits as rows of the grid."""

from backend.api import schemas as wire
from backend.audit.results import Figure
from frontend.components.audit_rows import COLUMNS, DEFAULT_SORT, SORTS, audit_columns, audit_row, state_words
from frontend.pages.audits import audits_query
from frontend.url_state import read_query
from tests.frontend.wire_values import audit

PROGRESS = wire.Progress(stage="prompts", done=12, total=48, overall=0.5, overall_seconds_left=260)


def test_a_row_has_every_figure_with_its_interval():
    done = audit("done", flipped_minimal=Figure(0.9, 0.7, 0.98, 21), minimal_set_size=Figure(3.0, 2.0, 5.0, 19))
    row = audit_row(done)
    assert row["flipped_minimal"] == "90 % (70 to 98), n 21"
    assert row["minimal_set_size"] == "3.0 (2.0 to 5.0), n 19"
    assert row["refusal_rate"] == "–"
    assert row["name"] == {"href": "/audits/a1", "text": "mine"}
    assert not row["ongoing"]


def test_states_in_words():
    assert state_words(audit("running", progress=PROGRESS)) == "running, 50 %, about 4 min 20 s left"
    assert state_words(audit("done", origin="example")) == "example"
    assert state_words(audit("done", origin="import")) == "done, imported"


def test_the_grid_opens_sorted_as_the_address_says():
    for sort in sorted(SORTS):
        marked = [(c.get("colId", c["field"]), c["sort"]) for c in audit_columns(sort) if "sort" in c]
        assert marked == [(sort.removeprefix("-"), "desc" if sort.startswith("-") else "asc")]


def test_key_figures_are_those_of_the_wire_type():
    assert {field for field, _, _ in COLUMNS} <= set(wire.AuditSummary.model_fields)


def test_the_address_holds_filters_and_sort():
    asked = {"startRow": 0, "sortModel": [{"colId": "flipped_minimal", "sort": "asc"}]}
    query = audits_query({"text": "a&b", "state": "done", "subject": None}, asked)
    assert read_query(query) == {"q": "a&b", "state": "done", "sort": "flipped_minimal"}
    default = {"startRow": 0, "sortModel": [{"colId": DEFAULT_SORT.removeprefix("-"), "sort": "desc"}]}
    assert audits_query({"text": None, "state": None, "subject": None}, default) == ""
