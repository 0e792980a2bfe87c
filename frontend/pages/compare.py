"""Audits of the same prompts beside each other: what became of each prompt, every figure's difference, the features.

The address holds everything: audits (the reference first), outcome, which other audit, table, cell and prompt.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from backend.api.schemas import AuditDetail, AuditSummary, Cell, ComparedAudit, ComparedPrompt, Comparison, PromptDetail
from frontend.api_client import ApiProblem
from frontend.components.compare_features import compared_features
from frontend.components.compare_figures import all_figures, figure_differences
from frontend.components.compare_picker import LISTED, compare_picker, register_compare_picker
from frontend.components.compare_prompt import prompt_beside
from frontend.components.compare_tables import CELLS, OUTCOMES, TITLES, flip_cells, flip_panel
from frontend.components.messages import empty_state, error_alert
from frontend.components.paged_grid import Request, RowPage, paged_grid, register_paged_grid
from frontend.components.prompt_grid import compared_columns, compared_row
from frontend.components.revealable import ADDRESS
from frontend.components.section import columns, contents, panel, section
from frontend.components.term_list import term_list
from frontend.format import plural
from frontend.page import Query, Ui, View
from frontend.terms import term_help
from frontend.url_state import audit_path, audits_path, choice, compare_path, names

GRID = "compared-grid"
TERMS_USED = (
    "reference audit",
    "McNemar's test",
    "detectable difference",
    "paired",
    "q",
    "jaccard of pools",
    "interval",
)
CONTENTS = {"outcomes": "Prompts", "figures": "Figures", "features": "Features"}


def register(ui: Ui) -> None:
    async def layout(query: Query) -> View:
        chosen = names(query, "audits")
        done = (await ui.api.audits(state="done", limit=LISTED)).items
        if len(chosen) < 2:
            return View("Compare audits", _page(done, chosen, [_nothing_chosen(chosen)]))
        state = state_of(query)
        try:
            found = await ui.api.comparison(audits=",".join(chosen), outcome=state["outcome"])
            pair = await _pair(ui, found, state)
        except ApiProblem as problem:
            return View("Compare audits", _page(done, chosen, [error_alert(problem, title="Cannot be compared")]))
        title = " and ".join(one.name for one in (found.reference, *(other.audit for other in found.others)))
        body = await asyncio.to_thread(comparison, found, state, pair)
        return View(f"Compare {title}"[:120], _page(done, chosen, body))

    async def fetch(request: Request, filters: Mapping[str, Any]) -> RowPage:
        asked = {name: filters[name] for name in ("outcome", "cell", "prompts")}
        return await ui.api.compared_prompts(
            audits=f"{filters['reference']},{filters['other']}", cursor=request.cursor, limit=request.limit, **asked
        )

    def row(line: ComparedPrompt, filters: Mapping[str, Any]) -> dict[str, Any]:
        return compared_row(line, compare_path(filters["audits"], **_kept(filters, prompt=line.id)))

    ui.page("/compare", layout)
    register_paged_grid(ui, GRID, fetch, row, "prompt")
    register_compare_picker(ui)


def state_of(query: Query) -> dict[str, Any]:
    """What the address asks for; whatever a link says, the page opens."""
    return {
        "audits": names(query, "audits"),
        "outcome": choice(query, "outcome", OUTCOMES, "flipped_minimal"),
        "cell": choice(query, "cell", CELLS, "") or None,
        "prompts": choice(query, "prompts", TITLES, "test"),
        "other": query.get("other"),
        "prompt": query.get("prompt") or None,
    }


def comparison(
    found: Comparison,
    state: Mapping[str, Any],
    pair: tuple[tuple[AuditDetail, AuditDetail], tuple[PromptDetail, PromptDetail]] | None,
) -> list[Any]:
    """The page under its title; `pair`: the chosen prompt in both audits."""
    other = other_of(found, state)
    parts: list[Any] = [_sides(found, other, state), _others(found, other, state), _cautions(other)]
    links = {"everything": "All audits", **CONTENTS} if len(found.others) > 1 else CONTENTS
    parts.append(contents(links))
    if len(found.others) > 1:
        heads = [found.reference.name, *(one.audit.name for one in found.others)]
        parts.append(section("everything", "All audits", all_figures(found.figures, heads)))
    about = ["A prompt is the same in both when id and text are. Choose a cell to list its prompts."]
    parts += [
        section("outcomes", "What became of each prompt", *_outcomes(found, other, state, pair), about=about),
        section(
            "figures",
            "Figures and their differences",
            figure_differences(other),
            about=["Every difference is the other audit less the ", term_help("reference audit", "reference"), "."],
        ),
        section("features", "Features behind refusal", compared_features(other, found.reference.id)),
        term_list("What the terms mean", TERMS_USED),
    ]
    return parts


def other_of(found: Comparison, state: Mapping[str, Any]) -> ComparedAudit:
    """The audit that is looked at beside the reference: the first unless the address says otherwise."""
    return next((one for one in found.others if one.audit.id == state["other"]), found.others[0])


def _page(done: Sequence[AuditSummary], chosen: Sequence[str], parts: Sequence[Any]) -> Any:
    crumbs = dmc.Breadcrumbs([dmc.Anchor("Audits", href=audits_path(), size="sm"), dmc.Text("Compare", size="sm")])
    head = [crumbs, dmc.Title("Compare audits", order=1), compare_picker(done, chosen)]
    return dmc.Stack([*head, *parts], gap="lg")


def _nothing_chosen(chosen: Sequence[str]) -> Any:
    title = "Choose another audit" if chosen else "Choose two audits"
    text = (
        "Above, or by ticking rows in the list of audits. They must be of the same prompts: what became of each prompt"
        " is compared one by one."
    )
    return empty_state(title, text, dmc.Anchor("To the list of audits", href=audits_path()))


def _sides(found: Comparison, other: ComparedAudit, state: Mapping[str, Any]) -> Any:
    swapped = [other.audit.id, found.reference.id]
    swapped += [one.audit.id for one in found.others if one.audit.id != other.audit.id]
    words = f"{plural(other.n_prompts, 'prompt')} in common, {other.n_test} in the test split of both."
    return dmc.Stack(
        [
            columns(_audit("Reference", found.reference), _audit("Other", other.audit)),
            dmc.Group(
                [
                    dmc.Text(words, size="sm"),
                    dmc.Anchor("Swap the two", href=compare_path(swapped, outcome=_outcome(state)), size="sm"),
                ],
                gap="sm",
            ),
        ],
        gap="xs",
    )


def _audit(role: str, audit: AuditSummary) -> Any:
    facts = f"{audit.subject} · {audit.prompt_set} · {plural(audit.n_prompts, 'prompt')} · {audit.effort}"
    title = term_help("reference audit", role) if role == "Reference" else role
    return panel(
        dmc.Anchor(audit.name, href=audit_path(audit.id), fw=600, className="breakable"),
        dmc.Text(facts, size="sm", c="dimmed", className="breakable"),
        title=title,
    )


def _others(found: Comparison, other: ComparedAudit, state: Mapping[str, Any]) -> Any:
    if len(found.others) == 1:
        return None
    links = [
        _tab(one.audit.name, compare_path(state["audits"], outcome=_outcome(state), other=one.audit.id), one is other)
        for one in found.others
    ]
    return html.Nav(links, className="page-tabs", **{"aria-label": "Which audit beside the reference"})


def _cautions(other: ComparedAudit) -> Any:
    lines = [*other.cautions]
    lines += [f"{one.n} {_prompts(one.n)} {one.why}: {_ids(one.ids, one.n)}." for one in other.left_out]
    if not lines:
        return None
    items = html.Ul([html.Li(line) for line in lines], className="problems")
    return dmc.Alert(items, title="Read with care", color="yellow", variant="light")


def _outcomes(found: Comparison, other: ComparedAudit, state: Mapping[str, Any], pair: Any) -> list[Any]:
    tabs = [
        _tab(label, compare_path(state["audits"], outcome=name, other=state["other"]), name == state["outcome"])
        for name, label in OUTCOMES.items()
    ]

    def address(cell: Cell, prompts: str) -> str:
        return compare_path(state["audits"], **_kept(state, cell=cell, prompts=prompts))

    def table(counts: Any) -> Any:
        chosen = state["cell"] if counts.prompts == state["prompts"] else None
        return flip_panel(counts, other, found.outcome, flip_cells(counts, chosen, address))

    everything = html.Details(
        [html.Summary("The same over all prompts, those that were fitted on included"), table(other.everything)],
        open=state["prompts"] == "all",
    )
    tables = [table(other.test), everything]
    chosen = [_beside(found, state, pair), _behind(found, other, state)]  # under the table that they were chosen in
    at = 2 if state["prompts"] == "all" else 1
    navigation = html.Nav(tabs, className="page-tabs", **{"aria-label": "Outcome to compare"})
    return [navigation, *tables[:at], *chosen, *tables[at:]]


def _beside(found: Comparison, state: Mapping[str, Any], pair: Any) -> Any:
    """The chosen prompt in both audits."""
    if pair is None:
        return None
    close = dmc.Anchor("Close", href=compare_path(state["audits"], **_kept(state)), size="sm")
    return html.Div(
        [
            dcc.Store(id=ADDRESS, data={"audit_id": found.reference.id, "prompt_id": state["prompt"]}),
            dmc.Group([dmc.Title(["Prompt ", dmc.Code(state["prompt"])], order=3, size="h4"), close]),
            prompt_beside(*pair),
        ],
        id="compared-prompt",
    )


def _behind(found: Comparison, other: ComparedAudit, state: Mapping[str, Any]) -> Any:
    """The prompts of the chosen cell."""
    if state["cell"] is None:
        return None
    filters = {**state, "reference": found.reference.id, "other": other.audit.id}
    return panel(
        paged_grid(GRID, compared_columns(), label="Prompts of the chosen cell", filters=filters, height="420px"),
        title=f"{CELLS[state['cell']]}: {OUTCOMES[found.outcome].lower()}, {TITLES[state['prompts']].lower()}",
    )


async def _pair(ui: Ui, found: Comparison, state: Mapping[str, Any]) -> Any:
    if state["prompt"] is None:
        return None
    ids = (found.reference.id, other_of(found, state).audit.id)
    details = await asyncio.gather(*(ui.api.audit(one) for one in ids))
    prompts = await asyncio.gather(*(ui.api.prompt(one, state["prompt"]) for one in ids))
    return tuple(details), tuple(prompts)


def _kept(state: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The rest of the address after a change; what is as by default is left out."""
    now = {**state, **changes}
    return {
        "outcome": _outcome(now),
        "other": now["other"],
        "prompts": "all" if now["prompts"] == "all" else None,
        "cell": now["cell"],
        "prompt": changes.get("prompt"),
    }


def _outcome(state: Mapping[str, Any]) -> str | None:
    return None if state["outcome"] == "flipped_minimal" else str(state["outcome"])


def _tab(label: str, href: str, chosen: bool) -> Any:
    here = {"aria-current": "page"} if chosen else {}
    name = "page-tab active" if chosen else "page-tab"
    return dmc.Anchor(label, href=href, underline="never", className=name, **here)


def _prompts(n: int) -> str:
    return "prompt" if n == 1 else "prompts"


def _ids(ids: Sequence[str], n: int) -> str:
    shown = ", ".join(ids[:10])
    return shown + (", …" if n > 10 else "")
