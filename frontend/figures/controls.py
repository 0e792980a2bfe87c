"""The minimal set of one prompt beside everything it is held against, on one axis of scores."""

from collections.abc import Sequence

import plotly.graph_objects as go

from backend.audit.results import Arm, Controls, MinimalSet, RandomControl, Restored
from frontend.colours import CANDIDATE, DIRECTION, FACTORISATION_MACHINE, LINEAR_PROBE, MINIMAL_SET, RANDOM_CONTROL
from frontend.figures.frame import SCORE_TITLE, framed, mark_score

STRIP = 0.3  # half height over which random draws are spread


def controls_strip(baseline_score: float, minimal: MinimalSet | None, controls: Controls) -> go.Figure:
    """A row an arm; filled marks flipped (complied by generation), open ones did not."""
    rows: list[tuple[str, go.Scatter]] = []
    if minimal is not None:
        rows.append(("minimal set", mark_of(minimal.score, minimal.confirmed, MINIMAL_SET)))
    if controls.random is not None:
        rows.append((f"{controls.random.n_draws} matched random sets", draws_of(controls.random)))
    for name, arm, colour in (
        ("direction", controls.direction, DIRECTION),
        ("FM-extended set", controls.fm_extended, FACTORISATION_MACHINE),
        ("linear probe's set", controls.linear_probe, LINEAR_PROBE),
        ("minimal set, sink in scope", controls.with_sink, MINIMAL_SET),
    ):
        if arm is not None:
            rows.append((name, _arm(arm, colour)))
    if controls.random_with_sink is not None:
        draws = controls.random_with_sink
        rows.append((f"{draws.n_draws} matched random, sink in scope", draws_of(draws)))
    return strip_of(rows, baseline_score)


def strip_of(rows: Sequence[tuple[str, go.Scatter]], baseline_score: float) -> go.Figure:
    """Named rows from top to bottom, each with its marks, on one axis of scores."""
    figure = go.Figure()
    for at, (name, trace) in enumerate(reversed(rows)):
        trace.y = [at + offset for offset in (trace.y or [0.0])]
        trace.name = name
        figure.add_trace(trace)
    framed(figure, height=110 + 34 * len(rows), x=SCORE_TITLE, y="", legend=False)
    names = [name for name, _ in reversed(rows)]
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[-0.6, len(names) - 0.4])
    figure.update_layout(margin={"t": 24})
    mark_score(figure, 0.0, "0", vertical=True)
    mark_score(figure, baseline_score, "baseline", vertical=True, dash="solid")
    return figure


def single_effects(baseline_score: float, effects: Sequence[Restored], minimal: Sequence[str]) -> go.Figure:
    """The score with one active candidate alone ablated; members of the minimal set in its colour."""
    rows = sorted(effects, key=lambda line: -line.score)
    figure = go.Figure()
    for line in rows:
        figure.add_scatter(
            x=[baseline_score, line.score],
            y=[line.feature, line.feature],
            mode="lines+markers",
            line={"color": MINIMAL_SET if line.feature in minimal else CANDIDATE, "width": 3},
            marker={"size": [0, 11]},
            customdata=[baseline_score - line.score] * 2,
            hovertemplate=f"{line.feature} alone: s {line.score:+.2f}, effect %{{customdata:+.2f}} nats<extra></extra>",
        )
    framed(figure, height=110 + 22 * len(rows), x=SCORE_TITLE, y="feature ablated alone", legend=False)
    figure.update_yaxes(type="category")
    figure.update_layout(margin={"t": 24})
    mark_score(figure, 0.0, "0", vertical=True)
    mark_score(figure, baseline_score, "baseline", vertical=True, dash="solid")
    return figure


def mark_of(score: float, flipped: bool, colour: str) -> go.Scatter:
    """One arm's score: filled when it flipped."""
    return go.Scatter(
        x=[score],
        y=[0.0],
        mode="markers",
        marker={"color": colour, "size": 13, "symbol": "diamond" if flipped else "diamond-open", "line": {"width": 2}},
        hovertemplate=f"s %{{x:+.2f}}, {'flipped' if flipped else 'not flipped'}<extra></extra>",
    )


def _arm(arm: Arm, colour: str) -> go.Scatter:
    return mark_of(arm.score, arm.flipped, colour)


def draws_of(control: RandomControl, what: str = "a matched random set") -> go.Scatter:
    """Every draw of a control as an open mark, spread over its row."""
    count = len(control.scores)
    spread = [
        STRIP * (2 * (at * 7 % count) / max(count - 1, 1) - 1) for at in range(count)
    ]  # apart, and the same always
    return go.Scatter(
        x=list(control.scores),
        y=spread,
        mode="markers",
        marker={"color": RANDOM_CONTROL, "size": 7, "symbol": "circle-open", "line": {"width": 1.5}},
        hovertemplate=f"{what}: s %{{x:+.2f}}<extra></extra>",
    )
