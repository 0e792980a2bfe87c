"""An audit that is not done: its stages, how far it is, time left, and cancel or resume. For the overview page.

Asks the API once a second while it is queued or running, and no more after that; done, it shows the page anew.
"""

from collections.abc import Awaitable, Callable
from time import time
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from backend.api.schemas import AuditSummary, Progress, Readiness
from frontend.components.audit_header import STATE
from frontend.components.badges import state_badge
from frontend.components.icon import icon
from frontend.components.messages import error_alert, warning_alert
from frontend.components.progress import progress_bar
from frontend.format import duration, moment, plural, time_left
from frontend.page import Ui
from frontend.shell import show_again

STAGES = {
    "baseline": "Answer every prompt, find what announces a refusal",
    "direction": "Find the refusal direction",
    "activations": "See which features fire on which prompts",
    "interactions": "Ablate features in random groups",
    "interaction pairs": "Measure claimed pairs",
    "prompts": "Search refused prompts' minimal sets, follow their cascades",
    "completions": "Check each set by the completion it gives",
    "stronger sets": "Where it still refuses, search stronger sets",
    "stronger completions": "Check those by their completions",
    "random sets": "Draw random sets like each prompt's own",
    "random completions": "Check those that may flip by their completions",
    "verification": "Hold each set against its controls",
    "verification completions": "Check controls and rewordings by the completions they give",
    "stability": "Ask refused prompts otherwise, and of disturbed weights",
    "stability completions": "Check what disturbed weights change by completions",
    "token activations": "Record where the features fire",
}
"""In the order they are run, in words."""

_OF_PROMPTS = ("baseline", "prompts", "stronger sets", "random sets", "token activations")
"""Stages that go from prompt to prompt."""

ONGOING = ("queued", "running")
STOPPED = ("failed", "cancelled")
_TICK, _VIEW, _AUDIT = "live-tick", "live-view", "live-audit-id"
_CANCEL, _RESUME = "live-cancel", "live-resume"


def live_audit(audit: AuditSummary, readiness: Readiness | None = None) -> Any:
    """The live view in its present state; `readiness` tells why a queued audit does not start."""
    return html.Div(
        [
            dcc.Store(id=_AUDIT, data=audit.id),
            dcc.Interval(id=_TICK, interval=1000, disabled=audit.state not in ONGOING),
            html.Div(live_view(audit, readiness, time()), id=_VIEW),
            dmc.Group(
                [
                    dmc.Button(
                        "Cancel",
                        id=_CANCEL,
                        color="red",
                        variant="light",
                        leftSection=icon("stop"),
                        display=_shown(audit.state in ONGOING),
                    ),
                    dmc.Button("Resume", id=_RESUME, leftSection=icon("play"), display=_shown(audit.state in STOPPED)),
                ],
                className="live-buttons",
            ),
        ]
    )


def register_live_audit(ui: Ui) -> None:
    """The callbacks, once for the page that shows it."""

    @ui.callback(*_outputs(), Input(_TICK, "n_intervals"), State(_AUDIT, "data"), prevent_initial_call=True)
    async def tick(ticks: int, audit_id: str) -> Any:
        return await _present(ui, audit_id)

    _register_button(ui, _CANCEL, ui.api.cancel_audit)
    _register_button(ui, _RESUME, ui.api.resume_audit)


def _register_button(ui: Ui, button: str, change: Callable[[str], Awaitable[AuditSummary]]) -> None:
    @ui.callback(
        *_outputs(allow_duplicate=True),
        Input(button, "n_clicks"),
        State(_AUDIT, "data"),
        running=[(Output(button, "loading"), True, False)],
        prevent_initial_call=True,
    )
    async def changed(clicks: int | None, audit_id: str) -> Any:
        if not clicks:
            return (no_update,) * 5
        await change(audit_id)
        return await _present(ui, audit_id)


def _outputs(*, allow_duplicate: bool = False) -> list[Output]:
    """What `_present` fills, in its order."""
    places = ((_VIEW, "children"), (_TICK, "disabled"), (_CANCEL, "display"), (_RESUME, "display"), (STATE, "children"))
    return [Output(component, value, allow_duplicate=allow_duplicate) for component, value in places]


