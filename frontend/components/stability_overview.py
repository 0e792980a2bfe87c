"""Does the mechanism survive what should not matter: each perturbation beside the placebo, and what was skipped."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.audit.results import Perturbation, Stability
from frontend.colours import CANDIDATE, MINIMAL_SET, RANDOM_CONTROL
from frontend.components.figure_card import figure_card
from frontend.components.figure_table import figure_cell, figure_table
from frontend.components.graph import graph
from frontend.components.section import columns, panel
from frontend.figures.stability import MEASURES, PLACEBO, by_perturbation, perturbation_name
from frontend.terms import term_help

TITLES = {
    "refused": "Does it still refuse?",
    "score_change": "How far does the score move?",
    "jaccard": "Are the same refusal features active?",
    "set_flips": "Does the original minimal set still flip?",
}


def stability_headline(stability: Stability) -> Any:
    """The three numbers read first."""
    return dmc.SimpleGrid(
        [
            figure_card("Refusal features kept", stability.keep_rate, term="keep rate", share=True, colour=CANDIDATE),
            figure_card(
                "Kept under the placebo",
                stability.keep_rate_placebo,
                term="placebo",
                share=True,
                colour=RANDOM_CONTROL,
            ),
            figure_card(
                "Original set still flips", stability.set_flips, term="minimal set", share=True, colour=MINIMAL_SET
            ),
        ],
        cols={"base": 1, "sm": 3},
        spacing="md",
    )


def perturbation_figures(stability: Stability) -> Any:
    run = ran(stability)
    if not run:
        return dmc.Text("No perturbation was run.", c="dimmed")
    panels = [
        panel(
            graph(f"stability-{name}", by_perturbation(run, measure), f"{measure.title}, by perturbation"),
            title=TITLES[name],
        )
        for name, measure in MEASURES.items()
    ]
    note = "Open grey marks are the placebo: what varies there is the method's own noise. Bars are 95 % intervals."
    return dmc.Stack([columns(*panels), dmc.Text(note, size="sm", c="dimmed")], gap="sm")


def perturbation_table(stability: Stability) -> Any:
    headings = (
        term_help("perturbation"),
        "refused",
        "change in s, nats",
        term_help("jaccard", "Jaccard"),
        "set still flips",
    )
    rows = [
        [
            _what(one),
            figure_cell(one.refused, share=True),
            figure_cell(one.score_change),
            figure_cell(one.jaccard),
            figure_cell(one.set_flips, share=True),
        ]
        for one in ran(stability)
    ]
    return panel(figure_table(headings, rows, min_width=760), title="Every perturbation that was run")


def skipped(stability: Stability) -> Any:
    """What was not run, and why; nothing when all was."""
    rows = [one for one in stability.perturbations if one.skipped]
    if not rows:
        return None
    lines = [html.Li([html.Strong(perturbation_name(one.name)), f": {one.skipped}"]) for one in rows]
    return panel(html.Ul(lines, className="problems"), title="Not run")


def ran(stability: Stability) -> list[Perturbation]:
    """The placebo first: what everything else is read against."""
    return sorted((one for one in stability.perturbations if not one.skipped), key=lambda one: one.kind != PLACEBO)


def _what(one: Perturbation) -> Any:
    name: list[Any] = [html.Strong(perturbation_name(one.name)), " "]
    if one.kind == PLACEBO:
        name.append(dmc.Badge("control", variant="outline", color="gray"))
    return html.Div([html.Div(name), html.Div(f"{one.kind}: {one.description}", className="arm-words")])
