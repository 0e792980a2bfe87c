"""What makes refusals comply: minimal sets beside every control, on one axis of shares."""

import plotly.graph_objects as go

from backend.audit.results import Flipped
from frontend.colours import DIRECTION, FACTORISATION_MACHINE, LINEAR_PROBE, MINIMAL_SET, RANDOM_CONTROL
from frontend.figures.frame import framed, interval


def flips_by_arm(flipped: Flipped) -> go.Figure:
    """Share of refused test prompts that comply under each arm, with 95 % intervals; arms not run are left out."""
    arms = [
        ("minimal sets", flipped.minimal, MINIMAL_SET),
        ("matched random sets", flipped.random, RANDOM_CONTROL),
        ("refusal direction", flipped.direction, DIRECTION),
        ("FM-extended sets", flipped.fm_extended, FACTORISATION_MACHINE),
        ("linear probe's features", flipped.linear_probe, LINEAR_PROBE),
        ("minimal sets, sink in scope", flipped.with_sink, MINIMAL_SET),
        ("random sets, sink in scope", flipped.random_with_sink, RANDOM_CONTROL),
    ]
    shown = [arm for arm in reversed(arms) if arm[1].value is not None]
    figures = [one for _, one, _ in shown]
    figure = go.Figure(
        go.Scatter(
            x=[one.value for one in figures],
            y=[name for name, _, _ in shown],
            error_x=interval(figures),
            mode="markers",
            marker={"color": [colour for _, _, colour in shown], "size": 12},
            customdata=[one.n for one in figures],
            hovertemplate="%{y}: %{x:.0%}, n %{customdata}<extra></extra>",
        )
    )
    framed(figure, height=110 + 34 * max(len(shown), 1), x="share of refused test prompts", y="", legend=False)
    figure.update_xaxes(range=[-0.04, 1.04], tickformat=".0%")
    figure.update_yaxes(type="category")
    return figure