async def _present(ui: Ui, audit_id: str) -> tuple[Any, bool, str, str, Any]:
    audit = (await ui.api.audit(audit_id)).audit
    readiness = await ui.api.ready() if audit.state == "queued" else None
    ongoing = audit.state in ONGOING
    if audit.state == "done":
        show_again()
    buttons = _shown(ongoing), _shown(audit.state in STOPPED)
    return live_view(audit, readiness, time()), not ongoing, *buttons, state_badge(audit.state)


def live_view(audit: AuditSummary, readiness: Readiness | None, now: float) -> Any:
    """What it says, without its buttons."""
    parts: list[Any] = [dmc.Title(_headline(audit), order=2, **{"aria-live": "polite"})]
    if audit.state in ONGOING:
        parts.append(progress_bar(audit.progress, state=audit.state))
    if audit.state == "queued" and readiness is not None and not readiness.workers:
        parts.append(_waiting(readiness))
    if audit.state == "failed":
        parts.append(error_alert(audit.error or "The log has the reason", title="The audit failed"))
    if audit.state in STOPPED:
        kept = "Finished work is kept: resuming goes on from there and gives the same report."
        parts.append(dmc.Text(kept, size="sm", c="dimmed"))
    parts.append(_facts(audit, now))
    if audit.state in ONGOING or audit.progress is not None:
        parts.append(stage_list(audit.progress, running=audit.state == "running"))
    return dmc.Stack(parts, gap="sm")


def _waiting(readiness: Readiness) -> Any:
    """Why nothing happens yet."""
    if readiness.starting:
        return dmc.Text("A worker is starting: the audit begins in some seconds.", size="sm", c="dimmed")
    return warning_alert(readiness.detail or "No worker is running: start one to begin.")


def stage_list(progress: Progress | None, *, running: bool) -> Any:
    """Every stage with a mark: done, in hand, still to come."""
    names = list(STAGES)
    at = names.index(progress.stage) if progress and progress.stage in STAGES else -1
    items = []
    for place, (name, words) in enumerate(STAGES.items()):
        status = "done" if place < at else "now" if place == at else "later"
        body: list[Any] = [html.Span(words)]
        if progress is not None and place == at:
            body.append(html.Div(_where(progress, running), className="stage-detail"))
        spoken = {"done": "done: ", "now": "in hand: ", "later": "to come: "}[status]
        mark = html.Span(icon("check") if status == "done" else None, className=f"stage-mark {status}")
        hidden = html.Span(spoken, className="visually-hidden")
        items.append(html.Li([mark, html.Div([hidden, *body])], className=f"stage {status}", **{"data-stage": name}))
    return html.Ol(items, className="stages", **{"aria-label": "Stages"})


def _where(progress: Progress, running: bool) -> list[Any]:
    """`12 of 48 prompts, about 2 min left · h012`."""
    noun = "prompt" if progress.stage in _OF_PROMPTS else "step"
    text = f"{progress.done:,} of {plural(progress.total, noun)}"
    if running and progress.seconds_left is not None and progress.done < progress.total:
        text += f", {time_left(progress.seconds_left)}"
    return [text, *([" · ", dmc.Code(progress.detail)] if progress.detail else [])]


def _headline(audit: AuditSummary) -> str:
    return {
        "queued": "Waiting to start",
        "running": "Running",
        "done": "Done",
        "failed": "Failed",
        "cancelled": "Cancelled",
    }[audit.state]


def _facts(audit: AuditSummary, now: float) -> Any:
    if audit.started is None:
        text = f"submitted {moment(audit.created)}"
    elif audit.finished is not None:
        text = f"stopped {moment(audit.finished)}, after {duration(audit.finished - audit.started)}"
    else:
        text = f"started {moment(audit.started)}, running for {duration(max(0.0, now - audit.started))}"
    return dmc.Text(text, size="sm", c="dimmed")


def _shown(visible: bool) -> str:
    return "inline-block" if visible else "none"
