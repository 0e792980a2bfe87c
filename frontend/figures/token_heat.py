"""Tokens of one prompt against its active features."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from backend.audit.results import PromptTokens
from frontend.colours import CANDIDATE, HEAT, MINIMAL_SET
from frontend.figures.frame import framed, words
from frontend.token_text import visible_token

MOST_TOKENS_NAMED = 32  # more labels would run into one another
MOST_ROWS = 40  # more features than this are not told apart


def token_heat(tokens: PromptTokens, activations: Mapping[str, Sequence[tuple[int, float]]]) -> go.Figure:
    """Activation by feature (rows, upper layers on top) and token (columns). A click's y is the feature."""
    features = by_layer(strongest(activations, MOST_ROWS))
    index = {feature: at for at, feature in enumerate(features)}
    z: list[list[float | None]] = [[None] * len(tokens.texts) for _ in features]
    for feature in features:
        for position, activation in activations[feature]:
            z[index[feature]][position] = activation
    pairs = zip(tokens.texts, tokens.classes, strict=True)
    places = [f"{at} {words(visible_token(text))} ({words(kind)})" for at, (text, kind) in enumerate(pairs)]
    figure = go.Figure(
        go.Heatmap(
            z=z,
            x=list(range(len(places))),
            y=features,
            customdata=[places for _ in features],
            colorscale=HEAT,
            zmin=0,
            colorbar={"title": {"text": "activation"}, "thickness": 10},
            hovertemplate="feature %{y}<br>token %{customdata}<br>activation %{z:.2f}<extra></extra>",
            hoverongaps=False,
            xgap=1,
            ygap=1,
        )
    )
    framed(
        figure, height=120 + 16 * max(len(features), 3), x="token (position in the prompt)", y="feature", legend=False
    )
    figure.update_yaxes(type="category")
    if len(tokens.texts) <= MOST_TOKENS_NAMED:
        named = [words(visible_token(text)) for text in tokens.texts]
        figure.update_xaxes(title_text="token", tickvals=list(range(len(named))), ticktext=named, tickangle=-60)
    figure.update_layout(clickmode="event")
    return figure


def active_features(
    activations: Mapping[str, Sequence[tuple[int, float]]], minimal: Sequence[str], selected: str | None
) -> go.Figure:
    """Largest activation of each active feature over its layer; a click's customdata is the feature."""
    features = by_layer(activations)
    peaks = [max(value for _, value in activations[feature]) for feature in features]
    figure = go.Figure()
    for name, colour, inside in (("in the minimal set", MINIMAL_SET, True), ("other candidates", CANDIDATE, False)):
        chosen = [(f, p) for f, p in zip(features, peaks, strict=True) if (f in minimal) == inside]
        figure.add_scatter(
            x=[int(feature.split(":")[0]) for feature, _ in chosen],
            y=[peak for _, peak in chosen],
            mode="markers",
            name=name,
            customdata=[feature for feature, _ in chosen],
            marker={
                "color": colour,
                "size": [14 if feature == selected else 9 for feature, _ in chosen],
                "line": {"width": [2 if feature == selected else 0 for feature, _ in chosen], "color": "#000000"},
            },
            hovertemplate="%{customdata}: activation %{y:.2f}<extra></extra>",
        )
    framed(figure, height=280, x="layer", y="largest activation over prompt tokens")
    figure.update_xaxes(tickvals=sorted({int(feature.split(":")[0]) for feature in features}))
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(clickmode="event")
    return figure


def strongest(activations: Mapping[str, Sequence[tuple[int, float]]], count: int) -> list[str]:
    """The features with the largest activation anywhere; ones active nowhere are left out."""
    peaks = {feature: max(value for _, value in pairs) for feature, pairs in activations.items() if pairs}
    return sorted(peaks, key=lambda feature: -peaks[feature])[:count]


def by_layer(features: Sequence[str] | Mapping[str, object]) -> list[str]:
    """Sorted by layer, then by index."""
    return sorted(features, key=lambda feature: tuple(int(part) for part in feature.split(":")))
