"""Every claim beside its controls: flip rates by arm, and how many claimed sets beat their own random sets."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.audit.results import ArmFigures, Verification
from frontend.arm_words import arm_words, in_order
from frontend.components.figure_table import figure_cell, figure_table
from frontend.components.graph import graph
from frontend.components.section import panel
from frontend.figures.verification import flips_by_verified_arm
from frontend.format import number, plural
from frontend.terms import term_help

LEVEL = 0.05  # false discovery rate, as the audit's


def verified_arms(verification: Verification) -> Any:
    return dmc.Stack(
        [
            panel(
                graph(
                    "verified-arms",
                    flips_by_verified_arm(verification.arms),
                    "Share of refused test prompts that comply under each arm, with intervals",
                ),
                title="Share that complies, by what is done",
            ),
            panel(_table(verification), title="Every arm"),
        ],
        gap="md",
    )


def beyond_random(verification: Verification) -> Any:
    """How many claimed sets lower the score further than the random sets matched to them."""
    tested = verification.n_tested
    if not tested:
        return dmc.Text("No claimed set had random sets to be tested against.", c="dimmed", size="sm")
    smallest = verification.smallest_p
    reach = "" if smallest is None else f" The smallest p that so many draws can give is {number(smallest, 3)}."
    return html.Div(
        [
            html.Div(f"{verification.n_beyond_random:,} of {tested:,}", className="figure-value"),
            dmc.Text(
                [
                    "claimed sets lower the score further than their matched random sets, at ",
                    term_help("q"),
                    f" ≤ {LEVEL:g} over {plural(tested, 'set')} tested.{reach} ",
                    term_help("empirical p", "How p is made"),
                    ".",
                ],
                size="sm",
                c="dimmed",
            ),
        ]
    )


def _table(verification: Verification) -> Any:
    headings = (
        "arm",
        term_help("flip", "complies"),
        term_help("incoherent"),
        term_help("refusal score", "mean s"),
        term_help("usefulness"),
    )
    return figure_table(
        headings, [_row(name, verification.arms[name]) for name in in_order(verification.arms)], min_width=720
    )


def _row(name: str, arm: ArmFigures) -> list[Any]:
    known = arm_words(name)
    dot = html.Span(className="dot", style={"backgroundColor": known.colour}, **{"aria-hidden": "true"})
    return [
        html.Div([html.Div([dot, known.label], className="arm-name"), html.Div(known.words, className="arm-words")]),
        figure_cell(arm.flipped, share=True),
        figure_cell(arm.incoherent, share=True),
        figure_cell(arm.score),
        figure_cell(arm.usefulness),
    ]
