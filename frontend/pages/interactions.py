"""Which features interact: a map of claimed pairs, each opening what was measured; the address keeps the chosen one."""

import asyncio
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, no_update

from backend.api.schemas import AuditDetail
from frontend.components.audit_header import audit_header
from frontend.components.interaction_pairs import MAP, chosen_pair, model_fits, pair_map, pair_path
from frontend.components.not_measured import not_done, not_measured
from frontend.components.section import section
from frontend.page import Query, Ui, View
from frontend.terms import term_help
from frontend.url_state import names

AUDIT = "interactions-audit"


def register(ui: Ui) -> None:
    async def layout(query: Query, audit_id: str) -> View:
        detail = await ui.api.audit(audit_id)
        if detail.audit.state != "done":
            return View(detail.audit.name, not_done(detail.audit, "interactions"))
        return View(f"Interactions of {detail.audit.name}", await asyncio.to_thread(interactions, detail, query))

    ui.page("/audits/{audit_id}/interactions", layout)

    @ui.callback(
        Output("location", "href", allow_duplicate=True),
        Input(MAP, "clickData"),
        State(AUDIT, "data"),
        prevent_initial_call=True,
    )
    async def open_pair(click: dict[str, Any] | None, audit_id: str) -> Any:
        return clicked_pair(click, audit_id)


def interactions(detail: AuditDetail, query: Query) -> Any:
    """The page of a finished audit, with the pair that its link asks for."""
    found = detail.interactions
    head = [audit_header(detail.audit, "interactions"), dcc.Store(id=AUDIT, data=detail.audit.id)]
    if found is None:
        return dmc.Stack([*head, not_measured(detail.audit, "how features interact")])
    return dmc.Stack(
        [
            *head,
            section(
                "pairs",
                "Which pairs interact",
                pair_map(found, chosen_pair(found, names(query, "pair")), detail.audit.id),
                about=[
                    "A ",
                    term_help("factorisation machine"),
                    " claims pairs; each is then measured on held-out prompts with none, either and both ablated.",
                ],
            ),
            section("fit", "Do effects add up?", model_fits(found)),
        ],
        gap="xl",
    )


def clicked_pair(click: dict[str, Any] | None, audit_id: str) -> Any:
    """The address of the pair at the clicked cell; nothing where no pair is claimed."""
    points = (click or {}).get("points") or []
    if not points or points[0].get("z") is None:
        return no_update
    return pair_path(audit_id, str(points[0]["y"]), str(points[0]["x"]))
