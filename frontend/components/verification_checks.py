"""The other checks of a claimed set: coverage, ablation modes, sufficiency, side effects. Values in, components out."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc

from backend.audit.results import ModeAgreement, SideEffects, Sufficiency
from frontend.arm_words import in_order
from frontend.components.figure_card import figure_card
from frontend.components.figure_table import figure_cell, figure_table
from frontend.components.section import panel
from frontend.format import plural
from frontend.terms import term_help

ABLATED = {
    "minimal": "pooled features of 90 % of the sets",
    "random": "matched random features",
    "direction": "refusal direction",
}
"""arm -> what is ablated on benign prompts"""


def mode_agreement(agreement: ModeAgreement) -> Any:
    cards = [
        figure_card("All modes agree", agreement.all_modes, term="mode agreement", share=True),
        *(
            figure_card(
                f"{name.capitalize()} agrees with zero", agreement.with_zero[name], term="mode agreement", share=True
            )
            for name in in_order(agreement.with_zero)
        ),
    ]
    return dmc.SimpleGrid(cards, cols={"base": 1, "xs": 2, "md": 4}, spacing="md")


def sufficiency(value: Sufficiency) -> Any:
    if not value.n_sets or not value.n_prompts:
        return dmc.Text("Not measured: no claimed set, or no benign test prompt.", c="dimmed", size="sm")
    rows = [
        ["refused then", figure_cell(value.refused, share=True), figure_cell(value.refused_random, share=True)],
        [
            "score above 0 then",
            figure_cell(value.score_positive, share=True),
            figure_cell(value.score_positive_random, share=True),
        ],
        ["mean s then", figure_cell(value.score), figure_cell(value.score_random)],
    ]
    headings = ("benign test prompts", "claimed sets added", "matched random sets added")
    tried = f"{plural(value.n_sets, 'set')} on {plural(value.n_prompts, 'benign prompt')}, no harm asked for."
    return panel(figure_table(headings, rows, min_width=420), dmc.Text(tried, size="sm", c="dimmed"))


def side_effects(effects: Mapping[str, SideEffects]) -> Any:
    if not effects:
        return dmc.Text("Not measured: no benign test prompt to measure them on.", c="dimmed", size="sm")
    headings = (
        "ablated on benign prompts",
        term_help("kl", "KL, nats a token"),
        term_help("cross-entropy", "cross-entropy, change in nats"),
        term_help("verdict", "verdict changes"),
        term_help("refused", "refused"),
    )
    names = [name for name in ABLATED if name in effects] + sorted(set(effects) - set(ABLATED))
    rows = [
        [
            _what(name, effects[name]),
            figure_cell(effects[name].kl, digits=3),
            figure_cell(effects[name].cross_entropy, digits=3),
            figure_cell(effects[name].verdict_changed, share=True),
            figure_cell(effects[name].refused, share=True),
        ]
        for name in names
    ]
    lengths = sorted({effect.n_tokens for effect in effects.values()})
    over = " or ".join(str(n) for n in lengths)
    return panel(
        figure_table(headings, rows, min_width=680),
        dmc.Text(f"Over the first {over} tokens of the subject's own completions.", size="sm", c="dimmed"),
    )


def _what(name: str, effect: SideEffects) -> str:
    size = f" ({plural(len(effect.features), 'feature')})" if effect.features else ""
    return ABLATED.get(name, name) + size
