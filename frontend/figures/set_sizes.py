"""How many features a minimal set has, over the prompts that flipped."""

from collections.abc import Mapping

import plotly.graph_objects as go

from frontend.colours import MINIMAL_SET
from frontend.figures.frame import framed, whole_ticks

OTHER_SPLITS = "rgba(0,114,178,0.35)"  # headlines are over test prompts: the rest stands back


def set_sizes(by_split: Mapping[str, Mapping[int, int]]) -> go.Figure:
    """`by_split`: split -> size of the smallest confirmed minimal set -> prompts."""
    return _counts(by_split, "features in the set (count)", "feature")


def cascade_depths(by_split: Mapping[str, Mapping[int, int]]) -> go.Figure:
    """`by_split`: split -> cascade rounds until the flip -> prompts."""
    return _counts(by_split, "rounds until the flip (count)", "round")


def _counts(by_split: Mapping[str, Mapping[int, int]], title: str, noun: str) -> go.Figure:
    figure = go.Figure()
    elsewhere: dict[int, int] = {}
    for split, counts in by_split.items():
        for size, prompts in counts.items():
            if split != "test":
                elsewhere[size] = elsewhere.get(size, 0) + prompts
    for name, counts, colour in (
        ("test prompts (headlines)", by_split.get("test", {}), MINIMAL_SET),
        ("discovery and validation prompts", elsewhere, OTHER_SPLITS),
    ):
        sizes = sorted(counts)
        figure.add_bar(
            x=sizes,
            y=[counts[size] for size in sizes],
            name=name,
            marker={"color": colour},
            hovertemplate=f"%{{x}} {noun}(s): %{{y}} prompt(s)<extra>{name}</extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.25)
    framed(figure, height=260, x=title, y="prompts (count)")
    values = {value for counts in by_split.values() for value in counts}
    totals = [sum(counts.get(value, 0) for counts in by_split.values()) for value in values]
    most = max(values, default=1)
    figure.update_xaxes(dtick=whole_ticks(most), range=[0.4, most + 0.6])
    figure.update_layout(legend={"traceorder": "normal"})
    figure.update_yaxes(rangemode="tozero", tickformat="d", dtick=whole_ticks(max(totals, default=0)))
    return figure
