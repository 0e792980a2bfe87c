"""Do refusal features interact: the two models' fit, and each claimed pair as measured."""

import plotly.graph_objects as go

from backend.audit.results import Figure, Pair
from frontend.colours import BASELINE, FACTORISATION_MACHINE, MINIMAL_SET
from frontend.figures.frame import framed, interval


def model_fit(factorisation_machine: Figure, linear: Figure) -> go.Figure:
    """Held-out R² of the factorisation machine beside the linear model's on the same masks."""
    figures = (linear, factorisation_machine)
    figure = go.Figure(
        go.Scatter(
            x=["linear model", "with pairs (FM)"],
            y=[f.value for f in figures],
            error_y=interval(figures),
            mode="markers",
            marker={"color": [BASELINE, FACTORISATION_MACHINE], "size": 13},
            customdata=[f.n for f in figures],
            hovertemplate="%{x}: R² %{y:.2f} on %{customdata} held-out masks<extra></extra>",
        )
    )
    framed(figure, height=260, x="", y="R² on held-out ablation masks", legend=False)
    lowest = min([f.low for f in figures if f.low is not None] + [0.0])
    figure.update_xaxes(range=[-0.6, 1.6])
    figure.update_yaxes(range=[max(lowest, -1.0) - 0.02, 1.05])
    return figure


def two_by_two(pair: Pair) -> go.Figure:
    """Mean scores with none, either and both of a pair ablated; the open mark is where both would be, if additive."""
    cells = (pair.measured.none, pair.measured.a, pair.measured.b, pair.measured.both)
    names = ["none", pair.a, pair.b, "both"]
    figure = go.Figure(
        go.Scatter(
            x=names,
            y=[cell.value for cell in cells],
            error_y=interval(cells),
            mode="markers",
            marker={"color": MINIMAL_SET, "size": 10},
            name="measured",
            customdata=[cell.n for cell in cells],
            hovertemplate="%{x} ablated: s %{y:+.2f}, n %{customdata}<extra></extra>",
        )
    )
    values = [cell.value for cell in cells[:3]]
    if all(value is not None for value in values):
        figure.add_scatter(
            x=["both"],
            y=[values[1] + values[2] - values[0]],
            mode="markers",
            marker={"color": BASELINE, "size": 11, "symbol": "diamond-open", "line": {"width": 2}},
            name="both, if additive",
            hovertemplate="both ablated, if effects added up: s %{y:+.2f}<extra></extra>",
        )
    figure.add_hline(y=0, line={"color": BASELINE, "width": 1, "dash": "dot"})
    framed(figure, height=240, x="ablated", y="mean score s (log-odds)")
    figure.update_xaxes(type="category")
    return figure
