"""Reported features by how they point and what they do: cosine against effect, larger where minimal sets hold them."""

from collections.abc import Sequence
from math import sqrt

import plotly.graph_objects as go

from backend.api.schemas import FeatureLine
from frontend.colours import CANDIDATE, MINIMAL_SET
from frontend.figures.frame import framed

SMALLEST, LARGEST = 7.0, 26.0  # diameters, pixels


def feature_plane(features: Sequence[FeatureLine]) -> go.Figure:
    """One mark a feature whose effect was measured; its area grows with its minimal sets. customdata: its id first."""
    measured = [f for f in features if f.effect is not None]
    most = max((f.in_minimal_sets for f in measured), default=0)
    figure = go.Figure()
    for name, colour, symbol, chosen in (
        ("in no minimal set", CANDIDATE, "circle-open", [f for f in measured if not f.in_minimal_sets]),
        ("in minimal sets", MINIMAL_SET, "circle", [f for f in measured if f.in_minimal_sets]),
    ):
        figure.add_scatter(
            x=[f.cosine for f in chosen],
            y=[f.effect for f in chosen],
            mode="markers",
            name=name,
            customdata=[[f.id, f.in_minimal_sets, f.woken] for f in chosen],
            marker={
                "color": colour,
                "symbol": symbol,
                "opacity": 0.8,
                "line": {"width": 1.5},
                "size": [_diameter(f.in_minimal_sets, most) for f in chosen],
            },
            hovertemplate="feature %{customdata[0]}<br>cosine %{x:.2f}<br>effect %{y:+.2f} nats"
            "<br>in minimal sets of %{customdata[1]} prompt(s), woke in %{customdata[2]}<extra></extra>",
        )
    framed(
        figure,
        height=340,
        x="cosine with the layer's refusal direction",
        y="effect: mean drop in score (nats)",
    )
    figure.update_yaxes(zeroline=True)
    figure.update_layout(clickmode="event", hovermode="closest")
    return figure


def _diameter(sets: int, most: int) -> float:
    return SMALLEST + (LARGEST - SMALLEST) * (sqrt(sets / most) if most else 0.0)
