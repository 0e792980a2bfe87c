"""Choosing the prompts of a new audit: a set that is here, a file, or pasted text; with preview and errors by line."""

from base64 import b64decode
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from backend.api.schemas import Page, PastedPrompts, PromptSet, PromptText
from frontend.api_client import ApiProblem
from frontend.components.audit_form import PROMPTS, options, prompt_set_options, prompts_input
from frontend.components.icon import icon
from frontend.components.messages import error_alert
from frontend.components.paged_grid import Request, paged_grid, register_paged_grid
from frontend.components.prompt_set_card import PREVIEW_COLUMNS, preview_row, prompt_set_card
from frontend.page import Ui

MOST_SETS = 500  # that can be chosen from
_CARD, _ERROR, _GRID, _PREVIEW = "prompts-card", "prompts-error", "prompts-preview", "prompts-preview-box"
_UPLOAD, _TEXT, _FORMAT, _LABEL = "prompts-upload", "prompts-text", "prompts-format", "prompts-label"
_NAME, _USE = "prompts-name", "prompts-use"
_FORMATS = {"lines": "One prompt a line", "jsonl": "JSONL", "csv": "CSV"}
_LABELS = {"harmful": "harmful", "look_alike": "look-alike", "benign": "benign"}


def prompt_picker(sets: Sequence[PromptSet], chosen: str | None) -> list[Any]:
    grid = paged_grid(_GRID, PREVIEW_COLUMNS, label="Prompts of the set", filters={"set": chosen}, height="320px")
    return [
        prompts_input(sets, chosen),
        html.Div(
            [
                html.Details([html.Summary("Upload a file"), _upload()]),
                html.Details([html.Summary("Paste prompts"), _paste()]),
                html.Div(id=_ERROR, **{"aria-live": "polite"}),
            ]
        ),
        html.Div(id=_CARD),
        html.Details([html.Summary("Preview"), grid], id=_PREVIEW, open=True, hidden=not chosen),
    ]


def register_prompt_picker(ui: Ui) -> None:
    async def fetch(request: Request, filters: Mapping[str, Any]) -> Page[PromptText]:
        if not filters.get("set"):
            return Page[PromptText](items=[], total=0, next_cursor=None)
        return await ui.api.prompt_set_prompts(filters["set"], cursor=request.cursor, limit=request.limit)

    register_paged_grid(ui, _GRID, fetch, lambda prompt, _: preview_row(prompt), "prompt")

    @ui.callback(
        Output(_CARD, "children"),
        Output(_PREVIEW, "hidden"),
        Output(f"{_GRID}-filters", "data"),
        Input(PROMPTS, "value"),
    )
    async def show(set_id: str | None) -> Any:
        if not set_id:
            return None, True, {"set": None}
        return prompt_set_card(await ui.api.prompt_set(set_id)), False, {"set": set_id}

    @ui.callback(
        Output(PROMPTS, "data"),
        Output(PROMPTS, "value"),
        Output(_ERROR, "children"),
        Input(_UPLOAD, "contents"),
        State(_UPLOAD, "filename"),
        prevent_initial_call=True,
    )
    async def upload(contents: str | None, file_name: str | None) -> Any:
        if contents is None:
            return no_update, no_update, no_update
        content = b64decode(contents.partition(",")[2])
        return await _taken(ui, ui.api.upload_prompts(file_name or "prompts", content))

    @ui.callback(
        Output(PROMPTS, "data", allow_duplicate=True),
        Output(PROMPTS, "value", allow_duplicate=True),
        Output(_ERROR, "children", allow_duplicate=True),
        Input(_USE, "n_clicks"),
        State(_TEXT, "value"),
        State(_FORMAT, "value"),
        State(_LABEL, "value"),
        State(_NAME, "value"),
        prevent_initial_call=True,
    )
    async def paste(clicks: int | None, text: str | None, kind: str, label: str, name: str | None) -> Any:
        if not clicks:
            return no_update, no_update, no_update
        if not (text or "").strip():
            return no_update, no_update, error_alert("Prompts: paste at least one", title="Nothing to use")
        given = {"name": (name or "").strip() or "pasted", "format": kind, "label": label, "text": text}
        return await _taken(ui, ui.api.paste_prompts(PastedPrompts.model_validate(given)))

    @ui.callback(Output(_LABEL, "disabled"), Input(_FORMAT, "value"), prevent_initial_call=True)
    async def labelled(kind: str) -> bool:
        """JSONL and CSV carry labels of their own."""
        return kind != "lines"


async def _taken(ui: Ui, asked: Awaitable[PromptSet]) -> tuple[Any, Any, Any]:
    """The new set as the chosen one, or what is wrong with it, line by line."""
    try:
        new = await asked
    except ApiProblem as problem:
        return no_update, no_update, error_alert(problem)
    return prompt_set_options((await ui.api.prompt_sets(limit=MOST_SETS)).items), new.id, None


def _upload() -> Any:
    text = "Drop a .jsonl or .csv file here, or choose one"
    button = dmc.Button(text, variant="default", leftSection=icon("upload"), fullWidth=True)
    return dcc.Upload(button, id=_UPLOAD, accept=".jsonl,.csv", multiple=False)


def _paste() -> Any:
    area = dmc.Textarea(id=_TEXT, label="Prompts", autosize=True, minRows=4, maxRows=14)
    below = dmc.Group(
        [
            dmc.Select(id=_FORMAT, label="Format", data=options(_FORMATS), value="lines", allowDeselect=False, w=170),
            dmc.Select(
                id=_LABEL,
                label="Label of every line",
                data=options(_LABELS),
                value="harmful",
                allowDeselect=False,
                w=170,
            ),
            dmc.TextInput(id=_NAME, label="Name", value="pasted", inputProps={"maxLength": 120}, w=170),
            dmc.Button("Use these prompts", id=_USE, variant="default"),
        ],
        align="end",
        gap="sm",
    )
    return dmc.Stack([area, below], gap="sm")
