"""Pages by cursor: every row once, in order, with nulls and ties, on both databases."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from backend.errors import BadInput
from backend.store import prompt_results
from backend.store.database import Database
from backend.store.insert import insert_many
from backend.store.paging import RowPage
from backend.store.tables import PromptResultRow
from tests.store.rows import new_audit

VALUES = {
    "score": st.sampled_from([-1.5, 0.0, 0.1, 2.25]) | st.floats(-1e300, 1e300),
    "verdict": st.sampled_from(["refused", "complied"]),
    "category": st.none() | st.sampled_from(["", "a", "a b", "Z"]),
    "set_size": st.none() | st.integers(-3, 3) | st.integers(-(2**31), 2**31 - 1),
    "random_flips": st.none() | st.sampled_from([0.0, 0.1, 0.30000000000000004, 1.0]),
    "flipped_direction": st.none() | st.booleans(),
}
REST = {"text": "t", "label": "harmful", "family": "f", "split": "test", "outcome": "refused", "story": {}}

LEAST = {"score": 0.0, "verdict": "refused", "category": None, "random_flips": None, "flipped_direction": None} | {
    "set_size": -(2**31)
}

rows_of_values = st.lists(st.fixed_dictionaries(VALUES), max_size=12)
on_each_database = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def fill(session: Session, rows: list[dict[str, Any]]) -> str:
    audit = new_audit(session)
    lines = [{**REST, **row, "audit_id": audit.id, "prompt_id": f"p{i}", "position": i} for i, row in enumerate(rows)]
    insert_many(session, PromptResultRow, lines)
    return audit.id


def walk(session: Session, audit_id: str, **asked: Any) -> list[RowPage[PromptResultRow]]:
    pages = [prompt_results.list_prompts(session, audit_id, **asked)]
    while (cursor := pages[-1].next_cursor) is not None:
        assert len(pages) < 100
        pages.append(prompt_results.list_prompts(session, audit_id, **asked, cursor=cursor))
    return pages


@on_each_database
@example(rows=[LEAST, LEAST], sort="set_size", descending=False, limit=1)
@given(rows=rows_of_values, sort=st.sampled_from(sorted(VALUES)), descending=st.booleans(), limit=st.integers(1, 13))
def test_every_row_once_and_in_order(
    database: Database, rows: list[dict[str, Any]], sort: str, descending: bool, limit: int
) -> None:
    with database.reading() as session:  # nothing is kept: every example begins empty
        pages = walk(session, fill(session, rows), sort=sort, descending=descending, limit=limit)

    places = sorted(range(len(rows)), reverse=descending)
    valued = [i for i in places if rows[i][sort] is not None]
    expected = sorted(valued, key=lambda i: rows[i][sort], reverse=descending)  # stable, also in reverse
    expected += [i for i in places if rows[i][sort] is None]
    assert [row.position for page in pages for row in page.items] == expected
    assert {page.total for page in pages} == {len(rows)}
    assert all(len(page.items) == limit for page in pages[:-1])


@on_each_database
@given(rows=rows_of_values, verdict=st.sampled_from(["refused", "complied"]), limit=st.integers(1, 13))
def test_filters_hold_on_every_page(database: Database, rows: list[dict[str, Any]], verdict: str, limit: int) -> None:
    with database.reading() as session:
        pages = walk(session, fill(session, rows), verdict=verdict, category="", sort="score", limit=limit)

    wanted = {i for i, row in enumerate(rows) if row["verdict"] == verdict and row["category"] is None}
    assert {row.position for page in pages for row in page.items} == wanted
    assert {page.total for page in pages} == {len(wanted)}


def test_rows_that_come_in_between_move_no_other(database: Database) -> None:
    row = {"verdict": "refused", "category": None, "set_size": None, "random_flips": None, "flipped_direction": None}
    with database.reading() as session:
        audit_id = fill(session, [{**row, "score": float(i)} for i in range(6)])
        first = prompt_results.list_prompts(session, audit_id, sort="score", limit=3)
        between = {**REST, **row, "audit_id": audit_id, "prompt_id": "new", "position": 9, "score": 0.5}
        insert_many(session, PromptResultRow, [between])
        second = prompt_results.list_prompts(session, audit_id, sort="score", limit=3, cursor=first.next_cursor)

    assert [r.score for r in first.items + second.items] == [0, 1, 2, 3, 4, 5]
    assert second.next_cursor is None


def test_a_cursor_alone_remembers_the_sort(database: Database) -> None:
    row = {"verdict": "refused", "category": None, "set_size": None, "random_flips": None, "flipped_direction": None}
    with database.reading() as session:
        audit_id = fill(session, [{**row, "score": float(-i)} for i in range(4)])
        first = prompt_results.list_prompts(session, audit_id, sort="score", limit=2)
        second = prompt_results.list_prompts(session, audit_id, cursor=first.next_cursor)
        assert [r.score for r in second.items] == [-1, 0]
        for other in ({"sort": "score", "descending": True}, {"sort": "k"}):
            with pytest.raises(BadInput, match="cursor: it belongs to a list sorted by score"):
                prompt_results.list_prompts(session, audit_id, cursor=first.next_cursor, **other)


def cursor_of(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!!!",
        "é",
        "ab=c",
        "a" * 100_000,
        base64.urlsafe_b64encode(b"[" * 50_000).decode(),
        *map(
            cursor_of,
            [
                [],
                {},
                7,
                None,
                "score",
                [None, 1.0, 1],
                [["score"], 1.0, 1],
                ["score"],
                ["score", 1.0],
                ["score", 1.0, 1, 1],
                ["story", {}, 1],
                ["score", "1.0", 1],
                ["score", None, 1],
                ["score", True, 1],
                ["score", 1.0, "1"],
                ["score", 1.0, None],
                ["score", 1.0, 2**31],
                ["score", float("nan"), 1],
                ["score", float("inf"), 1],
                ["score", 10**400, 1],
                ["set_size", 2**63, 1],
                ["set_size", 1.5, 1],
                ["flipped_direction", 1, 1],
                ["verdict", 1, 1],
            ],
        ),
    ],
)
def test_a_cursor_that_the_list_never_gave_is_bad_input(database: Database, cursor: str) -> None:
    with database.reading() as session:
        audit_id = fill(session, [])
        with pytest.raises(BadInput, match="cursor: not one that this list gave out"):
            prompt_results.list_prompts(session, audit_id, cursor=cursor)


@on_each_database
@given(
    content=st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)
)
def test_no_cursor_breaks_the_database(database: Database, content: Any) -> None:
    for sort in ("score", "-verdict", "set_size", "flipped_direction"):
        try:
            with database.reading() as session:
                prompt_results.list_prompts(session, "none", cursor=cursor_of([sort, content, 1]))
        except BadInput:
            continue


def test_an_unknown_sort_names_the_known_ones(database: Database) -> None:
    with (
        database.reading() as session,
        pytest.raises(BadInput, match="sort: 'story' is not a column; choose one of category, "),
    ):
        prompt_results.list_prompts(session, "none", sort="story")


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_has_at_least_one_row(database: Database, limit: int) -> None:
    with database.reading() as session, pytest.raises(BadInput, match="limit: "):
        prompt_results.list_prompts(session, "none", limit=limit)
