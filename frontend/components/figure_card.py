"""A measured number as an auditor reads it: value, 95 % interval, n, what it means, and where its evidence is."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.audit.results import Figure
from frontend.format import figure_interval, figure_value
from frontend.terms import TERMS, term_help


def figure_card(
    label: str,
    figure: Figure | None,
    *,
    term: str,
    share: bool = False,
    digits: int | None = None,
    colour: str | None = None,
    evidence: str | None = None,
    evidence_label: str = "Evidence",
    note: str | None = None,
) -> Any:
    """`term` names the definition behind the label; `colour` is the arm's (frontend/colours.py), as an edge."""
    foot: list[Any] = []
    if note:
        foot.append(dmc.Text(note, size="xs", c="dimmed"))
    if evidence:
        foot.append(
            dmc.Anchor(evidence_label, href=evidence, size="sm", **{"aria-label": f"{evidence_label}: {label}"})
        )
    return dmc.Paper(
        dmc.Stack(
            [
                dmc.Text(term_help(term, label), size="sm", c="dimmed"),
                html.Div(figure_value(figure, share=share, digits=digits), className="figure-value"),
                figure_range(figure, share=share, digits=digits),
                *foot,
            ],
            gap=4,
        ),
        withBorder=True,
        p="md",
        radius="md",
        h="100%",
        style={"borderTop": f"4px solid {colour}"} if colour else {},
    )


def figure_range(figure: Figure | None, *, share: bool = False, digits: int | None = None) -> Any:
    """The second line of a figure: interval and sample size."""
    if figure is None or figure.value is None:
        return dmc.Text("nothing to measure", size="sm", c="dimmed")
    interval = figure_interval(figure, share=share, digits=digits)
    return dmc.Text([interval, ", ", term_help("n"), f" {figure.n:,}"], size="sm", c="dimmed")


def figure_row(label: str, figure: Figure | None, *, term: str | None = None, share: bool = False) -> Any:
    """A line of a table of figures (in a `dmc.TableTbody`)."""
    return dmc.TableTr(
        [
            dmc.TableTd(term_help(term, label) if term in TERMS else label),
            dmc.TableTd(figure_value(figure, share=share), className="numeric"),
            dmc.TableTd(figure_interval(figure, share=share), className="numeric"),
            dmc.TableTd("" if figure is None else f"{figure.n:,}", className="numeric"),
        ]
    )
