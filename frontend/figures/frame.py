"""What every figure shares: transparent ground, margins, units in axis titles, intervals as error bars, escaped words.

The template (light or dark) is set where the figure is shown. Knows no audit.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from backend.audit.results import Figure
from frontend.colours import BASELINE

SCORE_TITLE = "refusal score s (log-odds)"
LONGEST_LABEL = 48
NO_BAR = "none"  # Plotly draws null as a bar of no length, which would claim certainty; what is no number is left out


def framed(figure: go.Figure, *, height: int, x: str, y: str, legend: bool = True) -> go.Figure:
    """The figure with the common look; `x` and `y` are axis titles and name the unit."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 28 if legend else 10, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": {"text": ""}},
        font={"size": 12},
        hoverlabel={"align": "left"},
        barcornerradius=2,
    )
    figure.update_traces(marker_line_width=0, selector={"type": "bar"})
    figure.update_xaxes(title={"text": x, "standoff": 8}, automargin=True, zeroline=False)
    figure.update_yaxes(title={"text": y, "standoff": 8}, automargin=True, zeroline=False)
    return figure


def whole_ticks(largest: int) -> int | None:
    """Tick distance on an axis of counts: without it, Plotly labels half prompts."""
    return 1 if largest <= 10 else None


def interval(figures: Sequence[Figure]) -> dict[str, Any]:
    """Error bars of figures; none where the sample allows no interval. A bootstrap may leave out its estimate."""
    above = [max(0.0, f.high - f.value) if f.high is not None and f.value is not None else NO_BAR for f in figures]
    below = [max(0.0, f.value - f.low) if f.low is not None and f.value is not None else NO_BAR for f in figures]
    return {
        "type": "data",
        "symmetric": False,
        "array": above,
        "arrayminus": below,
        "color": BASELINE,  # left to Plotly it follows the marks, and a list of colours is none
        "thickness": 1.5,
        "width": 5,
    }


def words(text: str) -> str:
    """Someone else's text as a label: Plotly reads a subset of HTML (quotes are none of it), so it is escaped."""
    return escape(text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…", quote=False)


def mark_score(figure: go.Figure, score: float, label: str, *, vertical: bool, dash: str = "dot") -> None:
    """A thin line at one refusal score across the plot, named at its end."""
    line = {"color": BASELINE, "width": 1, "dash": dash}
    note = {"text": escape(label), "font": {"size": 11, "color": BASELINE}, "showarrow": False}
    if vertical:
        figure.add_vline(x=score, line=line)
        figure.add_annotation(x=score, y=1, yref="paper", yanchor="bottom", **note)
    else:
        figure.add_hline(y=score, line=line)
        figure.add_annotation(y=score, x=1, xref="paper", xanchor="right", yanchor="bottom", **note)
