"""The cascade over prompts beside its controls: which features wake beyond chance, whole layers, layers on layers."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.api.schemas import CascadeGraph
from backend.audit.results import CascadeSummary, WokenFeature
from frontend.components.figure_card import figure_card
from frontend.components.figure_table import figure_cell, figure_table
from frontend.components.graph import graph
from frontend.components.section import panel
from frontend.figures.cascade_graph import cascade_graph, drawn
from frontend.format import number, plural
from frontend.terms import term_help
from frontend.url_state import feature_path

GRAPH = "cascade-graph"
SHOWN = 15  # woken features before the fold


def cascade_graph_panel(found: CascadeGraph, cascade: CascadeSummary) -> Any:
    """The layered graph summed over prompts, with what matched random ablation wakes in words beside it."""
    if not found.nodes:
        return dmc.Text("No refused test prompt: no cascade was followed.", c="dimmed")
    left_out = len(found.nodes) - len(drawn(found))
    more = f" {plural(left_out, 'feature')} of fewer prompts are left out of the drawing." if left_out else ""
    control = (
        f"A first round wakes {number(cascade.woken.value, 1)} features a prompt; as large a matched random ablation"
        f" {number(cascade.woken_random.value, 1)}."
    )
    return panel(
        graph(GRAPH, cascade_graph(found), "Features by round of the cascade, and which ablation woke which"),
        dmc.Text(f"{control}{more}", size="sm", c="dimmed"),
        title=f"Over {plural(found.n_prompts, 'prompt')}: size is the effect, lines are wake-ups; click a feature",
    )


def woken_features(cascade: CascadeSummary, audit_id: str) -> Any:
    """Every feature that woke in first rounds, beside its share under matched random ablation."""
    title = "Which features wake, beside matched random ablation"
    if not cascade.woken_features:
        return panel(dmc.Text("Not measured, or nothing woke.", c="dimmed", size="sm"), title=title)
    first, rest = cascade.woken_features[:SHOWN], cascade.woken_features[SHOWN:]
    parts = [_woken_table(first, audit_id)]
    if rest:
        fold = [html.Summary(f"{plural(len(rest), 'more feature')}"), _woken_table(rest, audit_id)]
        parts.append(html.Details(fold))
    beyond = sum(one.q <= 0.05 for one in cascade.woken_features)
    screened = cascade.n_woken_screened or len(cascade.woken_features)
    about = [
        f"{beyond} of {plural(screened, 'feature')} screened are ",
        term_help("woken beyond random"),
        " at ",
        term_help("q"),
        " ≤ 0.05.",
    ]
    return panel(dmc.Text(about, size="sm"), *parts, title=title)


def whole_layers(cascade: CascadeSummary) -> Any:
    cards = [
        figure_card("Flipped within the layers", cascade.layer_flipped, term="whole layer", share=True),
        figure_card("Layers until the flip (median)", cascade.layer_depth, term="whole layer"),
        figure_card("The same, by single features", cascade.depth, term="depth"),
        figure_card("Backups that re-ablation confirms", cascade.backups_confirmed, term="backup", share=True),
    ]
    return dmc.SimpleGrid(cards, cols={"base": 1, "xs": 2, "md": 4}, spacing="md")


def influence(cascade: CascadeSummary) -> Any:
    title = term_help("influence", "What ablating one layer's refusal features does to a later layer's")
    if not cascade.influence:
        return panel(dmc.Text("Not measured.", c="dimmed", size="sm"), title=title)
    rows = [
        [
            f"{one.upstream} → {one.downstream}",
            figure_cell(one.share_deactivated, share=True),
            figure_cell(one.mean_drop, share=True),
        ]
        for one in cascade.influence
    ]
    return panel(figure_table(("layers", "silenced", "mean drop"), rows, min_width=380), title=title)


def _woken_table(rows: tuple[WokenFeature, ...], audit_id: str) -> Any:
    headings = ("feature", "could wake (prompts)", term_help("woken", "woke"), "at random", "p", term_help("q"))
    body = [
        [
            dmc.Anchor(one.feature, href=feature_path(audit_id, one.feature), size="sm"),
            f"{one.n_prompts:,}",
            figure_cell(one.woken, share=True),
            figure_cell(one.woken_random, share=True),
            number(one.p, 3),
            number(one.q, 3),
        ]
        for one in rows
    ]
    return figure_table(headings, body, min_width=640)
