"""A table of measured figures: every cell has its value, and under it interval and sample size."""

from collections.abc import Collection, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.audit.results import Figure
from frontend.components.section import table_head
from frontend.format import figure_interval, figure_value


def figure_cell(figure: Figure | None, *, share: bool = False, digits: int | None = None) -> Any:
    """The value; below it, quieter, `70 to 98 %, n 21`."""
    if figure is None or figure.value is None:
        return dmc.Text("not measured", size="sm", c="dimmed")
    known = figure.low is not None
    interval = figure_interval(figure, share=share, digits=digits) if known else "no interval"
    return html.Div(
        [
            html.Div(figure_value(figure, share=share, digits=digits)),
            html.Div(f"{interval}, n {figure.n:,}", className="figure-range"),
        ]
    )


def figure_table(
    headings: Sequence[Any], rows: Sequence[Sequence[Any]], *, min_width: int = 520, words: Collection[int] = (0,)
) -> Any:
    """`words` are the columns that hold words and stand left; all others hold figures or numbers."""
    numeric = [place for place in range(len(headings)) if place not in words]
    body = [
        dmc.TableTr(
            [dmc.TableTd(cell, className="numeric" if place in numeric else None) for place, cell in enumerate(row)]
        )
        for row in rows
    ]
    table = dmc.Table([table_head(*headings, numeric=numeric), dmc.TableTbody(body)], verticalSpacing=6)
    return dmc.TableScrollContainer(table, minWidth=min_width, type="native")
