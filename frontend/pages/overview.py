"""One audit at a glance: answers in words, four numbers first, where refusal sits, and where the numbers come from.

While the audit is not done, its progress instead.
"""

import asyncio
from typing import Any

import dash_mantine_components as dmc

from backend.api.schemas import AuditDetail, Distributions
from frontend.answers import figures_in_words
from frontend.components.answer_list import figures_without_answers, statement_list
from frontend.components.audit_header import audit_header
from frontend.components.graph import graph
from frontend.components.headline import headline
from frontend.components.live_audit import live_audit, register_live_audit
from frontend.components.manifest import manifest_panels
from frontend.components.never_flipped import never_flipped
from frontend.components.section import columns, contents, panel, section
from frontend.components.share_dialog import register_share_dialog, share_actions
from frontend.figures.arms import flips_by_arm
from frontend.figures.layer_map import layer_map
from frontend.figures.set_sizes import set_sizes
from frontend.figures.slices import slices_by_outcome
from frontend.format import moment
from frontend.page import Query, Ui, View
from frontend.terms import term_help
from frontend.url_state import audit_path

CONTENTS = {
    "answers": "Answers",
    "layers": "Layers",
    "unflipped": "Never flipped",
    "slices": "By category",
    "manifest": "Manifest",
}


def register(ui: Ui) -> None:
    async def layout(query: Query, audit_id: str) -> View:
        detail = await ui.api.audit(audit_id)
        if detail.audit.state != "done":
            readiness = await ui.api.ready() if detail.audit.state == "queued" else None
            body = dmc.Stack([audit_header(detail.audit, "overview"), live_audit(detail.audit, readiness)])
            return View(detail.audit.name, body)
        distributions = await ui.api.distributions(audit_id)
        return View(detail.audit.name, await asyncio.to_thread(overview, detail, distributions))

    ui.page("/audits/{audit_id}", layout)
    register_live_audit(ui)
    register_share_dialog(ui)


def overview(detail: AuditDetail, distributions: Distributions) -> Any:
    """The page of a finished audit."""
    audit = detail.audit
    return dmc.Stack(
        [
            audit_header(audit, "overview", *share_actions(detail)),
            _provenance(detail),
            contents(CONTENTS),
            _answers(detail, distributions),
            _layers(detail, distributions),
            section(
                "unflipped",
                "Never flipped",
                never_flipped(distributions.never_flipped, audit.id),
                about="Refused harmful prompts whose score no candidate set took below 0. They count in every rate.",
            ),
            _slices(distributions, audit.id),
            section("manifest", "Manifest", manifest_panels(detail.manifest, detail) if detail.manifest else None),
        ],
        gap="xl",
    )


def _provenance(detail: AuditDetail) -> Any:
    """What an example or an import is, where one might take it for one's own."""
    audit = detail.audit
    if audit.origin == "run":
        return None
    started = (detail.manifest or {}).get("timings", {}).get("started")
    day = str(started)[:10] if started else moment(audit.created)
    spec = detail.spec
    settings = f"subject {audit.subject}, prompts {audit.prompt_set}, effort {spec.effort}, seed {spec.seed}"
    if audit.origin == "example":
        text = f"Example: really run by the makers of this product on {day}, with {settings}."
    else:
        text = f"Imported from a report file, not run on this server. Made on {day}, with {settings}."
    return dmc.Alert(text, color="gray", variant="light")


def _answers(detail: AuditDetail, distributions: Distributions) -> Any:
    card, cascade = detail.report_card, detail.cascade
    if card is None or cascade is None:
        return None
    return section(
        "answers",
        "Report card",
        headline(card, detail.verification, detail.audit.id),
        columns(
            panel(
                statement_list(card.statements, detail.audit.id)
                if card.statements
                else figures_without_answers(figures_in_words(card, cascade), detail.audit.id)
            ),
            dmc.Stack(
                [
                    panel(
                        graph(
                            "flips-by-arm",
                            flips_by_arm(card.flipped),
                            "Share of refused test prompts that comply under each intervention, with intervals",
                        ),
                        title="What makes refusals comply",
                    ),
                    _sizes(distributions, detail.audit.id),
                ],
                gap="md",
            ),
            wide=2,
        ),
        about=[
            "Over harmful prompts of the test ",
            term_help("split"),
            " that were refused at baseline; all of them count. A ",
            term_help("flip"),
            " is confirmed by a completion. Brackets hold 95 % ",
            term_help("interval", "intervals"),
            ".",
        ],
    )


def _layers(detail: AuditDetail, distributions: Distributions) -> Any:
    if detail.direction is None:
        return None
    direction = detail.direction
    n_layers = (detail.manifest or {}).get("subject", {}).get("n_layers")
    met = "" if direction.rule_met else " No cell met the rule; the one with the largest two effects together is used."
    return section(
        "layers",
        "Where refusal sits",
        panel(
            graph(
                "layer-map",
                layer_map(direction, distributions.layers, n_layers),
                "By layer: candidate refusal directions, features in minimal sets and woken, best cosine",
            )
        ),
        about=[
            "Above, every candidate ",
            term_help("direction"),
            f" by layer and token, outlined where admissible; the star is the chosen one (layer {direction.layer},"
            f" position {direction.position}).{met} Below, the features that ",
            term_help("minimal set", "minimal sets"),
            " hold and those that cascades ",
            term_help("woken", "woke"),
            ".",
        ],
    )


def _sizes(distributions: Distributions, audit_id: str) -> Any:
    return panel(
        graph("set-sizes", set_sizes(distributions.set_sizes), "Prompts by size of their minimal set"),
        dmc.Anchor(
            "Flipped prompts by size",
            href=audit_path(audit_id, "prompts", outcome="flipped", sort="-set_size"),
            size="sm",
        ),
        title=["How many features a ", term_help("minimal set"), " has"],
    )


def _slices(distributions: Distributions, audit_id: str) -> Any:
    return section(
        "slices",
        "Prompts by category and outcome",
        panel(
            graph(
                "overview-slices",
                slices_by_outcome(distributions.slices, None, None),
                "Prompts of each category by what became of them",
            ),
            dmc.Anchor("All prompts", href=audit_path(audit_id, "prompts"), size="sm"),
        ),
    )
