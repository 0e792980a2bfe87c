"""Every figure of two audits with its difference, and of all of them in one table. Values in, components out."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc

from backend.api.schemas import ComparedAudit, FigureDifference, FigureRow
from frontend.components.compare_tables import difference_words
from frontend.components.figure_table import figure_cell, figure_table
from frontend.components.graph import graph
from frontend.components.section import columns, panel
from frontend.figures.differences import other_differences, share_differences
from frontend.format import DASH, count
from frontend.terms import term_help


def figure_differences(found: ComparedAudit) -> Any:
    """Two forests, and the table behind them."""
    return dmc.Stack(
        [
            columns(
                panel(
                    graph(
                        "share-differences",
                        share_differences(found.figures),
                        "Differences of shares, the other audit less the reference, with 95 % intervals",
                    ),
                    title="Shares",
                ),
                panel(
                    graph(
                        "other-differences",
                        other_differences(found.figures),
                        "Differences of means, medians and fits, each on its own scale, with 95 % intervals",
                    ),
                    title="Means, medians and fits: each on its own scale",
                ),
            ),
            dmc.Text(
                [
                    "Filled marks: the interval leaves out 0. ",
                    term_help("paired", "Paired"),
                    " differences are over the test prompts that both have the figure for, so that they need not be"
                    " those of the columns. ",
                    term_help("q"),
                    f" is over the {found.n_compared} figures compared.",
                ],
                size="sm",
                c="dimmed",
            ),
            panel(
                figure_table(
                    [
                        "Figure",
                        term_help("reference audit", "Reference"),
                        "Other",
                        "Difference",
                        "How",
                        "p",
                        term_help("q"),
                    ],
                    [_row(one) for one in found.figures],
                    min_width=900,
                    words=(0, 4),
                )
            ),
            _counts(found),
        ],
        gap="md",
    )


def all_figures(rows: Sequence[FigureRow], names: Sequence[str]) -> Any:
    """A column an audit."""
    cells = [[row.name, *(figure_cell(one, share=row.unit == "%") for one in row.figures)] for row in rows]
    return panel(figure_table(["Figure", *names], cells, min_width=200 + 170 * len(names)))


def _row(one: FigureDifference) -> list[Any]:
    share = one.unit == "%"
    return [
        one.name,
        figure_cell(one.a, share=share),
        figure_cell(one.b, share=share),
        difference_words(one.difference, share=share),
        one.how,
        small(one.p),
        small(one.q),
    ]


def small(p: float | None) -> str:
    return DASH if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _counts(found: ComparedAudit) -> Any:
    parts = []
    if found.counts:
        rows = [[one.name, count(one.a), count(one.b)] for one in found.counts]
        parts.append(panel(figure_table(["Count", "Reference", "Other"], rows, min_width=320), title="Counts"))
    if found.statements:
        answers = [[one.question, one.a, one.b] for one in found.statements]
        table = figure_table(["Question", "Reference", "Other"], answers, min_width=320, words=(0, 1, 2))
        parts.append(panel(table, title="Answers of the report cards"))
    return columns(*parts) if parts else None
