"""A grid whose rows come page by page from the API: AG Grid's infinite rows over cursors. Knows no API route.

A cursor leads only to the page after it, so that the grid learns of one page at a time, asks one at a time, and keeps
the cursors it was given in a store beside it (`GRID-cursors`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import dash_ag_grid as dag
from dash import Input, Output, State, dcc, html, no_update

from frontend.page import Ui

BLOCK = 100  # rows a request
THEME = {"function": "themeQuartz.withPart(agGrid.colorSchemeVariable)"}


class RowPage(Protocol):
    """What a list route answers."""

    items: Sequence[Any]
    total: int
    next_cursor: str | None


@dataclass(frozen=True)
class Request:
    """What the API is asked for."""

    cursor: str | None
    limit: int
    sort: str | None  # column, with a leading minus when descending


Fetch = Callable[[Request, Mapping[str, Any]], Awaitable[RowPage]]
"""Asks the API for one page; the mapping is the data of the grid's filter store."""


def paged_grid(
    grid_id: str,
    columns: list[dict[str, Any]],
    *,
    label: str,
    filters: Mapping[str, Any] | None = None,
    height: str = "calc(100vh - 260px)",
    options: Mapping[str, Any] | None = None,
) -> Any:
    """The grid, its filter store `GRID-filters` and its line `GRID-total`; `filters` is what it opens with.

    Columns are AG Grid definitions without HTML; a column that may be sorted says `"sortable": True` and opens sorted
    with `"sort": "asc" | "desc"`. `"cellRenderer": "Link"` makes a link of a cell that is `{"href": ..., "text": ...}`.
    """
    grid = dag.AgGrid(
        id=grid_id,
        columnDefs=columns,
        defaultColDef={
            "sortable": False,
            "resizable": True,
            "suppressHeaderMenuButton": True,
            "minWidth": 90,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
        },
        rowModelType="infinite",
        getRowId="params.data.id",
        dangerously_allow_code=False,
        style={"height": height, "minHeight": "280px", "width": "100%"},
        dashGridOptions={
            "theme": THEME,
            "cacheBlockSize": BLOCK,
            "maxConcurrentDatasourceRequests": 1,
            "infiniteInitialRowCount": 1,
            "suppressCellFocus": False,
            "enableCellTextSelection": True,
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            **(options or {}),
        },
    )
    return html.Div(
        [
            dcc.Store(id=f"{grid_id}-filters", data=dict(filters or {})),
            dcc.Store(id=f"{grid_id}-cursors", data={}),
            html.Div(id=f"{grid_id}-total", className="grid-total", **{"aria-live": "polite"}),
            html.Div(grid, role="region", **{"aria-label": label}),
        ]
    )


def register_paged_grid(
    ui: Ui, grid_id: str, fetch: Fetch, row: Callable[[Any, Mapping[str, Any]], dict[str, Any]], noun: str
) -> None:
    """Feeds the grid: `fetch` asks the API, `row` makes a row (with an `id`) of an item and the filters."""

    @ui.callback(
        Output(grid_id, "getRowsResponse"),
        Output(f"{grid_id}-cursors", "data"),
        Output(f"{grid_id}-total", "children"),
        Input(grid_id, "getRowsRequest"),
        State(f"{grid_id}-filters", "data"),
        State(f"{grid_id}-cursors", "data"),
    )
    async def rows(asked: dict[str, Any] | None, filters: dict[str, Any], cursors: dict[str, Any]) -> Any:
        if asked is None:
            return no_update, no_update, no_update
        request = request_of(asked, cursors)
        page = await fetch(request, filters)
        response = response_of(asked, page, [row(item, filters) for item in page.items])
        return response, next_cursors(asked, cursors, page), total_words(page.total, noun)

    ui.clientside("purge_grid", Input(f"{grid_id}-filters", "data"), State(grid_id, "id"), prevent_initial_call=True)


def request_of(asked: Mapping[str, Any], cursors: Mapping[str, Any]) -> Request:
    """AG Grid's request as the API's; the first block, a new sort and an unknown place start from the beginning."""
    sort = sort_of(asked)
    start = int(asked.get("startRow") or 0)
    known = cursors.get("at", {}) if cursors.get("sort") == sort else {}
    return Request(cursor=known.get(str(start)) if start else None, limit=BLOCK, sort=sort)


def next_cursors(asked: Mapping[str, Any], cursors: Mapping[str, Any], page: RowPage) -> dict[str, Any]:
    """The cursors known after a page: those before it under the same sort, and the one to the page that follows."""
    sort, start = sort_of(asked), int(asked.get("startRow") or 0)
    known = dict(cursors.get("at", {})) if start and cursors.get("sort") == sort else {}
    if page.next_cursor is not None:
        known[str(start + len(page.items))] = page.next_cursor
    return {"sort": sort, "at": known}


def response_of(asked: Mapping[str, Any], page: RowPage, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows, and how many there are in all once the last page is in: until then the grid asks for the next page."""
    end = int(asked.get("startRow") or 0) + len(rows)
    return {"rowData": rows, "rowCount": end if page.next_cursor is None else None}


def sort_of(asked: Mapping[str, Any]) -> str | None:
    model = asked.get("sortModel") or []
    return ("-" if model[0]["sort"] == "desc" else "") + model[0]["colId"] if model else None


def total_words(total: int, noun: str) -> str:
    return f"{total:,} {noun}{'' if total == 1 else 's'}"
