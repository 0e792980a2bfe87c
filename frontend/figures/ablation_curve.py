"""What it takes to flip one prompt: features of the minimal set removed in order, and each put back alone."""

from collections.abc import Sequence

import plotly.graph_objects as go

from backend.audit.results import MinimalSet, Restored, SweepStep
from frontend.colours import MINIMAL_SET
from frontend.figures.frame import SCORE_TITLE, framed, mark_score


def ablation_curve(baseline_score: float, steps: Sequence[Restored], margin: float) -> go.Figure:
    """The score after ablating the first 1, 2, ... features; `steps` in that order."""
    names = ["nothing", *(f"+ {step.feature}" for step in steps)]
    figure = go.Figure(
        go.Scatter(
            x=list(range(len(names))),
            y=[baseline_score, *(step.score for step in steps)],
            mode="lines+markers",
            line={"color": MINIMAL_SET},
            marker={"size": 9},
            customdata=names,
            hovertemplate="%{customdata} ablated: s %{y:+.2f}<extra></extra>",
        )
    )
    framed(figure, height=280, x="ablated so far (features, cumulative)", y=SCORE_TITLE, legend=False)
    figure.update_xaxes(tickvals=list(range(len(names))), ticktext=names)
    _thresholds(figure, margin, vertical=False)
    return figure


def certificate(minimal_set: MinimalSet) -> go.Figure:
    """One line a feature: from the score with all ablated to the score with this one restored."""
    rows = list(reversed(minimal_set.certificate))
    figure = go.Figure()
    for line in rows:
        figure.add_scatter(
            x=[minimal_set.score, line.score],
            y=[line.feature, line.feature],
            mode="lines+markers",
            line={"color": MINIMAL_SET, "width": 2},
            marker={"symbol": ["circle", "circle-open"], "size": 10, "line": {"width": 2}},
            customdata=["all ablated", f"{line.feature} restored"],
            hovertemplate="%{customdata}: s %{x:+.2f}<extra></extra>",
        )
    framed(figure, height=110 + 26 * len(rows), x=SCORE_TITLE, y="feature restored", legend=False)
    figure.update_yaxes(type="category")
    figure.update_layout(margin={"t": 24})
    _thresholds(figure, minimal_set.margin, vertical=True)
    return figure


def sweep(baseline_score: float, steps: Sequence[SweepStep], flipping_k: int | None) -> go.Figure:
    """The score with the K best candidates of every layer ablated together, K rising until it flips."""
    figure = go.Figure(
        go.Scatter(
            x=["none", *(str(step.k) for step in steps)],
            y=[baseline_score, *(step.score for step in steps)],
            mode="lines+markers",
            line={"color": MINIMAL_SET},
            marker={
                "size": [9, *(13 if step.k == flipping_k else 9 for step in steps)],
                "symbol": ["circle", *("diamond" if step.k == flipping_k else "circle" for step in steps)],
            },
            customdata=[0, *(step.n_active for step in steps)],
            hovertemplate="K %{x}: s %{y:+.2f}, %{customdata} of them active here<extra></extra>",
        )
    )
    framed(figure, height=280, x="K best candidates of every layer (count)", y=SCORE_TITLE, legend=False)
    figure.update_xaxes(type="category")
    _thresholds(figure, 0.0, vertical=False)
    return figure


def _thresholds(figure: go.Figure, margin: float, *, vertical: bool) -> None:
    mark_score(figure, 0.0, "0", vertical=vertical)
    if margin > 0:
        mark_score(figure, -margin, f"margin −{margin:g}", vertical=vertical, dash="dash")
