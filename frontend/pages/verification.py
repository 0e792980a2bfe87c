"""Does the evidence hold: every claimed set beside its controls, what it does to benign prompts, and who judged."""

import asyncio
from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import dcc

from backend.api.schemas import AuditDetail, CorrectedCount, DisagreementRow, Page
from backend.audit.results import Judges, Verification
from frontend.components.audit_header import audit_header
from frontend.components.disagreements import MOST, disagreements, person_counts, register_disagreements
from frontend.components.figure_card import figure_card
from frontend.components.judge_quality import judge_quality
from frontend.components.not_measured import not_done, not_measured
from frontend.components.revealable import ADDRESS, NOT_KEPT
from frontend.components.section import contents, panel, section
from frontend.components.transfer_panel import transfer_panel
from frontend.components.verification_checks import mode_agreement, side_effects, sufficiency
from frontend.components.verified_arms import beyond_random, verified_arms
from frontend.page import Query, Ui, View
from frontend.terms import term_help

Parts = dict[str, tuple[str, Any]]  # id -> title in the contents, section


@dataclass(frozen=True)
class Persons:
    """Where judges differ, and what persons made of it."""

    rows: Page[DisagreementRow]
    counts: list[CorrectedCount]


def register(ui: Ui) -> None:
    async def layout(query: Query, audit_id: str) -> View:
        detail = await ui.api.audit(audit_id)
        if detail.audit.state != "done":
            return View(detail.audit.name, not_done(detail.audit, "verification"))
        persons = await _asked(ui, detail)
        return View(f"Verification of {detail.audit.name}", await asyncio.to_thread(verification, detail, persons))

    ui.page("/audits/{audit_id}/verification", layout)
    register_disagreements(ui)


async def _asked(ui: Ui, detail: AuditDetail) -> Persons | None:
    """What persons have said; a read-only link does not open it."""
    if detail.judges is None or detail.read_only:
        return None
    audit_id = detail.audit.id
    rows, counts = await asyncio.gather(ui.api.disagreements(audit_id, limit=MOST), ui.api.corrected_counts(audit_id))
    return Persons(rows, counts)


def verification(detail: AuditDetail, persons: Persons | None) -> Any:
    """The page of a finished audit."""
    parts: Parts = {}
    if detail.verification is not None:
        parts |= _evidence(detail.verification, detail.audit.id)
    if detail.judges is not None:
        about = ["How far a ", term_help("verdict"), " can be trusted. Positive means: the completion refuses."]
        settled = _settled(detail, detail.judges, persons) if persons is not None else []
        body = judge_quality(detail.judges, detail)
        parts["judges"] = ("Judges", section("judges", "Judges", body, *settled, about=about))
    missing = []
    if detail.verification is None:
        missing.append(not_measured(detail.audit, "verification"))
    elif detail.judges is None:
        missing.append(not_measured(detail.audit, "the quality of its judge"))
    return dmc.Stack(
        [
            audit_header(detail.audit, "verification"),
            dcc.Store(id=ADDRESS, data={"audit_id": detail.audit.id}),
            contents({name: title for name, (title, _) in parts.items()}) if parts else None,
            *(body for _, body in parts.values()),
            *missing,
        ],
        gap="xl",
    )


def _settled(detail: AuditDetail, judges: Judges, persons: Persons) -> list[Any]:
    sealed = None if detail.has_completions else NOT_KEPT
    listed = disagreements(persons.rows, judges.primary, detail.audit.id, sealed=sealed)
    return [listed, person_counts(persons.counts) if any(row.person for row in persons.rows.items) else None]


def _evidence(value: Verification, audit_id: str) -> Parts:
    return {
        "arms": (
            "Controls",
            section(
                "arms",
                "Every claim beside its controls",
                verified_arms(value),
                about=[
                    "What each refused test prompt does when its claimed set (its smallest confirmed ",
                    term_help("minimal set"),
                    ") is ablated, and under everything that set is held against. Brackets are Wilson ",
                    term_help("interval", "intervals"),
                    "; every prompt counts.",
                ],
            ),
        ),
        "random": (
            "Beyond random",
            section(
                "random",
                "Do claimed sets beat their random sets?",
                dmc.SimpleGrid(
                    [
                        panel(beyond_random(value)),
                        figure_card(
                            "Of a claimed set, active on its prompt", value.coverage, term="set coverage", share=True
                        ),
                    ],
                    cols={"base": 1, "sm": 2},
                    spacing="md",
                ),
            ),
        ),
        "modes": (
            "Ablation modes",
            section(
                "modes",
                "Do the ways to ablate agree?",
                mode_agreement(value.agreement),
                about="The same sets at zero, at their benign mean, at resampled values, and clamped to minus their "
                "activation: share of prompts with the same outcome.",
            ),
        ),
        "sufficiency": (
            "Sufficiency",
            section(
                "sufficiency",
                "Are the sets enough to refuse?",
                sufficiency(value.sufficiency),
                about=[
                    term_help("sufficiency", "Sufficiency"),
                    ": claimed sets set to their mean harmful activation on benign prompts.",
                ],
            ),
        ),
        "side-effects": (
            "Side effects",
            section(
                "side-effects",
                "What else does the ablation change?",
                side_effects(value.side_effects),
                about=["On benign test prompts, where nothing should change: ", term_help("side effects"), "."],
            ),
        ),
        "transfer": (
            "Transfer",
            section(
                "transfer",
                "How far do sets reach?",
                transfer_panel(value.transfer, audit_id),
                about=[
                    term_help("transfer", "Transfer"),
                    ": sets found on one prompt, and features pooled over prompts, on other refused test prompts.",
                ],
            ),
        ),
    }
