"""A what-if's scores on one axis: baseline, the reader's set, and the matched random set."""

import plotly.graph_objects as go

from backend.api.schemas import WhatIfResult
from frontend.colours import BASELINE, RANDOM_CONTROL, WHAT_IF
from frontend.figures.frame import SCORE_TITLE, framed, mark_score


def what_if_scores(result: WhatIfResult) -> go.Figure:
    arms = [("baseline", result.baseline, BASELINE), ("your set", result.intervened, WHAT_IF)]
    if result.random is not None:
        arms.append(("matched random set", result.random, RANDOM_CONTROL))
    arms.reverse()
    figure = go.Figure(
        go.Scatter(
            x=[arm.score for _, arm, _ in arms],
            y=[name for name, _, _ in arms],
            mode="markers",
            marker={"color": [colour for _, _, colour in arms], "size": 13},
            hovertemplate="%{y}: s %{x:+.2f}<extra></extra>",
        )
    )
    framed(figure, height=170, x=SCORE_TITLE, y="", legend=False)
    figure.update_layout(margin={"t": 24})
    figure.update_yaxes(type="category", range=[-0.6, len(arms) - 0.4])
    mark_score(figure, 0.0, "0", vertical=True)
    return figure
