"""What wakes when refusal features are ablated, beside matched random ablation."""

from collections.abc import Mapping

import plotly.graph_objects as go

from backend.audit.results import Figure
from frontend.colours import RANDOM_CONTROL, WOKEN
from frontend.figures.frame import framed, interval, whole_ticks


def woken_beside_random(woken: Figure, woken_random: Figure) -> go.Figure:
    """Mean number of features that wake in the first round, and the same under matched random ablation."""
    figures = (woken, woken_random)
    figure = go.Figure(
        go.Scatter(
            x=["refusal features", "matched random"],
            y=[f.value for f in figures],
            error_y=interval(figures),
            mode="markers",
            marker={"color": [WOKEN, RANDOM_CONTROL], "size": 13},
            customdata=[f.n for f in figures],
            hovertemplate="%{x}: %{y:.1f} features, n %{customdata}<extra></extra>",
        )
    )
    framed(figure, height=260, x="", y="woken (mean a prompt)", legend=False)
    figure.update_xaxes(range=[-0.6, 1.6])
    figure.update_yaxes(rangemode="tozero")
    return figure


def woken_by_layer(counts: Mapping[str, int]) -> go.Figure:
    """How many of the listed woken features each layer has."""
    layers = sorted(counts, key=int)
    places = [int(layer) for layer in layers] or [0]
    apart = min((one - other for one, other in zip(places[1:], places, strict=False)), default=1)
    figure = go.Figure(
        go.Bar(
            x=[int(layer) for layer in layers],
            y=[counts[layer] for layer in layers],
            marker={"color": WOKEN},
            width=0.7 * apart,
            hovertemplate="layer %{x}: %{y} woken<extra></extra>",
        )
    )
    framed(figure, height=260, x="layer", y="woken features (count)", legend=False)
    figure.update_xaxes(tickvals=places, range=[places[0] - 1.5 * apart, places[-1] + 1.5 * apart])
    figure.update_yaxes(rangemode="tozero", tickformat="d", dtick=whole_ticks(max(counts.values(), default=0)))
    return figure
