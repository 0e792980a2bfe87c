"""A cascade as a layered graph: what each round ablates and wakes, column by column, and which ablation woke it."""

import plotly.graph_objects as go

from backend.api.schemas import CascadeGraph, CascadeLink, CascadeNode
from backend.audit.results import Cascade, LayerCascade
from frontend.colours import BASELINE, MINIMAL_SET, WOKEN
from frontend.figures.frame import SCORE_TITLE, framed, mark_score, words

MOST_NODES = 24  # features drawn a column
MOST_LINKS = 160
SMALLEST, LARGEST = 7.0, 20.0  # marks, pixels
DID = {
    "ablated": ("ablated", MINIMAL_SET, "circle"),
    "pushes": ("woke and pushes towards refusal", WOKEN, "diamond"),
    "woke": ("woke only", WOKEN, "circle-open"),
}
"""what a feature did -> words, colour, mark"""

Place = tuple[float, float]


def cascade_graph(graph: CascadeGraph) -> go.Figure:
    """Rounds to the right, features by layer downward; size is the effect, lines are wake-ups."""
    shown = drawn(graph)
    places = _places(shown)
    figure = go.Figure()
    _links(figure, graph, places)
    largest = max((abs(node.effect or 0.0) for node in shown), default=0.0) or 1.0
    tallest = max((sum(node.column == column for node in shown) for column in {n.column for n in shown}), default=1)
    for did, (name, colour, symbol) in DID.items():
        nodes = [node for node in shown if node.did == did]
        if not nodes:
            continue
        figure.add_scatter(
            x=[places[node.column, node.feature, node.did][0] for node in nodes],
            y=[places[node.column, node.feature, node.did][1] for node in nodes],
            mode="markers+text",
            name=name,
            marker={
                "color": colour,
                "symbol": symbol,
                "size": [SMALLEST + (LARGEST - SMALLEST) * abs(node.effect or 0.0) / largest for node in nodes],
                "line": {"width": 2, "color": colour},
            },
            text=[words(node.feature) for node in nodes],
            textposition="middle left" if did == "ablated" else "middle right",
            textfont={"size": 10},
            customdata=[[node.feature, _about(node, graph.n_prompts)] for node in nodes],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    last = max((node.column for node in shown), default=0)
    framed(figure, height=130 + 26 * max(tallest, 3), x="", y="")
    ticks = list(range(last + 1))
    figure.update_xaxes(
        tickvals=ticks,
        ticktext=["round 1<br>ablates", *(f"after<br>round {n}" for n in ticks[1:])],
        tickangle=0,  # turned, the last one is left out on a phone
        range=[-0.35 - 0.2 * last, last + 0.6],
        showgrid=False,
    )
    figure.update_yaxes(visible=False, range=[tallest - 0.3, -0.7])
    return figure


def drawn(graph: CascadeGraph) -> list[CascadeNode]:
    """Of each column those of most prompts, the larger effect first among equals."""
    kept: list[CascadeNode] = []
    for column in sorted({node.column for node in graph.nodes}):
        nodes = [node for node in graph.nodes if node.column == column]
        nodes.sort(key=lambda node: (-node.n_prompts, -abs(node.effect or 0.0), node.feature))
        kept += sorted(nodes[:MOST_NODES], key=lambda node: _of_layer(node.feature))
    return kept


def cascade_scores(baseline_score: float, cascade: Cascade, layers: LayerCascade | None) -> go.Figure:
    """The score after each round, of single features and of whole layers."""
    figure = go.Figure()
    lines = [("features by round", [step.score for step in cascade.rounds], None, MINIMAL_SET, "solid")]
    if layers is not None:
        names = [f"+ layer {layer}, {n} features" for layer, n in zip(layers.layers, layers.n_features, strict=False)]
        lines.append(("whole layers", list(layers.scores), names, BASELINE, "dash"))
    for name, scores, about, colour, dash in lines:
        figure.add_scatter(
            x=list(range(len(scores) + 1)),
            y=[baseline_score, *scores],
            mode="lines+markers",
            name=name,
            line={"color": colour, "dash": dash},
            marker={"size": 9},
            customdata=["", *(about or ["" for _ in scores])],
            hovertemplate="after round %{x} %{customdata}: s %{y:+.2f}<extra></extra>",
        )
    framed(figure, height=260, x="cascade round (0: baseline)", y=SCORE_TITLE, legend=layers is not None)
    figure.update_xaxes(dtick=1)
    mark_score(figure, 0.0, "0", vertical=False)
    return figure


def _places(nodes: list[CascadeNode]) -> dict[tuple[int, str, str], Place]:
    """Columns are centred on the tallest."""
    by_column: dict[int, list[CascadeNode]] = {}
    for node in nodes:
        by_column.setdefault(node.column, []).append(node)
    tallest = max((len(column) for column in by_column.values()), default=0)
    return {
        (column, node.feature, node.did): (float(column), at + (tallest - len(members)) / 2)
        for column, members in by_column.items()
        for at, node in enumerate(members)
    }


def _links(figure: go.Figure, graph: CascadeGraph, places: dict[tuple[int, str, str], Place]) -> None:
    """A line each in three widths by the change in activation; what it says is at its middle."""
    ends = {(column, feature): place for (column, feature, _), place in places.items()}
    found: list[tuple[CascadeLink, Place, Place]] = []
    for link in graph.links[:MOST_LINKS]:
        start, end = ends.get((link.column, link.source)), ends.get((link.column + 1, link.target))
        if start is not None and end is not None:
            found.append((link, start, end))
    largest = max((abs(link.change) for link, _, _ in found), default=0.0) or 1.0
    for width in (1.0, 2.0, 3.5):
        xs: list[float | None] = []
        ys: list[float | None] = []
        for link, start, end in found:
            share = abs(link.change) / largest
            if (1.0 if share < 1 / 3 else 2.0 if share < 2 / 3 else 3.5) == width:
                xs += [start[0], end[0], None]
                ys += [start[1], end[1], None]
        if xs:
            line = {"color": BASELINE, "width": width}
            figure.add_scatter(x=xs, y=ys, mode="lines", line=line, opacity=0.45, hoverinfo="skip", showlegend=False)
    if found:
        figure.add_scatter(
            x=[(start[0] + end[0]) / 2 for _, start, end in found],
            y=[(start[1] + end[1]) / 2 for _, start, end in found],
            mode="markers",
            marker={"color": BASELINE, "size": 5, "opacity": 0.35},
            text=[
                f"{words(link.source)} → {words(link.target)}: activation {link.change:+.2f}"
                + (f"<br>{link.n_prompts} of {graph.n_prompts} prompts" if graph.n_prompts > 1 else "")
                for link, _, _ in found
            ],
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
        )


def _about(node: CascadeNode, n_prompts: int) -> str:
    effect = "effect not tried" if node.effect is None else f"effect {node.effect:+.2f} nats"
    over = f"<br>in {node.n_prompts} of {n_prompts} prompts" if n_prompts > 1 else ""
    return f"{words(node.feature)}: {DID[node.did][0]}<br>{effect}{over}"


def _of_layer(name: str) -> tuple[int, str]:
    layer = name.partition(":")[0]
    return (int(layer) if layer.isdecimal() else 0, name)
