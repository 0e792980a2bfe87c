"""The prompts of a finished audit: a grid paged through the API, with slices and filters that the URL keeps."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, no_update

from backend.api.schemas import AuditDetail, Distributions, PromptLine, Slice
from frontend.components.audit_header import audit_header
from frontend.components.graph import graph
from frontend.components.messages import empty_state
from frontend.components.paged_grid import Request, RowPage, paged_grid, register_paged_grid, sort_of
from frontend.components.prompt_filters import CHOICES, filter_id, filters_of, prompt_filters
from frontend.components.prompt_grid import prompt_columns, prompt_row, sortable
from frontend.components.section import panel
from frontend.components.url_store import register_url_store, url_store
from frontend.figures.slices import slices_by_outcome
from frontend.page import Query, Ui, View
from frontend.url_state import audit_path, write_query

GRID, URL, SLICES = "prompts-grid", "prompts-url", "prompts-slices"
CONTROLS = (*CHOICES, "category", "text")
AUDIT = "audit_id"  # kept beside the filters: the grid's callback knows no page


def register(ui: Ui) -> None:
    async def layout(query: Query, audit_id: str) -> View:
        detail = await ui.api.audit(audit_id)
        if detail.audit.state != "done":
            return View(detail.audit.name, unfinished(detail))
        return View(f"Prompts of {detail.audit.name}", prompts(detail, await ui.api.distributions(audit_id), query))

    async def fetch(request: Request, filters: Mapping[str, Any]) -> RowPage:
        asked = {name: value for name, value in filters.items() if name != AUDIT}
        return await ui.api.prompts(
            filters[AUDIT], cursor=request.cursor, limit=request.limit, sort=request.sort, **asked
        )

    def row(line: PromptLine, filters: Mapping[str, Any]) -> dict[str, Any]:
        return prompt_row(line, filters[AUDIT])

    @ui.callback(
        Output(filter_id("category"), "value"),
        Output(filter_id("outcome"), "value"),
        Output(SLICES, "clickData"),  # forgotten, so that the same bar can be clicked again
        Input(SLICES, "clickData"),
        State(filter_id("category"), "value"),
        State(filter_id("outcome"), "value"),
        prevent_initial_call=True,
    )
    async def click_slice(click: dict[str, Any] | None, category: str | None, outcome: str | None) -> Any:
        return (*chosen_slice(click, category, outcome), None)

    @ui.callback(
        Output(f"{GRID}-filters", "data"),
        *(Input(filter_id(name), "value") for name in CONTROLS),
        State(f"{GRID}-filters", "data"),
        prevent_initial_call=True,
    )
    async def filter_rows(*arguments: Any) -> Any:
        *values, before = arguments
        filters = {AUDIT: before[AUDIT], **filters_of({n: v for n, v in zip(CONTROLS, values, strict=True) if v})}
        return filters if filters != before else no_update

    @ui.callback(
        Output(URL, "data"),
        Input(f"{GRID}-filters", "data"),
        Input(GRID, "getRowsRequest"),
        prevent_initial_call=True,
    )
    async def keep(filters: dict[str, Any], asked: dict[str, Any] | None) -> Any:
        if asked is None:
            return no_update
        return write_query(**{n: v for n, v in filters.items() if n != AUDIT}, sort=sort_of(asked))

    @ui.callback(
        Output(SLICES, "figure"),
        Input(f"{GRID}-filters", "data"),
        State(f"{SLICES}-counts", "data"),
        prevent_initial_call=True,
    )
    async def highlight(filters: dict[str, Any], counts: list[dict[str, Any]]) -> Any:
        slices = [Slice.model_validate(line) for line in counts]
        return slices_by_outcome(slices, filters.get("category"), filters.get("outcome"))

    ui.page("/audits/{audit_id}/prompts", layout)
    register_paged_grid(ui, GRID, fetch, row, "prompt")
    register_url_store(ui, URL)


def chosen_slice(click: Mapping[str, Any] | None, category: str | None, outcome: str | None) -> tuple[Any, Any]:
    """The slice that was clicked as (category, outcome); the chosen one clicked again is none."""
    points = (click or {}).get("points") or []
    if not points or not points[0].get("customdata"):
        return no_update, no_update
    clicked = tuple(points[0]["customdata"][:2])
    if clicked == (category, outcome):
        return None, None
    return clicked[0] or None, clicked[1]


def unfinished(detail: AuditDetail) -> Any:
    """Results are there once the audit is done; the overview shows how far it is."""
    link = dmc.Anchor("Watch its progress", href=audit_path(detail.audit.id))
    text = "Prompts, features and figures are listed once the audit is done."
    return dmc.Stack([audit_header(detail.audit, "prompts"), empty_state("Not done yet", text, link)])


def prompts(detail: AuditDetail, distributions: Distributions, query: Query) -> Any:
    """The page of a finished audit, in the state its link asks for."""
    filters = filters_of(query)
    chart = graph(
        SLICES,
        slices_by_outcome(distributions.slices, filters.get("category"), filters.get("outcome")),
        "Prompts of each category by what became of them; a click filters the grid",
    )
    return dmc.Stack(
        [
            audit_header(detail.audit, "prompts"),
            url_store(URL),
            dcc.Store(id=f"{SLICES}-counts", data=[line.model_dump(mode="json") for line in distributions.slices]),
            panel(chart, title="By category and outcome: click a bar to see its prompts, again to see all"),
            prompt_filters(filters, distributions.slices),
            paged_grid(
                GRID,
                prompt_columns(sortable(query.get("sort"))),
                label="Prompts of this audit",
                filters={AUDIT: detail.audit.id, **filters},
                height="640px",
                options={"tooltipShowDelay": 300},
            ),
        ],
        gap="md",
    )
