"""The cascade over all headline prompts: what wakes, beside its random control, and which features are connected."""

from typing import Any

import dash_mantine_components as dmc

from backend.audit.results import CascadeSummary, Edge
from frontend.components.figure_card import figure_row
from frontend.components.graph import graph
from frontend.components.section import columns, panel, table_head
from frontend.figures.woken import woken_beside_random, woken_by_layer
from frontend.terms import term_help
from frontend.url_state import feature_path

EDGES_SHOWN = 10


def cascade_summary(cascade: CascadeSummary, audit_id: str, depths: Any) -> Any:
    """`depths` is the panel with the distribution of depths."""
    if cascade.woken.value is None:
        return dmc.Text("No refused test prompt: no cascade was followed.", c="dimmed")
    classes = ", ".join(
        f"{name.replace('_', '-')} {count}" for name, count in sorted(cascade.woken_by_position_class.items())
    )
    beside = panel(
        graph(
            "woken-beside-random",
            woken_beside_random(cascade.woken, cascade.woken_random),
            "Features that wake when refusal features are ablated, beside matched random ablation",
        ),
        title="Woken in the first round, beside its random control",
    )
    layers = panel(
        graph("woken-by-layer", woken_by_layer(cascade.woken_by_layer), "Listed woken features by layer"),
        dmc.Text(["By ", term_help("position class"), f": {classes or 'none'}."], size="sm", c="dimmed"),
        title="Listed woken features by layer",
    )
    return dmc.Stack(
        [
            columns(beside, layers, depths, wide=3),
            columns(panel(_figures(cascade)), panel(_edges(cascade.edges, audit_id))),
        ],
        gap="md",
    )


def _figures(cascade: CascadeSummary) -> Any:
    rows = [
        figure_row("Rounds until the flip (median)", cascade.depth, term="depth"),
        figure_row("Flipped within the rounds", cascade.flipped, term="flip", share=True),
        figure_row("Woken in the first round (mean)", cascade.woken, term="woken"),
        figure_row("The same, matched random (mean)", cascade.woken_random, term="matched random set"),
        figure_row("Difference a prompt (mean)", cascade.woken_difference, term="woken beyond random"),
        figure_row("Woken that push to refusal (mean)", cascade.pushing, term="total effect"),
        figure_row("Compensation (median)", cascade.compensation, term="compensation"),
        figure_row("Of it, by the final norm (median)", cascade.norm_share, term="self-repair"),
        figure_row("Of it, by woken features (median)", cascade.woken_share, term="self-repair"),
        figure_row("Later features silenced (mean)", cascade.share_deactivated, term="suppression", share=True),
        figure_row("Drop of later features (mean)", cascade.mean_drop, term="suppression", share=True),
    ]
    return dmc.TableScrollContainer(
        dmc.Table(
            [
                table_head("", "value", "95 % interval", "n", numeric=(1, 2, 3)),
                dmc.TableTbody(rows),
            ]
        ),
        minWidth=420,
        type="native",
    )


def _edges(edges: tuple[Edge, ...], audit_id: str) -> Any:
    title = dmc.Text("Most frequent edges: ablating the first changes the activation of the second", fw=600, size="sm")
    if not edges:
        return dmc.Stack([title, dmc.Text("No ablation was seen to wake a feature.", c="dimmed", size="sm")])
    rows = [
        dmc.TableTr(
            [
                dmc.TableTd(dmc.Anchor(edge.source, href=feature_path(audit_id, edge.source), size="sm")),
                dmc.TableTd(dmc.Anchor(edge.target, href=feature_path(audit_id, edge.target), size="sm")),
                dmc.TableTd(f"{edge.change:+.1f}", className="numeric"),
            ]
        )
        for edge in edges[:EDGES_SHOWN]
    ]
    head = table_head("ablated", "changes", "activation", numeric=(2,))
    return dmc.Stack([title, dmc.Table([head, dmc.TableTbody(rows)])], gap="xs")
