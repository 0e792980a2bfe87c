"""Do features interact: the fit with pairs beside the linear one, and every claimed pair as it was measured."""

from typing import Any

import dash_mantine_components as dmc

from backend.audit.results import Interactions, Pair
from frontend.components.graph import graph
from frontend.components.section import columns, panel
from frontend.figures.interactions import model_fit, two_by_two
from frontend.format import figure_text
from frontend.terms import term_help
from frontend.url_state import feature_path

KINDS = {
    "backup": ("backup pair", "backup pair", "each covers for the other"),
    "serial": ("serial pair", "serial pair", "either alone already breaks the path"),
    "additive": ("additive", "effect", "the interval holds 0: no interaction shown"),
    "undecided": ("undecided", "interval", "too few prompt families for an interval"),
}
"""kind -> words, the term behind them, what they mean"""


def interaction_pairs(interactions: Interactions, audit_id: str) -> Any:
    if interactions.r2_heldout.value is None:
        return dmc.Text("Nothing could be fitted: too few refused discovery prompts.", c="dimmed")
    fit = panel(
        graph(
            "model-fit",
            model_fit(interactions.r2_heldout, interactions.r2_linear),
            "Held-out R squared of the linear model and of the factorisation machine",
        ),
        title=["Held-out ", term_help("r2", "R²"), f", {interactions.n_heldout} masks"],
    )
    screened = (
        f"{interactions.n_pairs_screened} pairs of {len(interactions.pool)} pooled features were screened on"
        f" {interactions.n_masks} masks and {interactions.n_prompts} discovery prompts."
    )
    probe = interactions.probe
    facts = panel(
        dmc.Text(screened, size="sm"),
        dmc.Text(
            [
                "Activations alone tell harmful from harmless with an AUC of ",
                f"{figure_text(probe.linear_auc)} (linear ",
                term_help("linear probe", "probe"),
                f") and {figure_text(probe.fm_auc)} (",
                term_help("factorisation machine"),
                f"), over {probe.n_features:,} features. That they predict harm does not show that they cause refusal.",
            ],
            size="sm",
        ),
        title="What was tried",
    )
    pairs = [pair_panel(pair, place, audit_id) for place, pair in enumerate(interactions.pairs)]
    if not pairs:
        return dmc.Stack([columns(fit, facts), dmc.Text("No pair passed the screen.", c="dimmed")])
    return dmc.Stack([columns(fit, facts), columns(*pairs, wide=3)], gap="md")


def pair_panel(pair: Pair, place: int, audit_id: str) -> Any:
    """One claimed pair with its measured 2x2."""
    words, term, meaning = KINDS[pair.measured.kind]
    names = [
        dmc.Anchor(pair.a, href=feature_path(audit_id, pair.a), fw=600),
        dmc.Text("and", size="sm"),
        dmc.Anchor(pair.b, href=feature_path(audit_id, pair.b), fw=600),
        dmc.Badge(words, variant="light" if pair.measured.kind in ("backup", "serial") else "outline"),
    ]
    return panel(
        dmc.Group(names, gap="xs"),
        graph(
            {"type": "pair", "place": place},
            two_by_two(pair),
            f"Mean scores with none, either and both of {pair.a} and {pair.b} ablated",
        ),
        dmc.Text(
            [
                term_help(term, words.capitalize()),
                f": {meaning}. Measured interaction in nats: {figure_text(pair.measured.interaction)};"
                f" fitted weight {pair.weight:+.2f}, screen |z| {abs(pair.z):.1f}.",
            ],
            size="sm",
            c="dimmed",
        ),
    )
