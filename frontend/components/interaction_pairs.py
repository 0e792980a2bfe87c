"""Do features interact: the fit with pairs beside the linear one, and every claimed pair as it was measured."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.audit.results import Interactions, Pair
from frontend.components.figure_table import figure_cell, figure_table
from frontend.components.graph import graph
from frontend.components.section import columns, panel
from frontend.figures.interaction_map import interaction_map, shown_features
from frontend.figures.interactions import model_fit, two_by_two
from frontend.format import figure_text, number
from frontend.terms import term_help
from frontend.url_state import audit_path, feature_path

MAP = "interaction-map"
KINDS = {
    "backup": ("backup pair", "backup pair", "each covers for the other"),
    "serial": ("serial pair", "serial pair", "either alone already breaks the path"),
    "additive": ("additive", "effect", "the interval holds 0: no interaction shown"),
    "undecided": ("undecided", "interval", "too few prompt families for an interval"),
}
"""kind -> words, the term behind them, what they mean"""


def model_fits(interactions: Interactions) -> Any:
    """How well the score is explained with and without pairs, and what was tried."""
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
    return columns(fit, facts)


def pair_map(interactions: Interactions, chosen: Pair | None, audit_id: str) -> Any:
    """The map beside the list of pairs; a cell or a line of the list opens its 2x2."""
    if not interactions.pairs:
        return dmc.Text("No pair passed the screen.", c="dimmed")
    left_out = len(set(interactions.pool)) - len(shown_features(interactions))
    note = f" {left_out} pooled features without a claimed pair are left out." if left_out > 0 else ""
    drawn = panel(
        graph(
            MAP,
            interaction_map(interactions, chosen),
            "Fitted coefficient of every claimed pair of pooled features; a click opens the pair",
        ),
        dmc.Text(
            "Below 0 (teal): each covers for the other. Above 0 (brown): one path. Letters say what the measurement"
            f" showed: b backup, s serial, a additive, ? undecided. Empty: not claimed.{note}",
            size="sm",
            c="dimmed",
        ),
        title="Coefficient of each claimed pair: click a cell to open it",
    )
    items = [html.Li(_line(pair, pair == chosen, audit_id)) for pair in interactions.pairs]
    listed = panel(html.Ul(items, className="pair-list"), title="Claimed pairs, with the measured interaction in nats")
    shown = pair_panel(chosen, audit_id) if chosen is not None else None
    return columns(drawn, dmc.Stack([shown, listed], gap="md"))


def pair_panel(pair: Pair, audit_id: str) -> Any:
    """One claimed pair with its measured 2x2."""
    words, term, meaning = KINDS[pair.measured.kind]
    names = [
        dmc.Anchor(pair.a, href=feature_path(audit_id, pair.a), fw=600),
        dmc.Text("and", size="sm"),
        dmc.Anchor(pair.b, href=feature_path(audit_id, pair.b), fw=600),
        dmc.Badge(words, variant="light" if pair.measured.kind in ("backup", "serial") else "outline"),
    ]
    cells = (
        ("none", pair.measured.none),
        (pair.a, pair.measured.a),
        (pair.b, pair.measured.b),
        ("both", pair.measured.both),
        ("interaction, nats", pair.measured.interaction),
    )
    return html.Div(
        panel(
            dmc.Group(names, gap="xs"),
            graph("pair", two_by_two(pair), f"Mean scores with none, either and both of {pair.a} and {pair.b} ablated"),
            figure_table(
                ("ablated", "mean s, 95 % interval, n"),
                [[name, figure_cell(cell)] for name, cell in cells],
                min_width=240,
            ),
            dmc.Text(
                [
                    term_help(term, words.capitalize()),
                    f": {meaning}. Fitted coefficient {pair.weight:+.2f} nats, screen |z| {number(abs(pair.z), 1)}.",
                ],
                size="sm",
                c="dimmed",
            ),
            title="The chosen pair, measured on held-out prompts",
        ),
        id="pair-chosen",
    )


def chosen_pair(interactions: Interactions, asked: list[str]) -> Pair | None:
    """The pair a link asks for, in either order; else the one with the largest coefficient."""
    for pair in interactions.pairs:
        if {pair.a, pair.b} == set(asked):
            return pair
    return max(interactions.pairs, key=lambda pair: abs(pair.weight), default=None)


def pair_path(audit_id: str, a: str, b: str) -> str:
    return audit_path(audit_id, "interactions", pair=[a, b])


def _line(pair: Pair, chosen: bool, audit_id: str) -> Any:
    current = {"aria-current": "true"} if chosen else {}
    link = dmc.Anchor(f"{pair.a} × {pair.b}", href=pair_path(audit_id, pair.a, pair.b), size="sm", **current)
    return [link, f" {pair.measured.kind}, {figure_text(pair.measured.interaction)}"]
