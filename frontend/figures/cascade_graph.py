"""One prompt's cascade: what was ablated in each round, what woke after it, and which ablation woke it."""

import plotly.graph_objects as go

from backend.audit.results import Cascade
from frontend.colours import BASELINE, MINIMAL_SET, WOKEN
from frontend.figures.frame import SCORE_TITLE, framed, mark_score

ROW = 0.5  # from a round's ablated features down to what they woke
SPREAD = 0.16  # between features of one layer in one row


def cascade_graph(cascade: Cascade) -> go.Figure:
    """Layer to the right, rounds downward: filled marks are ablated, open ones woke, lines are measured edges."""
    places: dict[tuple[int, bool, str], tuple[float, float]] = {}
    for number, step in enumerate(cascade.rounds, start=1):
        _place(places, number, False, list(step.ablated))
        _place(places, number, True, [woken.feature for woken in step.woken])
    figure = go.Figure()
    largest = max((abs(edge.change) for step in cascade.rounds for edge in step.edges), default=1.0) or 1.0
    for number, step in enumerate(cascade.rounds, start=1):
        for edge in step.edges:
            start = places.get((number, False, edge.source)) or _earlier(places, number, edge.source)
            end = places.get((number, True, edge.target))
            if start is None or end is None:
                continue
            figure.add_scatter(
                x=[start[0], end[0]],
                y=[start[1], end[1]],
                mode="lines",
                line={"color": BASELINE, "width": 0.8 + 3 * abs(edge.change) / largest},
                opacity=0.5,
                hovertemplate=f"{edge.source} → {edge.target}: activation {edge.change:+.2f}<extra></extra>",
                showlegend=False,
            )
    woken_by_name = {(n, w.feature): w for n, step in enumerate(cascade.rounds, start=1) for w in step.woken}
    for woke, name, colour, symbol in ((False, "ablated", MINIMAL_SET, "circle"), (True, "woke", WOKEN, "circle-open")):
        keys = [key for key in places if key[1] == woke]
        details = []
        for number, _, feature in keys:
            woken = woken_by_name.get((number, feature)) if woke else None
            details.append(
                f"{feature}, woke after round {number}<br>activation {woken.activation:.2f}, {woken.position_class}"
                f"<br>direct effect {woken.direct_effect:+.3f} nats"
                if woken
                else f"{feature}, ablated in round {number}"
            )
        figure.add_scatter(
            x=[places[key][0] for key in keys],
            y=[places[key][1] for key in keys],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2}},
            customdata=[key[2] for key in keys],
            text=details,
            hovertemplate="%{text}<extra></extra>",
        )
    count = len(cascade.rounds)
    framed(figure, height=150 + 130 * count, x="layer", y="round")
    figure.update_xaxes(tickvals=sorted({place[0] for place in places.values()}))
    figure.update_yaxes(
        tickvals=[*range(1, count + 1), *(number + ROW for number in range(1, count + 1))],
        ticktext=[*(f"{n} ablated" for n in range(1, count + 1)), *(f"{n} woke" for n in range(1, count + 1))],
        range=[count + ROW + 0.45, 0.55],
    )
    return figure


def cascade_scores(baseline_score: float, cascade: Cascade) -> go.Figure:
    """The score after each round."""
    figure = go.Figure(
        go.Scatter(
            x=list(range(len(cascade.rounds) + 1)),
            y=[baseline_score, *(step.score for step in cascade.rounds)],
            mode="lines+markers",
            line={"color": MINIMAL_SET},
            marker={"size": 9},
            hovertemplate="after round %{x}: s %{y:+.2f}<extra></extra>",
        )
    )
    framed(figure, height=240, x="cascade round (0: baseline)", y=SCORE_TITLE, legend=False)
    figure.update_xaxes(dtick=1)
    mark_score(figure, 0.0, "0", vertical=False)
    return figure


def _place(
    places: dict[tuple[int, bool, str], tuple[float, float]], number: int, woke: bool, features: list[str]
) -> None:
    taken: dict[int, int] = {}
    for feature in features:
        layer = int(feature.split(":")[0])
        nth = taken[layer] = taken.get(layer, -1) + 1
        offset = SPREAD * ((nth + 1) // 2) * (1 if nth % 2 else -1)
        places[number, woke, feature] = (layer, number + (ROW if woke else 0.0) + offset)


def _earlier(
    places: dict[tuple[int, bool, str], tuple[float, float]], number: int, feature: str
) -> tuple[float, float] | None:
    """Where a feature was ablated before this round: it stays ablated, and may wake others later."""
    for earlier in range(number - 1, 0, -1):
        if (place := places.get((earlier, False, feature))) is not None:
            return place
    return None
