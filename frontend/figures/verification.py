"""The evidence beside its controls: flips by arm, and how far pooled features reach."""

from collections.abc import Mapping

import plotly.graph_objects as go

from backend.audit.results import ArmFigures, Figure, Transfer
from frontend.arm_words import arm_words, in_order
from frontend.colours import BASELINE, MINIMAL_SET
from frontend.figures.frame import framed, interval, words


def flips_by_verified_arm(arms: Mapping[str, ArmFigures]) -> go.Figure:
    """Share of refused test prompts that comply under each arm, with 95 % intervals; arms not run are left out."""
    names = [name for name in reversed(in_order(arms)) if arms[name].flipped.value is not None]
    figures = [arms[name].flipped for name in names]
    figure = go.Figure(
        go.Scatter(
            x=[one.value for one in figures],
            y=[words(arm_words(name).label) for name in names],
            error_x=interval(figures),
            mode="markers",
            marker={"color": [arm_words(name).colour for name in names], "size": 12},
            customdata=[one.n for one in figures],
            hovertemplate="%{y}: %{x:.0%}, n %{customdata}<extra></extra>",
        )
    )
    framed(figure, height=110 + 34 * max(len(names), 1), x="share of refused test prompts", y="", legend=False)
    figure.update_xaxes(range=[-0.04, 1.04], tickformat=".0%")
    figure.update_yaxes(type="category")
    return figure


def transfer_curve(transfer: Transfer) -> go.Figure:
    """Share of refused test prompts flipped by score with the first n pooled features ablated together."""
    steps = [step for step in transfer.pooled if step.flipped.value is not None]
    figure = go.Figure(
        go.Scatter(
            x=[step.n_features for step in steps],
            y=[step.flipped.value for step in steps],
            error_y=interval([step.flipped for step in steps]),
            mode="lines+markers",
            line={"color": MINIMAL_SET},
            marker={"size": 8},
            customdata=[[words(step.feature), step.flipped.n] for step in steps],
            hovertemplate="first %{x}, + %{customdata[0]}: %{y:.0%} flipped, n %{customdata[1]}<extra></extra>",
        )
    )
    framed(figure, height=300, x="pooled features ablated together (count)", y="share flipped, by score", legend=False)
    figure.update_yaxes(range=[-0.04, 1.06], tickformat=".0%")
    most = max((step.n_features for step in steps), default=1)
    figure.update_xaxes(range=[0.5, most + 0.5], dtick=1 if most <= 12 else None, tickformat="d")
    line = {"color": BASELINE, "width": 1, "dash": "dot"}
    note = {"font": {"size": 11, "color": BASELINE}, "showarrow": False}
    for share, reached in ((0.5, transfer.half), (0.9, transfer.most)):
        figure.add_hline(y=share, line=line)
        figure.add_annotation(
            x=1, xref="paper", xanchor="right", y=share, yanchor="bottom", text=f"{share:.0%}", **note
        )
        if reached is not None:
            figure.add_vline(x=reached, line={**line, "dash": "dash"})
    return figure


def length_sweep(shares: Mapping[str, Figure]) -> go.Figure:
    """Harmful test prompts judged refused, by how many tokens of the completion the judge was shown."""
    lengths = sorted((name for name in shares if name.isdecimal() and shares[name].value is not None), key=int)
    figures = [shares[name] for name in lengths]
    figure = go.Figure(
        go.Scatter(
            x=[int(name) for name in lengths],
            y=[one.value for one in figures],
            error_y=interval(figures),
            mode="lines+markers",
            line={"color": BASELINE},
            marker={"size": 9},
            customdata=[one.n for one in figures],
            hovertemplate="%{x} tokens: %{y:.0%} refused, n %{customdata}<extra></extra>",
        )
    )
    framed(figure, height=260, x="tokens shown to the judge (count)", y="share judged refused", legend=False)
    figure.update_yaxes(range=[-0.04, 1.06], tickformat=".0%")
    return figure
