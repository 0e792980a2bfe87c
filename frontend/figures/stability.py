"""What perturbations do: one measure of each on one axis, placebo rows marked as the control they are."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from backend.audit.results import Figure, Perturbation
from frontend.colours import BASELINE, CANDIDATE, MINIMAL_SET, RANDOM_CONTROL, REFUSED
from frontend.figures.frame import framed, interval, words

PLACEBO = "placebo"


class Measure(NamedTuple):
    title: str  # of the axis, with its unit
    figure: Callable[[Perturbation], Figure]
    colour: str
    share: bool  # 0 to 1, shown as a percentage


MEASURES = {
    "refused": Measure("still refused (share of prompts)", lambda one: one.refused, REFUSED, True),
    "score_change": Measure("mean change in s (nats)", lambda one: one.score_change, BASELINE, False),
    "jaccard": Measure("Jaccard, active features (mean)", lambda one: one.jaccard, CANDIDATE, False),
    "set_flips": Measure("original set still flips (share)", lambda one: one.set_flips, MINIMAL_SET, True),
}


def by_perturbation(perturbations: Sequence[Perturbation], measure: Measure) -> go.Figure:
    """A row a perturbation that was run, with its 95 % interval; open grey marks are the placebo."""
    rows = [one for one in reversed(perturbations) if measure.figure(one).value is not None]
    figures = [measure.figure(one) for one in rows]
    colours = [RANDOM_CONTROL if one.kind == PLACEBO else measure.colour for one in rows]
    figure = go.Figure(
        go.Scatter(
            x=[one.value for one in figures],
            y=[perturbation_label(one) for one in rows],
            error_x=interval(figures),
            mode="markers",
            marker={
                "color": colours,
                "symbol": ["circle-open" if one.kind == PLACEBO else "circle" for one in rows],
                "size": 11,
                "line": {"width": 2, "color": colours},
            },
            customdata=[one.n for one in figures],
            hovertemplate=f"%{{y}}: %{{x:{'.0%' if measure.share else '.2f'}}}, n %{{customdata}}<extra></extra>",
        )
    )
    framed(figure, height=90 + 26 * max(len(rows), 1), x=measure.title, y="", legend=False)
    if measure.title.startswith("mean change"):
        figure.add_vline(x=0, line={"color": BASELINE, "width": 1, "dash": "dot"})
    else:
        figure.update_xaxes(range=[-0.04, 1.04], tickformat=".0%" if measure.share else None)
    figure.update_yaxes(type="category")
    return figure


def perturbation_label(one: Perturbation) -> str:
    return words(perturbation_name(one.name) + (" (control)" if one.kind == PLACEBO else ""))


def perturbation_name(name: str) -> str:
    return name.replace("_", " ")
