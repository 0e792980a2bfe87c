"""Choosing the audits to compare: finished ones, the reference first."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, html, no_update

from backend.api.schemas import AuditSummary
from frontend.page import Ui
from frontend.shell import LOCATION, tell
from frontend.url_state import compare_path

MOST, FEWEST = 8, 2
LISTED = 500
_CHOSEN, _GO = "compare-audits", "compare-go"


def compare_picker(audits: Sequence[AuditSummary], chosen: Sequence[str]) -> Any:
    known = {audit.id for audit in audits}
    return html.Div(
        [
            dmc.MultiSelect(
                id=_CHOSEN,
                label="Audits, the reference first",
                data=[{"value": audit.id, "label": f"{audit.name} ({audit.effort})"} for audit in audits],
                value=[one for one in chosen if one in known],
                maxValues=MOST,
                searchable=True,
                placeholder="choose two or more of the same prompts",
            ),
            dmc.Button("Compare", id=_GO, variant="default"),
        ],
        className="compare-picker",
    )


def register_compare_picker(ui: Ui) -> None:
    @ui.callback(
        Output(LOCATION, "href", allow_duplicate=True),
        Input(_GO, "n_clicks"),
        State(_CHOSEN, "value"),
        prevent_initial_call=True,
    )
    async def go(clicks: int | None, chosen: list[str] | None) -> Any:
        if not clicks:
            return no_update
        if len(chosen or ()) < FEWEST:
            tell("Choose two audits or more.", title="Nothing to compare", colour="yellow")
            return no_update
        return compare_path(chosen or ())
