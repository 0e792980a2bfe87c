"""Infinite rows over cursors: each page is asked for with the cursor of the one before."""

from dataclasses import dataclass

from frontend.components.paged_grid import BLOCK, next_cursors, request_of, response_of, total_words


@dataclass
class Rows:
    items: list
    total: int
    next_cursor: str | None


def ask(start, sort=()):
    return {"startRow": start, "endRow": start + BLOCK, "sortModel": [*sort], "filterModel": {}}


FULL = Rows(items=[{}] * BLOCK, total=250, next_cursor="c1")
DESCENDING = {"colId": "score", "sort": "desc"}


def test_a_walk_down_the_list():
    cursors = {}
    assert request_of(ask(0), cursors).cursor is None
    cursors = next_cursors(ask(0), cursors, FULL)
    assert request_of(ask(BLOCK), cursors).cursor == "c1"
    cursors = next_cursors(ask(BLOCK), cursors, Rows([{}] * BLOCK, 250, "c2"))
    assert request_of(ask(2 * BLOCK), cursors).cursor == "c2"
    assert request_of(ask(BLOCK), cursors).cursor == "c1", "scrolling back finds the way"


def test_another_sort_starts_over():
    cursors = next_cursors(ask(0), {}, FULL)
    sorted_anew = ask(BLOCK, [DESCENDING])
    assert request_of(sorted_anew, cursors).cursor is None
    assert request_of(sorted_anew, cursors).sort == "-score"
    assert next_cursors(ask(0, [DESCENDING]), cursors, FULL) == {"sort": "-score", "at": {str(BLOCK): "c1"}}


def test_a_new_first_page_forgets_old_cursors():
    cursors = {"sort": None, "at": {"100": "old", "200": "older"}}
    assert next_cursors(ask(0), cursors, FULL)["at"] == {"100": "c1"}


def test_the_grid_learns_the_length_at_the_last_page_alone():
    assert response_of(ask(0), FULL, [{}] * BLOCK)["rowCount"] is None
    assert response_of(ask(200), Rows([{}] * 50, 250, None), [{}] * 50)["rowCount"] == 250
    assert response_of(ask(0), Rows([], 0, None), [])["rowCount"] == 0


def test_totals():
    assert (total_words(1, "audit"), total_words(12_000, "audit")) == ("1 audit", "12,000 audits")
