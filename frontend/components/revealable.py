"""A masked completion with a way to read it: asked once, fetched by the reveal route, which records it.

The words are in no page until then, and only in the page of who asked.
"""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import MATCH, Input, Output, State, dcc, html, no_update

from backend.api.schemas import MaskedText, RevealRequest
from backend.audit.results import Response
from frontend.api_client import ApiProblem
from frontend.components.icon import icon
from frontend.components.masked_text import masked_text
from frontend.components.messages import error_alert
from frontend.page import Ui

ADDRESS = "prompt-address"  # store of the page: {"audit_id": ...} and, on a prompt's, "prompt_id"
NOT_KEPT = "Its tokens are not kept with this audit: it cannot be revealed."
READ_ONLY = "A read-only link reveals nothing."


def revealable(
    response: Response | MaskedText, name: str, place: str, *, sealed: str | None, audit_id: str | None = None
) -> Any:
    """`name` is the completion's; `place` tells apart two showings of one; `sealed`: why it cannot be revealed;
    `audit_id`: whose it is, where the page shows more than one audit."""
    facts = {
        "verdict": response.verdict,
        "n_tokens": response.n_tokens,
        "ended": response.ended,
        "text": response.text,
        "name": name,
        "place": place,
        "audit_id": audit_id,
    }
    return _revealable(facts, sealed)


def revealable_of(prompt_id: str, verdict: str, name: str, place: str, *, sealed: str | None) -> Any:
    """The same on a page of many prompts, which knows of the completion its verdict alone."""
    known = {"verdict": verdict, "n_tokens": None, "ended": True, "text": None}
    return _revealable({**known, "name": name, "place": place, "prompt_id": prompt_id}, sealed)


def _revealable(facts: dict[str, Any], sealed: str | None) -> Any:
    if sealed is not None and facts["text"] is None:
        return dmc.Stack([_shown(facts, None), dmc.Text(sealed, size="xs", c="dimmed")], gap=4)
    key = {"name": facts["name"], "place": facts["place"]}
    return html.Div(
        [
            dcc.Store(id={"type": "completion-facts", **key}, data=facts),
            html.Div(_shown(facts, {"type": "reveal-ask", **key}), id={"type": "completion", **key}),
        ]
    )


def register_revealable(ui: Ui) -> None:
    """The callbacks, once for all pages that show completions."""
    either = {"name": MATCH, "place": MATCH}

    @ui.callback(
        Output({"type": "completion", **either}, "children", allow_duplicate=True),
        Input({"type": "reveal-ask", **either}, "n_clicks"),
        State({"type": "completion-facts", **either}, "data"),
        prevent_initial_call=True,
    )
    async def ask(clicks: int | None, facts: dict[str, Any]) -> Any:
        return _asking(facts) if clicks else no_update

    @ui.callback(
        Output({"type": "completion", **either}, "children", allow_duplicate=True),
        Input({"type": "reveal-no", **either}, "n_clicks"),
        State({"type": "completion-facts", **either}, "data"),
        prevent_initial_call=True,
    )
    async def keep_masked(clicks: int | None, facts: dict[str, Any]) -> Any:
        return _shown(facts, _id("reveal-ask", facts)) if clicks else no_update

    @ui.callback(
        Output({"type": "completion", **either}, "children", allow_duplicate=True),
        Input({"type": "reveal-yes", **either}, "n_clicks"),
        State({"type": "completion-facts", **either}, "data"),
        State(ADDRESS, "data"),
        running=[(Output({"type": "reveal-yes", **either}, "loading"), True, False)],
        prevent_initial_call=True,
    )
    async def reveal(clicks: int | None, facts: dict[str, Any], address: dict[str, str]) -> Any:
        return await revealed(ui, facts, address) if clicks else no_update


async def revealed(ui: Ui, facts: Mapping[str, Any], address: Mapping[str, str]) -> Any:
    """The completion with its words, or why they could not be had."""
    audit_id = facts.get("audit_id") or address["audit_id"]
    prompt_id = facts.get("prompt_id") or address["prompt_id"]
    try:
        answer = await ui.api.reveal(audit_id, prompt_id, RevealRequest(completion=facts["name"]))
    except ApiProblem as problem:
        return dmc.Stack([_shown(facts, _id("reveal-ask", facts)), error_alert(problem)], gap="xs")
    return masked_text(facts["verdict"], facts["n_tokens"], facts["ended"], answer.text, revealed=True)


def _asking(facts: Mapping[str, Any]) -> Any:
    """The one question before the words are shown."""
    return dmc.Stack(
        [
            _shown(facts, None),
            dmc.Alert(
                dmc.Stack(
                    [
                        dmc.Text("The words may be harmful. That you read them is recorded with the audit.", size="sm"),
                        dmc.Group(
                            [
                                dmc.Button(
                                    "Reveal and record",
                                    id=_id("reveal-yes", facts),
                                    size="compact-sm",
                                    leftSection=icon("eye"),
                                ),
                                dmc.Button(
                                    "Keep masked", id=_id("reveal-no", facts), size="compact-sm", variant="default"
                                ),
                            ],
                            gap="xs",
                        ),
                    ],
                    gap="xs",
                ),
                title="Reveal this completion?",
                color="yellow",
                variant="light",
            ),
        ],
        gap="xs",
    )


def _shown(facts: Mapping[str, Any], reveal_id: dict[str, Any] | None) -> Any:
    return masked_text(facts["verdict"], facts["n_tokens"], facts["ended"], facts["text"], reveal_id=reveal_id)


def _id(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": kind, "name": facts["name"], "place": facts["place"]}
