"""Does the mechanism stay the same: perturbations of words, weights and dictionary, beside the placebo."""

import asyncio
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc

from backend.api.schemas import AuditDetail, PerturbedLine
from backend.audit.results import Stability
from frontend.components.audit_header import audit_header
from frontend.components.local_grid import local_grid
from frontend.components.not_measured import not_done, not_measured
from frontend.components.section import contents, section
from frontend.components.stability_grids import FEATURE_COLUMNS, PROMPT_COLUMNS, feature_rows, prompt_rows
from frontend.components.stability_overview import (
    perturbation_figures,
    perturbation_table,
    skipped,
    stability_headline,
)
from frontend.format import plural
from frontend.page import Query, Ui, View
from frontend.terms import term_help

FEATURES, PROMPTS = "stability-features-grid", "stability-prompts-grid"
CONTENTS = {"perturbations": "Perturbations", "features": "Features", "prompts": "Prompts"}


def register(ui: Ui) -> None:
    async def layout(query: Query, audit_id: str) -> View:
        detail = await ui.api.audit(audit_id)
        if detail.audit.state != "done":
            return View(detail.audit.name, not_done(detail.audit, "stability"))
        lines = await ui.api.perturbed(audit_id) if detail.stability is not None else []
        return View(f"Stability of {detail.audit.name}", await asyncio.to_thread(stability, detail, lines))

    ui.page("/audits/{audit_id}/stability", layout)


def stability(detail: AuditDetail, lines: Sequence[PerturbedLine]) -> Any:
    """The page of a finished audit; `lines`: every perturbed prompt."""
    head = audit_header(detail.audit, "stability")
    if detail.stability is None:
        return dmc.Stack([head, not_measured(detail.audit, "stability")])
    return dmc.Stack([head, contents(CONTENTS), *_sections(detail.stability, lines, detail.audit.id)], gap="xl")


def _sections(value: Stability, lines: Sequence[PerturbedLine], audit_id: str) -> list[Any]:
    return [
        section(
            "perturbations",
            "What perturbations do",
            stability_headline(value),
            perturbation_figures(value),
            perturbation_table(value),
            skipped(value),
            about=[
                f"{plural(value.n_prompts, 'refused prompt')} under changes that should not matter to the mechanism: ",
                term_help("stability", "stable"),
                " is what stays as it does under the ",
                term_help("placebo"),
                ".",
            ],
        ),
        section(
            "features",
            "Which refusal features stay",
            local_grid(
                FEATURES, FEATURE_COLUMNS, feature_rows(value.features, audit_id), label="Refusal features by keep rate"
            )
            if value.features
            else dmc.Text("No refusal feature was active on a perturbed prompt.", c="dimmed"),
            about=["By feature, its ", term_help("keep rate"), " over the perturbations and under the placebo."],
        ),
        section(
            "prompts",
            "Prompt by prompt",
            local_grid(
                PROMPTS,
                PROMPT_COLUMNS,
                prompt_rows(lines, value.perturbations, audit_id),
                label="Every prompt under every perturbation",
            )
            if lines
            else dmc.Text("No prompt was perturbed.", c="dimmed"),
            about="Each prompt under each perturbation; the prompt's own page has its completions.",
        ),
    ]
