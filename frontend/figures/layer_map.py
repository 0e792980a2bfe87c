"""Where refusal sits in the model: the direction's grid above, the causal features below, on one axis of layers."""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from backend.api.schemas import LayerUse
from backend.audit.results import Direction
from frontend.colours import BASELINE, DIRECTION, MINIMAL_SET, TOWARDS_REFUSAL, WOKEN
from frontend.figures.frame import framed, whole_ticks, words
from frontend.token_text import visible_token


def layer_map(direction: Direction, layers: Sequence[LayerUse], n_layers: int | None) -> go.Figure:
    """Three rows over the layer: score with each candidate direction ablated; causal and woken features; cosine."""
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.07, row_heights=[0.46, 0.34, 0.2])
    _grid(figure, direction)
    _features(figure, layers)
    framed(figure, height=560, x="", y="")
    most = max((max(use.in_minimal_sets, use.woken) for use in layers), default=0)
    last = (n_layers - 1) if n_layers else max((cell.layer for cell in direction.grid), default=0)
    audited = sorted({use.layer for use in layers} | {cell.layer for cell in direction.grid})
    figure.update_xaxes(range=[-0.8, last + 0.8], tickvals=audited)
    figure.update_xaxes(title_text="layer (output of block, from 0)", row=3)
    figure.update_yaxes(title_text="token position", row=1)
    figure.update_yaxes(
        title_text="features (count)", rangemode="tozero", tickformat="d", dtick=whole_ticks(most), row=2
    )
    figure.update_yaxes(title_text="best cosine", range=[0, 1.05], row=3)
    figure.update_layout(barmode="group", bargap=0.3, margin={"r": 12})
    return figure


def _grid(figure: go.Figure, direction: Direction) -> None:
    cells = direction.grid
    reach = max((abs(cell.score_ablated) for cell in cells), default=1.0) or 1.0
    figure.add_scatter(
        x=[cell.layer for cell in cells],
        y=[cell.position for cell in cells],
        mode="markers",
        name="candidate direction: score with it ablated",
        marker={
            "symbol": "square",
            "size": 19,
            "color": [cell.score_ablated for cell in cells],
            "cmin": -reach,
            "cmax": reach,
            "colorscale": TOWARDS_REFUSAL,
            "line": {"width": [1.5 if cell.admissible else 0 for cell in cells], "color": BASELINE},
            "colorbar": {"title": {"text": "s ablated"}, "thickness": 10, "len": 0.44, "y": 0.79, "tickformat": "+.1f"},
        },
        showlegend=False,
        customdata=[
            [cell.score_ablated, cell.score_added, cell.kl, words(cell.reason) or "admissible"] for cell in cells
        ],
        hovertemplate=(
            "layer %{x}, position %{y}<br>s, ablated everywhere: %{customdata[0]:+.2f}"
            "<br>s of benign prompts, added here: %{customdata[1]:+.2f}"
            "<br>KL on benign prompts: %{customdata[2]:.2f} nats<br>%{customdata[3]}<extra></extra>"
        ),
        row=1,
        col=1,
    )
    figure.add_scatter(
        x=[direction.layer],
        y=[direction.position],
        mode="markers",
        name="chosen direction",
        marker={"symbol": "star", "size": 15, "color": DIRECTION, "line": {"width": 1, "color": "#000000"}},
        hovertemplate="chosen: layer %{x}, position %{y}<extra></extra>",
        row=1,
        col=1,
    )
    tokens = {cell.position: cell.token for cell in cells}
    figure.update_yaxes(
        tickvals=sorted(tokens),
        ticktext=[f"{words(visible_token(tokens[position]))} ({position})" for position in sorted(tokens)],
        row=1,
        col=1,
    )


def _features(figure: go.Figure, layers: Sequence[LayerUse]) -> None:
    x = [use.layer for use in layers]
    for name, counts, colour in (
        ("listed features in minimal sets (prompts)", [use.in_minimal_sets for use in layers], MINIMAL_SET),
        ("the same features, woken in cascades", [use.woken for use in layers], WOKEN),
    ):
        figure.add_bar(
            x=x,
            y=counts,
            name=name,
            marker={"color": colour},
            hovertemplate=f"layer %{{x}}: %{{y}}<extra>{name}</extra>",
            row=2,
            col=1,
        )
    figure.add_scatter(
        x=x,
        y=[use.best_cosine for use in layers],
        mode="lines+markers",
        name="best cosine of a feature with its layer's direction",
        marker={"color": DIRECTION, "size": 7},
        line={"color": DIRECTION, "width": 1.5},
        customdata=[use.n_candidates for use in layers],
        hovertemplate="layer %{x}: %{y:.2f}, of %{customdata} reported features<extra></extra>",
        row=3,
        col=1,
    )
