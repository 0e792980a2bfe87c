"""What-ifs kept by name on one prompt: saved, loaded by their link, deleted."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, callback_context, html, no_update

from backend.api.schemas import NewSavedSet, SavedSet
from frontend.api_client import ApiProblem
from frontend.components import what_if_form as form
from frontend.components.icon import icon
from frontend.components.messages import error_alert
from frontend.components.revealable import ADDRESS
from frontend.components.what_if import FIELDS, Names
from frontend.page import Ui
from frontend.url_state import prompt_path
from frontend.what_if_state import NotAWhatIf, from_form, in_words, to_query

NAME, SAVE, LIST, PROBLEM = "saved-name", "saved-save", "saved-list", "saved-problem"
DELETE = "saved-delete"
MOST_LISTED = 100
LONGEST_NAME = 120


def saved_sets(sets: Sequence[SavedSet], audit_id: str, minimal: Sequence[str]) -> Any:
    return dmc.Stack(
        [
            dmc.Group(
                [
                    dmc.TextInput(id=NAME, label="Keep this what-if as", placeholder="a name", size="sm"),
                    dmc.Button("Save", id=SAVE, variant="default", size="sm"),
                ],
                align="end",
                gap="xs",
            ),
            html.Div(id=PROBLEM),
            html.Div(saved_list(sets, audit_id, minimal), id=LIST),
        ],
        gap="xs",
    )


def saved_list(sets: Sequence[SavedSet], audit_id: str, minimal: Sequence[str]) -> Any:
    """A line a set: its name is the link that loads it."""
    if not sets:
        return dmc.Text("None kept on this prompt yet.", size="sm", c="dimmed")
    lines = [
        dmc.Group(
            [
                dmc.Anchor(
                    saved.name,
                    href=prompt_path(audit_id, saved.prompt_id, **to_query(saved.intervention, minimal)) + "#what-if",
                    size="sm",
                    className="breakable",
                ),
                dmc.Text(in_words(saved.intervention), size="sm", c="dimmed"),
                dmc.ActionIcon(
                    icon("trash"),
                    id={"type": DELETE, "set": saved.id},
                    variant="subtle",
                    color="gray",
                    size="sm",
                    **{"aria-label": f"Delete {saved.name}"},
                ),
            ],
            gap="xs",
        )
        for saved in sets
    ]
    return dmc.Stack(lines, gap=4)


def register_saved_sets(ui: Ui) -> None:
    async def listed(address: dict[str, str], minimal: Sequence[str]) -> Any:
        page = await ui.api.saved_sets(address["audit_id"], address["prompt_id"], limit=MOST_LISTED)
        return saved_list(page.items, address["audit_id"], minimal)

    @ui.callback(
        Output(LIST, "children"),
        Output(PROBLEM, "children"),
        Output(NAME, "value"),
        Input(SAVE, "n_clicks"),
        State(NAME, "value"),
        *(State(field, "value") for field in FIELDS),
        State(form.OFFERED, "data"),
        State(ADDRESS, "data"),
        running=[(Output(SAVE, "loading"), True, False)],
        prevent_initial_call=True,
    )
    async def save(
        clicks: int | None,
        name: str | None,
        ticked: Names,
        typed: Names,
        mode: str,
        scale: Any,
        scope: Names,
        offered: dict[str, Any],
        address: dict[str, str],
    ) -> Any:
        if not clicks:
            return no_update, no_update, no_update
        if not 0 < len((name or "").strip()) <= LONGEST_NAME:
            problem = f"Name: give the what-if a name of at most {LONGEST_NAME} characters"
            return no_update, error_alert(problem), no_update
        try:
            intervention = from_form(ticked, typed, mode, scale, scope)
            new = NewSavedSet(name=str(name).strip(), intervention=intervention)
            await ui.api.save_set(address["audit_id"], address["prompt_id"], new)
        except NotAWhatIf as error:
            return no_update, error_alert(str(error)), no_update
        except ApiProblem as problem:
            return no_update, error_alert(problem), no_update
        return await listed(address, offered["minimal"]), None, ""

    @ui.callback(
        Output(LIST, "children", allow_duplicate=True),
        Input({"type": DELETE, "set": ALL}, "n_clicks"),
        State(form.OFFERED, "data"),
        State(ADDRESS, "data"),
        prevent_initial_call=True,
    )
    async def delete(clicks: list[int | None], offered: dict[str, Any], address: dict[str, str]) -> Any:
        if not any(clicks) or not isinstance(callback_context.triggered_id, dict):
            return no_update
        await ui.api.delete_saved_set(callback_context.triggered_id["set"])
        return await listed(address, offered["minimal"])
