"""The chat as the model saw it: every token in its position class, warmer where the chosen feature fires.

Hover, click and arrow keys are in assets/token_strip.js, which reads `data-activations`.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.audit.results import PromptTokens
from frontend.components.section import panel
from frontend.format import number, plural
from frontend.terms import term_help
from frontend.token_text import visible_token

Activations = Mapping[str, Sequence[Sequence[float]]]
"""feature -> (position, activation) where it is active"""

SHOWN_AT_TOKEN = 12


def token_strip(tokens: PromptTokens, activations: Activations, feature: str | None, token: int | None) -> Any:
    """Tokens in runs of one position class; `feature` warms them, `token` is the one that was clicked."""
    heat = heat_of(activations.get(feature or "", ()))
    runs = []
    for position_class, members in groupby(enumerate(tokens.classes), key=lambda pair: pair[1]):
        places = [place for place, _ in members]
        spans: list[Any] = []
        for place in places:
            spans.append(_token(place, tokens.texts[place], heat.get(place, 0.0), place == token))
            spans.extend(html.Br() for _ in range(tokens.texts[place].count("\n")))
        label = html.Span(position_class.replace("_", "-"), className="token-class", **{"aria-hidden": "true"})
        runs.append(html.Div([label, html.Div(spans, className="token-run-text")], className="token-run"))
    return html.Div(
        [
            html.Div(runs, className="tokens", dir="auto"),
            html.Div(className="token-readout", **{"aria-live": "polite"}),
        ],
        className="token-strip",
        **{
            "data-activations": json.dumps({name: list(pairs) for name, pairs in activations.items()}),
            "data-classes": json.dumps(list(tokens.classes)),
        },
    )


def token_details(tokens: PromptTokens, activations: Activations, token: int | None) -> Any:
    """What fires on the token that was clicked, strongest first; each feature can be chosen."""
    if token is None or not 0 <= token < len(tokens.texts):
        return None
    here = sorted(
        ((value, name) for name, pairs in activations.items() for place, value in pairs if place == token),
        key=lambda pair: -pair[0],
    )
    title = f"Token {token}, {visible_token(tokens.texts[token])}, {tokens.classes[token].replace('_', '-')}"
    if not here:
        return panel(dmc.Text("No listed feature is active here.", size="sm", c="dimmed"), title=title)
    chips = [feature_chip(name, value, chosen=False, minimal=False) for value, name in here[:SHOWN_AT_TOKEN]]
    return panel(
        dmc.Text(f"{plural(len(here), 'listed feature')} active here, strongest first:", size="sm"),
        html.Div(chips, className="feature-chips"),
        title=title,
    )


def feature_chips(activations: Activations, minimal: Sequence[str], chosen: str | None) -> Any:
    """The active features by layer: choosing one warms the tokens; hovering one previews it."""
    peaks = {name: max(value for _, value in pairs) for name, pairs in activations.items() if pairs}
    by_layer: dict[int, list[str]] = {}
    for name in sorted(peaks, key=lambda name: -peaks[name]):
        by_layer.setdefault(int(name.split(":")[0]), []).append(name)
    rows = [
        html.Div(
            [
                html.Span(f"layer {layer}", className="chip-layer"),
                html.Div(
                    [
                        feature_chip(name, peaks[name], chosen=name == chosen, minimal=name in minimal)
                        for name in by_layer[layer]
                    ],
                    className="feature-chips",
                ),
            ],
            className="chip-row",
        )
        for layer in sorted(by_layer)
    ]
    return html.Div(
        [
            dmc.Text(
                ["Largest ", term_help("activation"), " over the prompt; ● is in the minimal set."],
                size="sm",
                c="dimmed",
            ),
            *rows,
        ],
        className="chip-rows",
    )


def feature_chip(name: str, value: float, *, chosen: bool, minimal: bool) -> Any:
    pressed = {"aria-pressed": "true" if chosen else "false", "data-feature": name}
    label = [*([html.Span("● ", className="in-minimal")] if minimal else []), name, html.Small(f" {number(value, 1)}")]
    return html.Button(label, type="button", className="feature-chip", **pressed)


def heat_of(pairs: Sequence[Sequence[float]]) -> dict[int, float]:
    """Position -> activation as a share of the feature's largest on this prompt."""
    largest = max((value for _, value in pairs), default=0.0)
    return {int(place): value / largest for place, value in pairs} if largest > 0 else {}


def _token(place: int, text: str, heat: float, clicked: bool) -> Any:
    return html.Span(
        visible_token(text),
        className="token clicked" if clicked else "token",
        role="button",
        tabIndex=0 if clicked or place == 0 else -1,
        style={"--heat": f"{heat:.3f}"},
        **{"data-token": str(place)},
    )
