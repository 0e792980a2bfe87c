"""The features of a finished audit: what they do against how they point, and a grid that the URL keeps the view of."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, no_update

from backend.api.schemas import AuditDetail, Distributions, FeatureLine, Page
from frontend.components.audit_header import audit_header
from frontend.components.feature_filters import as_api, feature_filters, filter_id, filters, filters_of
from frontend.components.feature_grid import COLUMNS, DEFAULT_SORT, SORTS, feature_columns, feature_row
from frontend.components.graph import graph
from frontend.components.messages import empty_state
from frontend.components.paged_grid import Request, paged_grid, register_paged_grid, sort_of
from frontend.components.section import panel
from frontend.components.term_list import term_list
from frontend.components.url_store import register_url_store, url_store
from frontend.figures.feature_plane import feature_plane
from frontend.page import Query, Ui, View
from frontend.url_state import audit_path, choice, feature_path, write_query

GRID, URL, PLANE = "features-grid", "features-url", "features-plane"
AUDIT = "audit_id"  # kept beside the filters: the grid's callback knows no page
DRAWN = 500  # marks in the figure: more are not told apart


def register(ui: Ui) -> None:
    async def layout(query: Query, audit_id: str) -> View:
        detail = await ui.api.audit(audit_id)
        if detail.audit.state != "done":
            return View(detail.audit.name, _unfinished(detail))
        first = await ui.api.features(audit_id, limit=DRAWN, sort=DEFAULT_SORT)
        distributions = await ui.api.distributions(audit_id)
        return View(f"Features of {detail.audit.name}", features(detail, distributions, first, query))

    ui.page("/audits/{audit_id}/features", layout)
    register_url_store(ui, URL)
    _register_grid(ui)

    @ui.callback(
        Output("location", "href", allow_duplicate=True),
        Input(PLANE, "clickData"),
        State(f"{GRID}-filters", "data"),
        prevent_initial_call=True,
    )
    async def open_feature(click: dict[str, Any] | None, chosen: dict[str, Any]) -> Any:
        points = (click or {}).get("points") or []
        return feature_path(chosen[AUDIT], points[0]["customdata"][0]) if points else no_update


def features(detail: AuditDetail, distributions: Distributions, first: Page[FeatureLine], query: Query) -> Any:
    """The page of a finished audit, in the state its link asks for; `first` are those of most minimal sets."""
    if first.total == 0:
        nothing = empty_state("No features", "This audit lists none: no candidate pointed along the refusal direction.")
        return dmc.Stack([audit_header(detail.audit, "features"), nothing])
    chosen = filters_of(query)
    return dmc.Stack(
        [
            audit_header(detail.audit, "features"),
            url_store(URL),
            panel(
                graph(
                    PLANE,
                    feature_plane(first.items),
                    "Effect of each feature alone against its cosine with the refusal direction; a click opens it",
                ),
                dmc.Text(_about_plane(first), size="sm", c="dimmed"),
                title="How features point, and what ablating each alone does: click one to open it",
            ),
            feature_filters(chosen, distributions.layers),
            paged_grid(
                GRID,
                feature_columns(choice(query, "sort", SORTS, DEFAULT_SORT)),
                label="Features of this audit",
                filters={AUDIT: detail.audit.id, **chosen},
                height="640px",
                options={"tooltipShowDelay": 300},
            ),
            term_list("What the columns mean", sorted({column.term for column in COLUMNS})),
        ],
        gap="md",
    )


def features_query(chosen: Mapping[str, Any], asked: Mapping[str, Any] | None) -> str:
    """The address's query for what the grid shows; the default sort is left out."""
    sort = sort_of(asked or {}) or DEFAULT_SORT
    shown = {name: value for name, value in chosen.items() if name != AUDIT}
    return write_query(**shown, sort=None if sort == DEFAULT_SORT else sort)


def _about_plane(first: Page[FeatureLine]) -> str:
    measured = sum(line.effect is not None for line in first.items)
    of = f"{first.total:,}" if first.total <= DRAWN else f"the first {len(first.items):,} of {first.total:,}"
    return (
        f"{measured:,} of {of} features were ablated alone and have an effect to show; larger marks are in the minimal "
        "sets of more prompts."
    )


def _unfinished(detail: AuditDetail) -> Any:
    link = dmc.Anchor("Watch its progress", href=audit_path(detail.audit.id))
    text = "Prompts, features and figures are listed once the audit is done."
    return dmc.Stack([audit_header(detail.audit, "features"), empty_state("Not done yet", text, link)])


def _register_grid(ui: Ui) -> None:
    async def fetch(request: Request, chosen: Mapping[str, Any]) -> Page[FeatureLine]:
        paging = {"cursor": request.cursor, "limit": request.limit, "sort": request.sort}
        return await ui.api.features(chosen[AUDIT], **paging, **as_api(chosen))

    def row(line: FeatureLine, chosen: Mapping[str, Any]) -> dict[str, Any]:
        return feature_row(line, chosen[AUDIT])

    register_paged_grid(ui, GRID, fetch, row, "feature")

    @ui.callback(
        Output(f"{GRID}-filters", "data"),
        Input(filter_id("layer"), "value"),
        Input(filter_id("role"), "value"),
        Input(filter_id("text"), "value"),
        State(f"{GRID}-filters", "data"),
        prevent_initial_call=True,
    )
    async def filtered(layer: str | None, role: str | None, text: str | None, before: dict[str, Any]) -> Any:
        chosen = {AUDIT: before[AUDIT], **filters(layer, role, text)}
        return chosen if chosen != before else no_update

    @ui.callback(
        Output(URL, "data"),
        Input(f"{GRID}-filters", "data"),
        Input(GRID, "getRowsRequest"),
        prevent_initial_call=True,
    )
    async def address(chosen: dict[str, Any], asked: dict[str, Any] | None) -> Any:
        return no_update if asked is None else features_query(chosen, asked)
