"""What wakes when refusal features are ablated: the layered graph over prompts, beside what it is held against."""

import asyncio
from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, no_update

from backend.api.schemas import AuditDetail, CascadeGraph, Distributions
from frontend.components.audit_header import audit_header
from frontend.components.cascade_evidence import GRAPH, cascade_graph_panel, influence, whole_layers, woken_features
from frontend.components.cascade_summary import cascade_summary
from frontend.components.graph import graph
from frontend.components.not_measured import not_done, not_measured
from frontend.components.revealable import ADDRESS
from frontend.components.section import contents, panel, section
from frontend.figures.set_sizes import cascade_depths
from frontend.page import Query, Ui, View
from frontend.terms import term_help
from frontend.url_state import audit_path, feature_path

CONTENTS = {"graph": "Graph", "figures": "Figures", "woken": "What wakes", "layers": "Layers"}


def register(ui: Ui) -> None:
    async def layout(query: Query, audit_id: str) -> View:
        detail = await ui.api.audit(audit_id)
        if detail.audit.state != "done":
            return View(detail.audit.name, not_done(detail.audit, "cascade"))
        found, distributions = await asyncio.gather(ui.api.cascade_graph(audit_id), ui.api.distributions(audit_id))
        body = await asyncio.to_thread(cascade, detail, found, distributions)
        return View(f"Cascade of {detail.audit.name}", body)

    ui.page("/audits/{audit_id}/cascade", layout)

    @ui.callback(
        Output("location", "href", allow_duplicate=True),
        Input(GRAPH, "clickData"),
        State(ADDRESS, "data"),
        prevent_initial_call=True,
    )
    async def open_feature(click: dict[str, Any] | None, address: Mapping[str, str]) -> Any:
        """On this page and on a prompt's."""
        return clicked_feature(click, address["audit_id"])


def cascade(detail: AuditDetail, found: CascadeGraph, distributions: Distributions) -> Any:
    """The page of a finished audit; `found` is over its refused test prompts."""
    audit_id, summary = detail.audit.id, detail.cascade
    head = [audit_header(detail.audit, "cascade"), dcc.Store(id=ADDRESS, data={"audit_id": audit_id})]
    if summary is None:
        return dmc.Stack([*head, not_measured(detail.audit, "the cascade")])
    depths = panel(
        graph("cascade-depths", cascade_depths(distributions.depths), "Prompts by cascade rounds until the flip"),
        dmc.Anchor("Deepest prompts", href=audit_path(audit_id, "prompts", label="harmful", sort="-depth"), size="sm"),
        title=["How ", term_help("depth", "deep"), " the cascade goes"],
    )
    return dmc.Stack(
        [
            *head,
            contents(CONTENTS),
            section(
                "graph",
                "What each round ablates and wakes",
                cascade_graph_panel(found, summary),
                about=[
                    "The strongest active refusal features are ablated first; those ",
                    term_help("dormant"),
                    " ones that ",
                    term_help("woken", "wake"),
                    " and push towards refusal are ablated next.",
                ],
            ),
            section(
                "figures",
                "Over refused test prompts",
                cascade_summary(summary, audit_id, depths),
                about=[
                    "How much wakes beside its random control, and how much of the damage later layers make up for (",
                    term_help("self-repair"),
                    ").",
                ],
            ),
            section("woken", "What wakes", woken_features(summary, audit_id)),
            section(
                "layers",
                "Layer by layer",
                whole_layers(summary),
                influence(summary),
                about=[term_help("whole layer", "Whole layers"), " instead of single features, and layer upon layer."],
            ),
        ],
        gap="xl",
    )


def clicked_feature(click: Mapping[str, Any] | None, audit_id: str) -> Any:
    """The address of the clicked feature; lines have none."""
    points = (click or {}).get("points") or []
    data = points[0].get("customdata") if points else None
    return feature_path(audit_id, data[0]) if isinstance(data, list) and data else no_update
