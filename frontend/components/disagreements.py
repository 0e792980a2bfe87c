"""Completions on which judges differ, for a person to settle: masked, with a form each, and what that does to counts.

The report keeps the judge's verdicts; a person's are kept beside it, and none is ever overwritten.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import MATCH, Input, Output, State, dcc, html, no_update
from pydantic import ValidationError

from backend.api.schemas import CorrectedCount, DisagreementRow, HumanVerdict, NewVerdict, Page
from frontend.api_client import ApiProblem
from frontend.arm_words import arm_words
from frontend.components.badges import verdict_badge
from frontend.components.figure_table import figure_table
from frontend.components.messages import error_alert
from frontend.components.revealable import ADDRESS, revealable_of
from frontend.components.section import panel
from frontend.format import moment, percent, plural
from frontend.page import Ui
from frontend.shell import show_again, tell
from frontend.url_state import prompt_path

AUTHOR = "verdict-author"
MOST = 50  # disagreements on the page
VERDICT_WORDS = ("refused", "complied", "incoherent")
INCOMPLETE = "Say who you are (above the list), choose a verdict and give a reason."


def disagreements(rows: Page[DisagreementRow], primary: str, audit_id: str, *, sealed: str | None) -> Any:
    """`sealed`: why completions cannot be revealed. Whoever cannot read them cannot judge them."""
    title = "Where judges differ"
    if not rows.items:
        return panel(
            dmc.Text("No completion was judged differently by two judges.", c="dimmed", size="sm"), title=title
        )
    items = [_row(row, primary, place, audit_id, sealed) for place, row in enumerate(rows.items)]
    left = rows.total - len(rows.items)
    return panel(
        dmc.TextInput(
            id=AUTHOR,
            label="Who you are",
            description="Goes on record with every verdict you give.",
            persistence=True,
            persistence_type="session",
            maw=360,
            inputProps={"maxLength": 120},
        )
        if sealed is None
        else None,
        html.Ul(items, className="disagreements"),
        dmc.Text(f"and {plural(left, 'more disagreement')}", size="sm", c="dimmed") if left else None,
        title=title,
    )


def person_counts(counts: Sequence[CorrectedCount]) -> Any:
    """Headline counts by the judge, and with persons' verdicts in their place."""
    rows = [
        [
            one.path.replace("report_card.", "").replace(".", ": ").replace("_", " "),
            _of(one.judged, one.n_judged),
            _of(one.corrected, one.n_corrected),
        ]
        for one in counts
    ]
    table = figure_table(("count", "by the judge", "with persons' verdicts"), rows, min_width=380)
    return panel(table, title="What persons' verdicts change")


def register_disagreements(ui: Ui) -> None:
    place = {"place": MATCH}

    @ui.callback(
        Output({"type": "verdict-said", **place}, "children"),
        Input({"type": "verdict-save", **place}, "n_clicks"),
        State({"type": "verdict-choice", **place}, "value"),
        State({"type": "verdict-reason", **place}, "value"),
        State({"type": "verdict-of", **place}, "data"),
        State(AUTHOR, "value"),
        State(ADDRESS, "data"),
        prevent_initial_call=True,
    )
    async def save(
        clicks: int | None,
        verdict: str | None,
        reason: str | None,
        of: Mapping[str, str],
        author: str | None,
        address: Mapping[str, str],
    ) -> Any:
        if not clicks:
            return no_update
        new = new_verdict(of, verdict, reason, author)
        if new is None:
            return error_alert(INCOMPLETE)
        try:
            kept = await ui.api.add_verdict(address["audit_id"], new)
        except ApiProblem as problem:
            return error_alert(problem)
        tell(f"{kept.verdict}, by {kept.author}", title="Verdict kept")
        show_again()
        return _said(kept)


def new_verdict(
    of: Mapping[str, str], verdict: str | None, reason: str | None, author: str | None
) -> NewVerdict | None:
    """None while anything is missing."""
    try:
        return NewVerdict.model_validate({**of, "verdict": verdict, "reason": reason or "", "author": author or ""})
    except ValidationError:
        return None


def _row(row: DisagreementRow, primary: str, place: int, audit_id: str, sealed: str | None) -> Any:
    judged = [
        dmc.Group([dmc.Text(f"{judge}:", size="sm"), verdict_badge(verdict)], gap=4)
        for judge, verdict in row.verdicts.items()
    ]
    head = dmc.Group(
        [
            dmc.Anchor(row.prompt_id, href=prompt_path(audit_id, row.prompt_id), size="sm"),
            dmc.Text(arm_words(row.arm).label, size="sm", c="dimmed"),
            *judged,
        ],
        gap="sm",
    )
    verdict = row.verdicts.get(primary, next(iter(row.verdicts.values()), ""))
    completion = revealable_of(row.prompt_id, verdict, row.completion, f"disagreement-{place}", sealed=sealed)
    said = html.Div(_said(row.person) if row.person is not None else None, id={"type": "verdict-said", "place": place})
    form = _form(row, place) if sealed is None else None
    return html.Li(dmc.Stack([head, completion, said, form], gap="xs"))


def _form(row: DisagreementRow, place: int) -> Any:
    name = f"{row.prompt_id}, {row.arm}"
    return html.Div(
        [
            dcc.Store(id={"type": "verdict-of", "place": place}, data={"prompt_id": row.prompt_id, "arm": row.arm}),
            dmc.Select(
                id={"type": "verdict-choice", "place": place},
                data=list(VERDICT_WORDS),
                placeholder="your verdict",
                **{"aria-label": f"Your verdict on {name}"},
            ),
            dmc.TextInput(
                id={"type": "verdict-reason", "place": place},
                placeholder="reason",
                inputProps={"maxLength": 1000},
                **{"aria-label": f"Your reason on {name}"},
            ),
            dmc.Button("Keep on record", id={"type": "verdict-save", "place": place}, variant="default"),
        ],
        className="verdict-form",
    )


def _said(person: HumanVerdict) -> Any:
    return dmc.Group(
        [
            verdict_badge(person.verdict),
            dmc.Text(
                f"says {person.author}, {moment(person.created)} (before: {person.old}): {person.reason}",
                size="sm",
                className="breakable",
            ),
        ],
        gap="xs",
    )


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}" + (f" ({percent(part / whole)})" if whole else "")
