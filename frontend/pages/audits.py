"""Every audit of this server: a grid to find, open, rename, stop, resume and delete them, and to bring in a report."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from backend.api.schemas import AuditSummary, Page
from frontend.components.audit_actions import audit_action_boxes, audit_actions, register_audit_actions
from frontend.components.audit_form import FIRST_PROMPTS, FIRST_SUBJECT
from frontend.components.audit_rows import COLUMNS, DEFAULT_SORT, SORTS, audit_columns, audit_row
from frontend.components.button_link import button_link
from frontend.components.messages import empty_state
from frontend.components.paged_grid import Request, paged_grid, register_paged_grid, sort_of
from frontend.components.report_import import register_report_import, report_import, report_import_error
from frontend.components.term_list import term_list
from frontend.components.url_store import register_url_store, url_store
from frontend.page import Query, Ui, View
from frontend.url_state import audit_path, choice, new_audit_path, write_query

GRID = "audits-grid"
STATES = ("queued", "running", "done", "failed", "cancelled")
_SEARCH, _STATE, _SUBJECT = "audits-search", "audits-state-filter", "audits-subject"
_URL, _TICK = "audits-url", "audits-tick"


def register(ui: Ui) -> None:
    async def layout(query: Query) -> View:
        first = await ui.api.audits(limit=2)
        subjects = await ui.api.subjects(limit=200)
        return View("Audits", audits_view(first, [subject.id for subject in subjects.items], query))

    ui.page("/", layout)
    ui.page("/audits", layout)
    register_url_store(ui, _URL)
    _register_grid(ui)
    register_audit_actions(ui, GRID)
    register_report_import(ui)


def audits_view(first: Page[AuditSummary], subjects: list[str], query: Query) -> Any:
    """The page; `first` holds the newest audits, to tell an empty server from one with the example alone."""
    ways_in = dmc.Group([report_import(), button_link("New audit", new_audit_path(), icon_name="plus")], gap="xs")
    head = dmc.Group([dmc.Title("Audits", order=1), ways_in], justify="space-between")
    if first.total == 0:
        return dmc.Stack([head, report_import_error(), _nothing_yet()], gap="md")
    parts = [_welcome(first), _filters(subjects, query), _grid(query), *audit_action_boxes()]
    return dmc.Stack([head, report_import_error(), *parts], gap="sm")


def _nothing_yet() -> Any:
    quick = new_audit_path(subject=FIRST_SUBJECT, prompts=FIRST_PROMPTS, effort="quick")
    return empty_state(
        "No audits yet",
        "An audit finds the features that make a model refuse, shows how few of them it takes to stop it, and holds "
        "that against random features. A quick one of the bundled model takes minutes on a laptop.",
        button_link("Start a first audit", quick, icon_name="play"),
        button_link("Choose another model or other prompts", new_audit_path(), primary=False),
    )


def _welcome(first: Page[AuditSummary]) -> Any:
    """Where to begin, as long as the example is all there is."""
    if first.total != 1 or first.items[0].origin != "example":
        return None
    example = first.items[0]
    words = [
        "This audit was run by us and comes with the product, to show what a report looks like. ",
        dmc.Anchor("Open the example", href=audit_path(example.id)),
        " or ",
        dmc.Anchor("start your own audit", href=new_audit_path()),
        ".",
    ]
    return dmc.Alert(dmc.Text(words, size="sm"), title="Start with the example", color="blue", variant="light")


def _filters(subjects: list[str], query: Query) -> Any:
    return dmc.Group(
        [
            dmc.TextInput(
                id=_SEARCH,
                label="Search",
                placeholder="name, model or prompts",
                value=query.get("q", ""),
                debounce=300,
                w={"base": "100%", "xs": 240},
            ),
            dmc.Select(id=_STATE, label="State", data=list(STATES), value=_state(query), clearable=True, w=150),
            dmc.Select(
                id=_SUBJECT,
                label="Subject",
                data=subjects,
                value=query.get("subject"),
                clearable=True,
                searchable=True,
                w=220,
            ),
            dmc.Box(flex=1),
            audit_actions(),
        ],
        align="end",
        gap="sm",
    )


def _grid(query: Query) -> Any:
    sort = choice(query, "sort", SORTS, DEFAULT_SORT)
    filters = {"text": query.get("q"), "state": _state(query), "subject": query.get("subject")}
    return html.Div(
        [
            url_store(_URL),
            dcc.Interval(id=_TICK, interval=2000, disabled=True),
            paged_grid(
                GRID,
                audit_columns(sort),
                label="Audits",
                filters=filters,
                height="calc(100vh - 320px)",
                options={"rowSelection": {"mode": "multiRow", "enableClickSelection": True, "headerCheckbox": False}},
            ),
            term_list("What the columns mean", [term for _, _, term in COLUMNS]),
        ]
    )


def _state(query: Query) -> str | None:
    return choice(query, "state", STATES, "") or None


def _register_grid(ui: Ui) -> None:
    async def fetch(request: Request, filters: Mapping[str, Any]) -> Page[AuditSummary]:
        return await ui.api.audits(cursor=request.cursor, limit=request.limit, sort=request.sort, **filters)

    register_paged_grid(ui, GRID, fetch, lambda audit, _: audit_row(audit), "audit")

    @ui.callback(
        Output(f"{GRID}-filters", "data"),
        Input(_SEARCH, "value"),
        Input(_STATE, "value"),
        Input(_SUBJECT, "value"),
        prevent_initial_call=True,
    )
    async def filtered(text: str | None, state: str | None, subject: str | None) -> dict[str, Any]:
        return {"text": (text or "").strip() or None, "state": state, "subject": subject}

    @ui.callback(
        Output(_URL, "data"),
        Input(f"{GRID}-filters", "data"),
        Input(GRID, "getRowsRequest"),
        prevent_initial_call=True,
    )
    async def address(filters: dict[str, Any], asked: dict[str, Any] | None) -> str:
        return audits_query(filters, asked)

    @ui.callback(Output(_TICK, "disabled"), Input(GRID, "getRowsResponse"), State(GRID, "getRowsRequest"))
    async def keep_watching(response: dict[str, Any] | None, asked: dict[str, Any] | None) -> Any:
        ongoing = any(row["ongoing"] for row in (response or {}).get("rowData", []))
        return no_update if not ongoing and asked and asked.get("startRow") else not ongoing

    ui.clientside("refresh_grid", Input(_TICK, "n_intervals"), State(GRID, "id"), prevent_initial_call=True)


def audits_query(filters: Mapping[str, Any], asked: Mapping[str, Any] | None) -> str:
    """The address's query for what the grid shows; the default sort is left out."""
    sort = sort_of(asked or {}) or DEFAULT_SORT
    return write_query(
        q=filters.get("text"),
        state=filters.get("state"),
        subject=filters.get("subject"),
        sort=None if sort == DEFAULT_SORT else sort,
    )
