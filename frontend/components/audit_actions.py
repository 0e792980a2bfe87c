"""What can be done to the audits selected in a grid: one is renamed, cancelled, resumed, deleted; two or more are
compared. Knows no grid of its own."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, ctx, no_update

from frontend.components.icon import icon
from frontend.components.live_audit import ONGOING, STOPPED
from frontend.page import Ui
from frontend.shell import show_again, tell
from frontend.url_state import compare_path

Rows = Sequence[dict[str, Any]]  # of audit_rows.audit_row
FEWEST_COMPARED = 2
_COMPARE, _COMPARE_HINT = "audit-compare", "audit-compare-hint"
_RENAME, _CANCEL, _RESUME, _DELETE = "audit-rename", "audit-cancel", "audit-resume", "audit-delete"
_RENAME_BOX, _NAME, _RENAME_YES = "audit-rename-box", "audit-new-name", "audit-rename-yes"
_DELETE_BOX, _WHAT, _DELETE_YES = "audit-delete-box", "audit-delete-what", "audit-delete-yes"
COMPARE_HINT = "Tick two or more to compare."


def audit_actions() -> Any:
    """The buttons, of no use until a row is selected; comparing is a link, for it leads to a page."""
    buttons = (
        ("Rename", _RENAME, "pencil"),
        ("Cancel", _CANCEL, "stop"),
        ("Resume", _RESUME, "play"),
        ("Delete", _DELETE, "trash"),
    )
    return dmc.Group(
        [
            dmc.Button(label, id=name, variant="default", size="xs", disabled=True, leftSection=icon(drawing))
            for label, name, drawing in buttons
        ]
        + [
            dmc.Anchor(
                "Compare",
                id=_COMPARE,
                href=compare_path([]),
                underline="never",
                className="button-link quiet compare-link",
            ),
            dmc.Text(COMPARE_HINT, id=_COMPARE_HINT, size="xs", c="dimmed"),
        ],
        gap=6,
        **{"aria-label": "Actions on the selected audit"},
    )


def audit_action_boxes() -> list[Any]:
    """The dialogs behind them."""
    rename = dmc.Stack(
        [
            dmc.TextInput(id=_NAME, label="Name", inputProps={"maxLength": 120}, **{"data-autofocus": True}),
            dmc.Group(dmc.Button("Save", id=_RENAME_YES), justify="end"),
        ]
    )
    warning = "Its report, links and saved sets go with it. This cannot be undone."
    delete = dmc.Stack(
        [
            dmc.Text(id=_WHAT, className="breakable"),
            dmc.Text(warning, size="sm", c="dimmed"),
            dmc.Group(dmc.Button("Delete", id=_DELETE_YES, color="red"), justify="end"),
        ]
    )
    return [
        dmc.Modal(rename, id=_RENAME_BOX, title="Rename audit", opened=False),
        dmc.Modal(delete, id=_DELETE_BOX, title="Delete audit?", opened=False),
    ]


def register_audit_actions(ui: Ui, grid_id: str) -> None:
    selected = State(grid_id, "selectedRows")

    @ui.callback(
        Output(_RENAME, "disabled"),
        Output(_CANCEL, "disabled"),
        Output(_RESUME, "disabled"),
        Output(_DELETE, "disabled"),
        Input(grid_id, "selectedRows"),
    )
    async def possible(rows: Rows | None) -> tuple[bool, bool, bool, bool]:
        return impossible(rows[0]["state"] if rows and len(rows) == 1 else None)

    @ui.callback(Output(_COMPARE, "href"), Output(_COMPARE_HINT, "children"), Input(grid_id, "selectedRows"))
    async def comparable(rows: Rows | None) -> tuple[str, str]:
        return comparison_of(rows or ())

    @ui.callback(
        Output(_RENAME_BOX, "opened"),
        Output(_NAME, "value"),
        Input(_RENAME, "n_clicks"),
        selected,
        prevent_initial_call=True,
    )
    async def ask_name(clicks: int | None, rows: Rows | None) -> Any:
        return (True, rows[0]["name"]["text"]) if clicks and rows else (no_update, no_update)

    @ui.callback(
        Output(_RENAME_BOX, "opened", allow_duplicate=True),
        Input(_RENAME_YES, "n_clicks"),
        Input(_NAME, "n_submit"),
        State(_NAME, "value"),
        selected,
        prevent_initial_call=True,
    )
    async def rename(clicks: int | None, submits: int | None, name: str | None, rows: Rows | None) -> Any:
        new = (name or "").strip()
        if not (clicks or submits) or not rows or not new:
            return no_update
        await ui.api.rename_audit(rows[0]["id"], new)
        show_again()
        return False

    @ui.callback(
        Output(_DELETE_BOX, "opened"),
        Output(_WHAT, "children"),
        Input(_DELETE, "n_clicks"),
        selected,
        prevent_initial_call=True,
    )
    async def ask_delete(clicks: int | None, rows: Rows | None) -> Any:
        return (True, f"“{rows[0]['name']['text']}” will be deleted.") if clicks and rows else (no_update, no_update)

    @ui.callback(
        Output(_DELETE_BOX, "opened", allow_duplicate=True),
        Input(_DELETE_YES, "n_clicks"),
        selected,
        prevent_initial_call=True,
    )
    async def delete(clicks: int | None, rows: Rows | None) -> Any:
        if not clicks or not rows:
            return no_update
        await ui.api.delete_audit(rows[0]["id"])
        tell(f"“{rows[0]['name']['text']}” is deleted.")
        show_again()
        return False

    @ui.callback(
        Output(_CANCEL, "disabled", allow_duplicate=True),
        Output(_RESUME, "disabled", allow_duplicate=True),
        Input(_CANCEL, "n_clicks"),
        Input(_RESUME, "n_clicks"),
        selected,
        prevent_initial_call=True,
    )
    async def stop_or_go_on(cancels: int | None, resumes: int | None, rows: Rows | None) -> Any:
        if not (cancels or resumes) or not rows:
            return no_update, no_update
        act = ui.api.cancel_audit if ctx.triggered_id == _CANCEL else ui.api.resume_audit
        await act(rows[0]["id"])
        show_again()
        return True, True


def comparison_of(rows: Rows) -> tuple[str, str]:
    """Where the selected audits are compared, and what stands beside the link; the oldest one is the reference."""
    done = sorted((row for row in rows if row["state"] == "done"), key=lambda row: (row["created_at"], row["id"]))
    if len(rows) < FEWEST_COMPARED:
        return compare_path(row["id"] for row in done), COMPARE_HINT
    left_out = len(rows) - len(done)
    hint = f"{len(done)} to compare" + (f", {left_out} not done" if left_out else "")
    return compare_path(row["id"] for row in done), hint


def impossible(state: str | None) -> tuple[bool, bool, bool, bool]:
    """Which of rename, cancel, resume, delete cannot be done to an audit in this state; None: nothing is selected."""
    return state is None, state not in ONGOING, state not in STOPPED, state is None
