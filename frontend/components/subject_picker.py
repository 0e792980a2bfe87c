"""Choosing the model of a new audit: what it is, how well its SAEs fit, and the check that measures that."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from backend.api.schemas import Subject
from frontend.components.audit_form import SUBJECT, subject_input
from frontend.components.subject_card import subject_card
from frontend.page import Ui
from frontend.shell import tell

_CARD, _CHECK, _JOB, _TICK = "subject-card", "subject-check", "subject-check-job", "subject-check-tick"


def subject_picker(subjects: Sequence[Subject], chosen: str | None) -> list[Any]:
    return [
        subject_input(subjects, chosen),
        html.Div(id=_CARD),
        dmc.Group([dmc.Button("Run check", id=_CHECK, variant="default", size="xs")]),
        dcc.Store(id=_JOB),
        dcc.Interval(id=_TICK, interval=1000, disabled=True),
    ]


def register_subject_picker(ui: Ui) -> None:
    @ui.callback(Output(_CARD, "children"), Output(_CHECK, "disabled"), Input(SUBJECT, "value"))
    async def show(subject_id: str | None) -> Any:
        if not subject_id:
            return None, True
        subject = await ui.api.subject(subject_id)
        return subject_card(subject), not subject.ready

    @ui.callback(
        Output(_JOB, "data"),
        Output(_TICK, "disabled"),
        Output(_CHECK, "loading"),
        Input(_CHECK, "n_clicks"),
        State(SUBJECT, "value"),
        prevent_initial_call=True,
    )
    async def check(clicks: int | None, subject_id: str | None) -> Any:
        if not clicks or not subject_id:
            return no_update, no_update, no_update
        job = await ui.api.check_subject(subject_id)
        return {"job": job.id, "subject": subject_id}, False, True

    @ui.callback(
        Output(_CARD, "children", allow_duplicate=True),
        Output(_TICK, "disabled", allow_duplicate=True),
        Output(_CHECK, "loading", allow_duplicate=True),
        Input(_TICK, "n_intervals"),
        State(_JOB, "data"),
        State(SUBJECT, "value"),
        prevent_initial_call=True,
    )
    async def checked(ticks: int, asked: dict[str, str] | None, subject_id: str | None) -> Any:
        """Asks until the check is over; its figures are shown if its subject is still the chosen one."""
        if asked is None:
            return no_update, True, False
        job = await ui.api.job(asked["job"])
        if job.state in ("queued", "running"):
            return no_update, no_update, no_update
        if job.state != "done":
            tell(job.error or f"The check was {job.state}.", title="The check did not finish", colour="red")
        if subject_id != asked["subject"]:
            return no_update, True, False
        return subject_card(await ui.api.subject(asked["subject"])), True, False
