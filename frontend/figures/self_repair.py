"""How far the model makes up for an ablated set: direct beside total effect."""

import plotly.graph_objects as go

from backend.audit.results import SelfRepair
from frontend.colours import BASELINE, MINIMAL_SET
from frontend.figures.frame import framed


def self_repair(repair: SelfRepair) -> go.Figure:
    """Drops in the score: the set's vectors taken from the final residual alone, and everything recomputed."""
    figure = go.Figure()
    for name, values, colour in (
        ("direct effect", (repair.direct_effect, repair.direct_effect_frozen), BASELINE),
        ("total effect", (repair.total_effect, repair.total_effect_frozen), MINIMAL_SET),
    ):
        figure.add_bar(
            x=["final norm live", "final norm frozen"],
            y=list(values),
            name=name,
            marker={"color": colour},
            hovertemplate=f"%{{x}}: {name} %{{y:+.2f}} nats<extra></extra>",
        )
    framed(figure, height=260, x="", y="drop in refusal score (nats)")
    figure.update_layout(barmode="group", bargap=0.35)
    return figure
