"""One prompt of a finished audit: what the model saw, what makes it refuse, what wakes, and what would happen if."""

import asyncio
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, dcc, html

from backend.api.schemas import AuditDetail, PromptDetail, SavedSet
from frontend.components.audit_header import audit_header
from frontend.components.badges import outcome_badge, verdict_badge
from frontend.components.cascade_rounds import cascade_rounds
from frontend.components.completions import completions
from frontend.components.minimal_sets import minimal_sets
from frontend.components.prompt_controls import prompt_controls
from frontend.components.prompt_filters import LABELS
from frontend.components.prompt_perturbed import prompt_perturbed
from frontend.components.prompt_verification import prompt_verification
from frontend.components.revealable import ADDRESS, NOT_KEPT, READ_ONLY, register_revealable
from frontend.components.saved_sets import MOST_LISTED, register_saved_sets, saved_sets
from frontend.components.section import contents, section
from frontend.components.token_heat_view import FEATURE, TOKEN, register_token_heat_view, token_heat_view
from frontend.components.url_store import register_url_store, url_store
from frontend.components.what_if import STATE, register_what_if, what_if_panel
from frontend.components.what_if_form import minimal_of
from frontend.format import number, shortened
from frontend.page import Query, Ui, View
from frontend.terms import term_help
from frontend.url_state import audit_path, prompt_path, write_query
from frontend.what_if_state import from_query, to_query

URL = "prompt-url"


def register(ui: Ui) -> None:
    async def layout(query: Query, audit_id: str, prompt_id: str) -> View:
        detail, found = await asyncio.gather(ui.api.audit(audit_id), ui.api.prompt(audit_id, prompt_id))
        sets: list[SavedSet] = []
        if not detail.read_only:
            sets = (await ui.api.saved_sets(audit_id, prompt_id, limit=MOST_LISTED)).items
        body = await asyncio.to_thread(prompt, detail, found, sets, query)
        return View(f"{found.line.id}: {shortened(found.line.text, 60)}", body)

    @ui.callback(
        Output(URL, "data"),
        Input(FEATURE, "data"),
        Input(TOKEN, "data"),
        Input(STATE, "data"),
        prevent_initial_call=True,
    )
    async def keep(feature: str | None, token: int | None, what_if: dict[str, Any] | None) -> str:
        return write_query(feature=feature, token=None if token is None else str(token), **(what_if or {}))

    ui.page("/audits/{audit_id}/prompts/{prompt_id}", layout)
    register_url_store(ui, URL)
    register_token_heat_view(ui)
    register_revealable(ui)
    register_what_if(ui)
    register_saved_sets(ui)


def prompt(detail: AuditDetail, found: PromptDetail, sets: Sequence[SavedSet], query: Query) -> Any:
    """The whole page, in the state its link asks for."""
    audit, story = detail.audit, found.story
    parts = {
        "tokens": ("Tokens", section("tokens", "The prompt and what fires on it", token_heat_view(story, query))),
        "completions": (
            "Completions",
            section(
                "completions",
                "Completions",
                completions(story, sealed=_sealed(detail)),
                about=["Refusals are shown; any other words are ", term_help("masked"), " until revealed."],
            ),
        ),
    }
    if story.controls is not None:
        sets_section = section(
            "minimal-set",
            "Minimal set",
            minimal_sets(story, audit.id),
            about=[term_help("minimal set", "Features whose joint ablation stops the refusal"), ", none to spare."],
        )
        parts["minimal-set"] = ("Minimal set", sets_section)
        parts["controls"] = ("Controls", section("controls", "Controls", prompt_controls(story, story.controls)))
    if story.verification is not None:
        verified = prompt_verification(story, story.verification, audit.id, sealed=_sealed(detail))
        about_arms = ["The smallest confirmed ", term_help("minimal set"), ", the one claimed, against the other arms."]
        parts["verification"] = ("Verification", section("verification", "Verification", verified, about=about_arms))
    if story.perturbed:
        perturbed = prompt_perturbed(story, detail.stability, audit.id, sealed=_sealed(detail))
        about_perturbed = ["The prompt under changes that should not matter: ", term_help("stability"), "."]
        parts["perturbed"] = ("Perturbations", section("perturbed", "Perturbations", perturbed, about=about_perturbed))
    minimal = minimal_of(story)
    intervention = from_query(query, minimal)
    about = (
        "Change features on this prompt, live: the score first, then masked completions, beside baseline and control."
    )
    if not detail.read_only:
        what_if = what_if_panel(story, intervention, saved_sets(sets, audit.id, minimal))
        parts["what-if"] = ("What-if", section("what-if", "What if", what_if, about=about))
    if story.cascade is not None:
        rounds = section("cascade", "Cascade", cascade_rounds(story, story.cascade, found.cascade_graph, audit.id))
        parts["cascade"] = ("Cascade", rounds)
    return dmc.Stack(
        [
            audit_header(audit, "prompts", *_neighbours(audit.id, found)),
            dcc.Store(id=ADDRESS, data={"audit_id": audit.id, "prompt_id": story.id}),
            dcc.Store(id=STATE, data=to_query(intervention, minimal)),
            url_store(URL),
            _summary(found, audit.id),
            contents({section_id: title for section_id, (title, _) in parts.items()}),
            *(body for _, body in parts.values()),
        ],
        gap="xl",
    )


def _sealed(detail: AuditDetail) -> str | None:
    """Why masked completions of this audit cannot be revealed; None: they can."""
    if detail.read_only:
        return READ_ONLY
    return None if detail.has_completions else NOT_KEPT


def _neighbours(audit_id: str, found: PromptDetail) -> list[Any]:
    """Previous and next in the audit's order."""
    links = []
    for label, neighbour in (("← Previous", found.previous), ("Next →", found.next)):
        if neighbour is not None:
            links.append(
                dmc.Anchor(label, href=prompt_path(audit_id, neighbour), **{"aria-label": f"{label[2:]}: {neighbour}"})
            )
    return links


def _summary(found: PromptDetail, audit_id: str) -> Any:
    line = found.line
    facts: list[Any] = [
        dmc.Code(line.id),
        dmc.Badge(LABELS.get(line.label, line.label), variant="light", color="gray"),
        dmc.Badge(line.split, variant="light", color="gray"),
        dmc.Text(["baseline ", verdict_badge(line.verdict)], size="sm"),
        dmc.Text([term_help("refusal score", "s"), f" {number(line.score)}"], size="sm"),
    ]
    if found.story.controls is not None:
        facts.append(outcome_badge(line.outcome))
    if line.category:
        facts.append(dmc.Anchor(line.category, href=audit_path(audit_id, "prompts", category=line.category), size="sm"))
    return dmc.Stack(
        [
            dmc.Title(html.Span(shortened(line.text, 400), dir="auto"), order=2, size="h3", className="breakable"),
            dmc.Group(facts, gap="sm"),
        ],
        gap="xs",
    )
