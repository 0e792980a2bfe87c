"""Prompts by category and by what became of them: the prompts page's clickable slices."""

from collections.abc import Sequence

import plotly.graph_objects as go

from backend.api.schemas import Slice
from frontend.colours import OUTCOMES
from frontend.components.badges import OUTCOME_WORDS
from frontend.figures.frame import framed, whole_ticks, words

NO_CATEGORY = "no category"
UNSELECTED_OPACITY = 0.3
PATTERNS = {"unconfirmed": "/", "not_flipped": "x"}  # audited, but no flip: told apart without colour too


def slices_by_outcome(slices: Sequence[Slice], category: str | None, outcome: str | None) -> go.Figure:
    """A stacked bar a category; what does not match the chosen slice stands back. customdata: [category, outcome]."""
    rows = sorted(slices, key=lambda line: (sum(line.counts.values()), line.category))
    figure = go.Figure()
    for name, colour in OUTCOMES.items():
        counts = [line.counts.get(name, 0) for line in rows]
        if not any(counts):
            continue
        figure.add_bar(
            orientation="h",
            x=counts,
            y=[words(line.category) or NO_CATEGORY for line in rows],
            name=OUTCOME_WORDS[name],
            customdata=[[line.category, name] for line in rows],
            marker={
                "color": colour,
                "pattern": {"shape": PATTERNS.get(name, ""), "size": 5},
                "opacity": [
                    1.0 if category in (None, line.category) and outcome in (None, name) else UNSELECTED_OPACITY
                    for line in rows
                ],
            },
            hovertemplate=f"%{{y}}: %{{x}} {OUTCOME_WORDS[name]}<extra></extra>",
        )
    framed(figure, height=90 + 19 * max(len(rows), 1), x="prompts (count)", y="")
    figure.update_layout(barmode="stack", bargap=0.25, clickmode="event", legend={"traceorder": "normal"})
    most = max((sum(line.counts.values()) for line in rows), default=0)
    figure.update_xaxes(tickformat="d", rangemode="tozero", dtick=whole_ticks(most))
    figure.update_yaxes(type="category")
    return figure
