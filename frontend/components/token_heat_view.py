"""Tokens against active features: the strip, what fires where, the map of all; the choice is the page's to keep."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, callback_context, dcc, html, no_update

from backend.audit.results import PromptResult, PromptTokens
from frontend.components.graph import graph
from frontend.components.section import columns, panel
from frontend.components.token_strip import Activations, feature_chips, token_details, token_strip
from frontend.figures.token_heat import active_features, token_heat
from frontend.format import number, plural
from frontend.page import Ui
from frontend.terms import term_help
from frontend.url_state import whole

FEATURE, TOKEN = "heat-feature", "heat-token"  # stores: what is chosen; assets/token_strip.js writes them
_DATA, _STRIP, _CHIPS, _MAP, _LAYERS = "heat-data", "heat-strip", "heat-chips", "heat-map", "heat-layers"
NOT_IN_REPORT = "Tokens and activations are not in this report: it was made before they were recorded. Run it again."


def token_heat_view(story: PromptResult, query: Mapping[str, str]) -> Any:
    """`query` names the chosen feature and token; without one, the strongest feature of the minimal set."""
    if story.tokens is None or not story.tokens.texts:
        stores = [dcc.Store(id=FEATURE), dcc.Store(id=TOKEN)]  # the address is made of them
        return html.Div([*stores, dmc.Text(story.text, className="completion"), dmc.Text(NOT_IN_REPORT, c="dimmed")])
    minimal = story.minimal_sets[0].features if story.minimal_sets else ()
    feature, token = chosen(story.activations, minimal, query.get("feature")), whole(query, "token")
    data = {
        "texts": story.tokens.texts,
        "classes": story.tokens.classes,
        "activations": story.activations,
        "minimal": minimal,
    }
    heat = token_heat(story.tokens, story.activations)
    return html.Div(
        [
            dcc.Store(id=FEATURE, data=feature),
            dcc.Store(id=TOKEN, data=token),
            dcc.Store(id=_DATA, data=data),
            columns(
                panel(
                    html.Div(strip_view(story.tokens, story.activations, feature, token), id=_STRIP),
                    title="The chat as the model saw it",
                ),
                panel(
                    html.Div(feature_chips(story.activations, minimal, feature), id=_CHIPS),
                    title=[term_help("active", "Active"), " features by layer"],
                ),
            ),
            dmc.Space(h="md"),
            columns(
                panel(
                    graph(_MAP, heat, "Activation of each feature on each token; a click chooses the feature"),
                    title="Every feature on every token: click a row to choose it",
                ),
                panel(
                    graph(
                        _LAYERS,
                        active_features(story.activations, minimal, feature),
                        "Largest activation of each active feature over its layer; a click chooses the feature",
                    ),
                    title="Where in the model they are",
                ),
            ),
        ]
    )


def register_token_heat_view(ui: Ui) -> None:
    @ui.callback(
        Output(_STRIP, "children"),
        Output(_CHIPS, "children"),
        Output(_LAYERS, "figure"),
        Input(FEATURE, "data"),
        Input(TOKEN, "data"),
        State(_DATA, "data"),
        prevent_initial_call=True,
    )
    async def show(feature: str | None, token: int | None, data: dict[str, Any]) -> Any:
        tokens = PromptTokens(tuple(data["texts"]), tuple(data["classes"]))
        activations, minimal = data["activations"], data["minimal"]
        return (
            strip_view(tokens, activations, feature, token),
            feature_chips(activations, minimal, feature),
            active_features(activations, minimal, feature),
        )

    @ui.callback(
        Output(FEATURE, "data"),
        Input(_MAP, "clickData"),
        Input(_LAYERS, "clickData"),
        prevent_initial_call=True,
    )
    async def click(on_map: dict[str, Any] | None, on_layers: dict[str, Any] | None) -> Any:
        if callback_context.triggered_id == _MAP:
            return clicked_feature(on_map, "y")
        return clicked_feature(on_layers, "customdata")


def strip_view(tokens: PromptTokens, activations: Activations, feature: str | None, token: int | None) -> Any:
    pairs = activations.get(feature or "", ())
    largest = max((value for _, value in pairs), default=0.0)
    caption = (
        f"Coloured: {feature}, active on {plural(len(pairs), 'token')}, at most {number(largest, 2)}. Hover a token for"
        " what fires there, click it to keep it."
        if pairs
        else "No listed feature is active on this prompt."
    )
    strip = token_strip(tokens, activations, feature, token)
    return dmc.Stack([dmc.Text(caption, size="sm"), strip, token_details(tokens, activations, token)], gap="xs")


def chosen(activations: Activations, minimal: Sequence[str], asked: str | None) -> str | None:
    """The asked feature if it is active here, else the first active one of the minimal set, else the strongest."""
    if asked and activations.get(asked):
        return asked
    for feature in minimal:
        if activations.get(feature):
            return feature
    peaks = {name: max(value for _, value in pairs) for name, pairs in activations.items() if pairs}
    return max(peaks, key=lambda name: peaks[name], default=None)


def clicked_feature(click: Mapping[str, Any] | None, key: str) -> Any:
    """The feature at the clicked point: `y` of the map's rows, `customdata` of the layers' marks."""
    points = (click or {}).get("points") or []
    return points[0][key] if points and points[0].get(key) else no_update
