"""Where one feature fires: prompts as running text, each token behind a tint as strong as its activation there."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.api.schemas import Context
from frontend.components.prompt_filters import LABELS
from frontend.format import number
from frontend.token_text import visible_token
from frontend.url_state import prompt_path


def feature_contexts(contexts: Sequence[Context], audit_id: str, feature: str) -> Any:
    """Strongest first; the tint is relative to the strongest token of all."""
    largest = max((max(context.activations, default=0.0) for context in contexts), default=0.0)
    return html.Ol([_context(context, largest, audit_id, feature) for context in contexts], className="contexts")


def _context(context: Context, largest: float, audit_id: str, feature: str) -> Any:
    peak = max(context.activations, default=0.0)
    at = context.activations.index(peak) if context.activations else 0
    label = LABELS.get(context.label, context.label)
    where = f"{label}, strongest on “{visible_token(context.tokens[at])}”: {number(peak)}"
    head = dmc.Group(
        [
            dmc.Anchor(context.prompt_id, href=prompt_path(audit_id, context.prompt_id, feature=feature), size="sm"),
            dmc.Text(where, size="sm", c="dimmed"),
        ],
        gap="xs",
    )
    pairs = zip(context.tokens, context.activations, strict=True)
    tokens = html.Div([_token(text, value, largest) for text, value in pairs], className="context-text", dir="auto")
    return html.Li([head, tokens])


def _token(text: str, value: float, largest: float) -> Any:
    """A token that fires says how strongly when pointed at."""
    shown: list[Any] = [visible_token(text), *(html.Br() for _ in range(text.count("\n")))]
    if value <= 0:
        return html.Span(shown, className="context-token")
    heat = {"--heat": f"{value / largest:.3f}"}
    return html.Span(shown, className="context-token active", title=number(value), style=heat)
