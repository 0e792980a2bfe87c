"""Differences between two audits: a row a figure, its interval, and the line of no difference."""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from backend.api.schemas import FigureDifference
from backend.audit.results import Figure
from frontend.colours import DIFFERENCE
from frontend.figures.frame import framed, interval

ROW, OWN_ROW = 44, 68  # pixels of a row: the figure's name stands above its interval, an axis of its own below
ZERO = {"line": {"color": DIFFERENCE, "width": 1, "dash": "dot"}}
NAME = {"x": 0, "xref": "paper", "xanchor": "left", "showarrow": False}  # its colour: assets/compare.css


def share_differences(found: Sequence[FigureDifference]) -> go.Figure:
    """Differences of shares on one axis, in percentage points. Filled: the interval leaves out 0."""
    rows = [one for one in found if one.unit == "%" and one.difference.value is not None]
    figure = go.Figure([_mark(one, _scaled(one.difference, 100.0), at, " points") for at, one in enumerate(rows)])
    framed(figure, height=70 + ROW * max(len(rows), 1), x="difference (percentage points)", y="", legend=False)
    widest = max((abs(end) for one in rows for end in _ends(_scaled(one.difference, 100.0))), default=0.0)
    figure.update_xaxes(range=_around_zero(widest))
    figure.update_yaxes(range=[len(rows) - 0.6, -0.8], visible=False)
    figure.add_vline(x=0, **ZERO)
    for at, one in enumerate(rows):
        figure.add_annotation(text=one.name, y=at - 0.42, **NAME)
    return figure


def other_differences(found: Sequence[FigureDifference]) -> go.Figure:
    """Differences of figures in units of their own, each row on an axis of its own with 0 in the middle."""
    rows = [one for one in found if one.unit != "%" and one.difference.value is not None]
    height = 20 + OWN_ROW * max(len(rows), 1)
    figure = make_subplots(rows=max(len(rows), 1), cols=1, vertical_spacing=0.0)
    framed(figure, height=height, x="", y="", legend=False)
    for at, one in enumerate(rows, 1):
        figure.add_trace(_mark(one, one.difference, 0, ""), row=at, col=1)
        figure.add_vline(x=0, **ZERO, row=at, col=1)
        widest = max(abs(end) for end in _ends(one.difference)) or 1.0
        ticks = [-widest, 0.0, widest]
        figure.update_xaxes(
            range=_around_zero(widest), tickvals=ticks, ticktext=[_short(tick) for tick in ticks], row=at, col=1
        )
        domain = [1 - at / len(rows) + 22 / height, 1 - (at - 1) / len(rows)]
        figure.update_yaxes(domain=domain, range=[-0.6, 1.5], visible=False, row=at, col=1)
        figure.add_annotation(text=one.name, y=1.0, yref=f"y{'' if at == 1 else at}", **NAME)
    return figure


def _mark(one: FigureDifference, shown: Figure, place: float, unit: str) -> go.Scatter:
    apart = shown.low is not None and shown.high is not None and (shown.low > 0 or shown.high < 0)
    words = "no interval" if shown.low is None else f"{shown.low:+.2f} to {shown.high:+.2f}"
    q = "" if one.q is None else f", q {one.q:.3f}"
    return go.Scatter(
        x=[shown.value],
        y=[place],
        error_x={**interval([shown]), "color": DIFFERENCE, "thickness": 2},
        mode="markers",
        marker={
            "color": DIFFERENCE,
            "size": 11,
            "symbol": "diamond" if apart else "diamond-open",
            "line": {"width": 2, "color": DIFFERENCE},
        },
        hovertemplate=f"{one.name}: %{{x:+.2f}}{unit} ({words}), n {shown.n}, {one.how}{q}<extra></extra>",
    )


def _scaled(figure: Figure, by: float) -> Figure:
    if figure.value is None or figure.low is None or figure.high is None:
        return Figure(None if figure.value is None else figure.value * by, None, None, figure.n)
    return Figure(figure.value * by, figure.low * by, figure.high * by, figure.n)


def _ends(figure: Figure) -> list[float]:
    return [end for end in (figure.low, figure.value, figure.high) if end is not None]


def _around_zero(widest: float) -> list[float]:
    reach = 1.12 * (widest or 1.0)
    return [-reach, reach]


def _short(value: float) -> str:
    return "0" if value == 0 else f"{value:+.2g}".replace("-", "−")
