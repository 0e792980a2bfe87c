"""Which features interact: a signed heat map of the pool, filled where a pair is claimed."""

import plotly.graph_objects as go

from backend.audit.results import Interactions, Pair
from frontend.colours import INTERACTION, MINIMAL_SET, ON_INTERACTION
from frontend.figures.frame import framed, words

MOST = 40  # features: beyond, labels are no longer read
SIGNS = {"backup": "b", "serial": "s", "additive": "a", "undecided": "?"}
"""What stands in a cell, so that colour is never the only sign."""


def interaction_map(interactions: Interactions, chosen: Pair | None) -> go.Figure:
    """Features against features; colour is the fitted coefficient of the pair in s, the letter what was measured."""
    names = shown_features(interactions)
    place = {name: at for at, name in enumerate(names)}
    colours: list[list[float | None]] = [[None] * len(names) for _ in names]
    letters = [[""] * len(names) for _ in names]
    for pair in interactions.pairs:
        for a, b in ((pair.a, pair.b), (pair.b, pair.a)):
            if a in place and b in place:
                colours[place[a]][place[b]] = pair.weight
                letters[place[a]][place[b]] = SIGNS[pair.measured.kind]
    largest = max((abs(pair.weight) for pair in interactions.pairs), default=0.0) or 1.0
    labels = [words(name) for name in names]
    figure = go.Figure(
        go.Heatmap(
            x=labels,
            y=labels,
            z=colours,
            text=letters,
            texttemplate="%{text}",
            textfont={"color": ON_INTERACTION},
            zmin=-largest,
            zmax=largest,
            colorscale=INTERACTION,
            xgap=1,
            ygap=1,
            hoverongaps=False,
            colorbar={
                "title": {"text": "coefficient (nats)", "side": "top"},
                "orientation": "h",
                "x": 0.5,
                "y": 1.01,
                "yanchor": "bottom",
                "thickness": 10,
                "len": 0.8,
            },
            hovertemplate="%{y} × %{x}: coefficient %{z:+.2f} nats<extra></extra>",
        )
    )
    framed(figure, height=150 + 20 * max(len(names), 4), x="", y="", legend=False)
    figure.update_xaxes(type="category", tickangle=-90, tickfont={"size": 9}, dtick=1)
    figure.update_yaxes(type="category", autorange="reversed", tickfont={"size": 9}, dtick=1)
    if chosen is not None:
        for a, b in ((chosen.a, chosen.b), (chosen.b, chosen.a)):
            if a in place and b in place:
                x, y = place[b], place[a]
                figure.add_shape(
                    type="rect",
                    x0=x - 0.5, x1=x + 0.5, y0=y - 0.5, y1=y + 0.5,
                    line={"color": MINIMAL_SET, "width": 3},
                )  # fmt: skip
    return figure


def shown_features(interactions: Interactions) -> list[str]:
    """The pool by layer; of a large one only the features of claimed pairs."""
    claimed = {name for pair in interactions.pairs for name in (pair.a, pair.b)}
    pool = list(dict.fromkeys([*interactions.pool, *sorted(claimed)]))
    names = pool if len(pool) <= MOST else [name for name in pool if name in claimed][:MOST]
    return sorted(names, key=_place)


def _place(name: str) -> tuple[int, int]:
    layer, _, index = name.partition(":")
    return (int(layer), int(index)) if layer.isdecimal() and index.isdecimal() else (0, 0)
