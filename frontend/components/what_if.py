"""The what-if panel: its fields, its callbacks, and the address that restores it.

The score is asked for first, since it is there in a moment; then the first words of the completions, then the whole.
Each run has components of its own, so that what comes late of an earlier run finds nothing to write to.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import MATCH, Input, Output, State, dcc, html, no_update

from backend.api.schemas import InterventionSpec, WhatIfRequest, WhatIfResult
from backend.audit.results import PromptResult
from frontend.api_client import ApiClient, ApiProblem
from frontend.components import what_if_form as form
from frontend.components.messages import error_alert
from frontend.components.revealable import ADDRESS
from frontend.components.section import columns, panel
from frontend.components.what_if_result import what_if_result
from frontend.page import Ui
from frontend.what_if_state import NotAWhatIf, from_form, to_query

RESULT = "what-if-result"
SHOWN, FIRST, WHOLE = "what-if-shown", "what-if-first", "what-if-whole"  # of one run: what is said, what is asked next
STATE = "what-if-state"  # store of the page: the part of its address that restores the fields
FIRST_TOKENS = 16
LONGEST_WAIT = 120.0  # seconds for a completion behind a long batch
Names = list[str] | None
FIELDS = (form.TICKED, form.TYPED, form.MODE, form.SCALE, form.SCOPE)


def what_if_panel(story: PromptResult, intervention: InterventionSpec, saved: Any) -> Any:
    """`saved` stands below the fields: the sets kept by name."""
    hint = dmc.Text("Nothing run yet: choose features and press Run.", size="sm", c="dimmed")
    return dmc.Stack(
        [
            columns(
                panel(form.what_if_form(story, intervention), dmc.Divider(), saved, title="What to change"),
                panel(html.Div(hint, id=RESULT), title="What comes of it"),
            ),
        ]
    )


def register_what_if(ui: Ui) -> None:
    @ui.callback(
        Output(form.TICKED, "value"),
        Output(form.TYPED, "value"),
        Input(form.MINIMAL, "n_clicks"),
        State(form.OFFERED, "data"),
        prevent_initial_call=True,
    )
    async def tick_minimal(clicks: int | None, data: dict[str, list[str]]) -> Any:
        if not clicks:
            return no_update, no_update
        offered = set(data["offered"])
        return [n for n in data["minimal"] if n in offered], [n for n in data["minimal"] if n not in offered]

    @ui.callback(
        Output(form.TICKED, "value", allow_duplicate=True),
        Output(form.TYPED, "value", allow_duplicate=True),
        Input(form.CLEAR, "n_clicks"),
        prevent_initial_call=True,
    )
    async def tick_none(clicks: int | None) -> Any:
        return ([], []) if clicks else (no_update, no_update)

    @ui.callback(Output(form.SCALE, "disabled"), Input(form.MODE, "value"), prevent_initial_call=True)
    async def only_for_scale(mode: str | None) -> bool:
        return mode != "scale"

    @ui.callback(
        Output(STATE, "data"),
        *(Input(field, "value") for field in FIELDS),
        State(form.OFFERED, "data"),
        prevent_initial_call=True,
    )
    async def keep(
        ticked: Names, typed: Names, mode: str, scale: Any, scope: Names, offered: dict[str, list[str]]
    ) -> Any:
        try:
            return to_query(from_form(ticked, typed, mode, scale, scope), offered["minimal"])
        except NotAWhatIf:
            return no_update  # an address of what cannot be run restores nothing

    @ui.callback(
        Output(RESULT, "children"),
        Input(form.RUN, "n_clicks"),
        *(State(field, "value") for field in FIELDS),
        State(ADDRESS, "data"),
        running=[(Output(form.RUN, "loading"), True, False)],
        prevent_initial_call=True,
    )
    async def score(
        clicks: int | None,
        ticked: Names,
        typed: Names,
        mode: str,
        scale: Any,
        scope: Names,
        address: dict[str, str],
    ) -> Any:
        if not clicks:
            return no_update
        try:
            intervention = from_form(ticked, typed, mode, scale, scope)
        except NotAWhatIf as error:
            return error_alert(str(error))
        shown, answered = await ask(ui.api, address, WhatIfRequest(intervention=intervention), writing=True)
        return _run(shown, clicks, intervention) if answered else shown

    @ui.callback(
        Output({"type": SHOWN, "run": MATCH}, "children"),
        Output({"type": WHOLE, "run": MATCH}, "data"),
        Input({"type": FIRST, "run": MATCH}, "data"),
        State(ADDRESS, "data"),
    )
    async def first_words(asked: dict[str, Any] | None, address: dict[str, str]) -> Any:
        if not asked:
            return no_update, no_update
        request = WhatIfRequest.model_validate({**asked, "generate": True, "max_new_tokens": FIRST_TOKENS})
        shown, answered = await ask(ui.api, address, request, writing=True)
        return shown, asked if answered else no_update

    @ui.callback(
        Output({"type": SHOWN, "run": MATCH}, "children", allow_duplicate=True),
        Input({"type": WHOLE, "run": MATCH}, "data"),
        State(ADDRESS, "data"),
        prevent_initial_call=True,
    )
    async def whole_completions(asked: dict[str, Any] | None, address: dict[str, str]) -> Any:
        if not asked:
            return no_update
        request = WhatIfRequest.model_validate({**asked, "generate": True})
        return (await ask(ui.api, address, request, writing=False))[0]


def _run(shown: Any, run: int, intervention: InterventionSpec) -> Any:
    """What a run says, with what it asks next: the first store asks by being there, the second once it is filled."""
    asked = {"intervention": intervention.model_dump(mode="json")}
    return html.Div(
        [
            html.Div(shown, id={"type": SHOWN, "run": run}),
            dcc.Store(id={"type": FIRST, "run": run}, data=asked),
            dcc.Store(id={"type": WHOLE, "run": run}),
        ]
    )


async def ask(api: ApiClient, address: Mapping[str, str], request: WhatIfRequest, *, writing: bool) -> tuple[Any, bool]:
    """What to show, and whether it is an answer."""
    began = time.perf_counter()
    try:
        result = await answer(api, address, request)
    except ApiProblem as problem:
        return error_alert(problem), False
    return what_if_result(result, time.perf_counter() - began, writing=writing), True


async def answer(api: ApiClient, address: Mapping[str, str], request: WhatIfRequest) -> WhatIfResult:
    """The answer, waited for beyond the route's own patience while its job is still on its way."""
    try:
        return await api.what_if(address["audit_id"], address["prompt_id"], request)
    except ApiProblem as problem:
        job_id = next((str(error["job"]) for error in problem.errors if "job" in error), None)
        if problem.status != 504 or job_id is None:
            raise
        late = problem
    until = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < until:
        job = await api.job(job_id)
        if job.state == "done" and job.result is not None:
            return WhatIfResult.model_validate(job.result)
        if job.state in ("failed", "cancelled"):
            break
        await asyncio.sleep(0.5)
    raise late
