"""How far sets reach beyond the prompt they were found on: pooled features, and single sets tried elsewhere."""

from typing import Any

import dash_mantine_components as dmc

from backend.audit.results import Transfer, TransferredSet
from frontend.components.figure_card import figure_card
from frontend.components.figure_table import figure_cell, figure_table
from frontend.components.graph import graph
from frontend.components.section import columns, panel
from frontend.figures.verification import transfer_curve
from frontend.format import plural
from frontend.terms import term_help
from frontend.url_state import feature_path, prompt_path

SHOWN = 12  # sets in the table


def transfer_panel(transfer: Transfer, audit_id: str) -> Any:
    cards = dmc.SimpleGrid(
        [
            figure_card("Flipped by a set found elsewhere", transfer.mean, term="transfer", share=True),
            figure_card(
                "Flipped by the features of 50 %",
                transfer.confirmed_half,
                term="pooled features",
                share=True,
                note=_reach(transfer.half),
            ),
            figure_card(
                "Flipped by the features of 90 %",
                transfer.confirmed_most,
                term="pooled features",
                share=True,
                note=_reach(transfer.most),
            ),
        ],
        cols={"base": 1, "sm": 3},
        spacing="md",
    )
    curve = panel(
        graph(
            "transfer-curve",
            transfer_curve(transfer),
            "Share of refused test prompts flipped by score as pooled features are ablated one after another",
        )
        if transfer.pooled
        else dmc.Text("No feature was pooled: no discovery or validation prompt has a minimal set.", c="dimmed"),
        dmc.Text(
            "In order of how many minimal sets of discovery and validation prompts hold them; dashed lines mark where "
            "half and 90 % flip by score. The cards give what completions confirm.",
            size="sm",
            c="dimmed",
        ),
        title=[term_help("pooled features", "Pooled features"), " against share flipped"],
    )
    return dmc.Stack([cards, columns(curve, _sets(transfer, audit_id))], gap="md")


def _reach(n: int | None) -> str:
    return "the pool never reaches it by score" if n is None else f"{plural(n, 'feature')}, chosen by score"


def _sets(transfer: Transfer, audit_id: str) -> Any:
    title = "Sets tried on other prompts"
    if not transfer.sets:
        return panel(dmc.Text("No set could be tried elsewhere.", c="dimmed", size="sm"), title=title)
    rows = [_row(one, audit_id) for one in transfer.sets[:SHOWN]]
    headings = ("features", "found on", "flips of the others, by score")
    left = len(transfer.sets) - len(rows)
    more = dmc.Text(f"and {plural(left, 'more set')}", size="sm", c="dimmed") if left else None
    return panel(figure_table(headings, rows, min_width=420, words=(0, 1)), more, title=title)


def _row(one: TransferredSet, audit_id: str) -> list[Any]:
    features = [dmc.Anchor(name, href=feature_path(audit_id, name), size="sm") for name in one.features]
    found = dmc.Anchor(one.found_on, href=prompt_path(audit_id, one.found_on), size="sm")
    return [dmc.Group(features, gap="xs"), found, figure_cell(one.flipped, share=True)]
