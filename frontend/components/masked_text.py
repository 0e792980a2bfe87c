"""A completion that may be harmful: everything about it but its words, and the words only where they are known."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from frontend.components.badges import verdict_badge
from frontend.components.icon import icon
from frontend.format import plural

UNKNOWN = 36  # tokens drawn where the length is not known


def masked_text(
    verdict: str,
    n_tokens: int | None,
    ended: bool,
    text: str | None,
    *,
    reveal_id: dict[str, Any] | str | None = None,
    revealed: bool = False,
) -> Any:
    """`text` None is masked: a block of bars as long as the text, and with `reveal_id` a button that asks for it.

    n_tokens: None where the page does not know it.
    """
    length = "" if n_tokens is None else plural(n_tokens, "token") + ("" if ended else ", cut at the limit")
    head: list[Any] = [verdict_badge(verdict), dmc.Text(length, size="sm", c="dimmed")]
    if text is None and reveal_id is not None:
        button = dmc.Button("Reveal", id=reveal_id, size="compact-sm", variant="default", leftSection=icon("eye"))
        head.append(dmc.Tooltip(button, label="Shows the words, and records that you asked for them", withArrow=True))
    if revealed:
        head.append(dmc.Badge("revealed, on record", color="yellow", variant="light"))
    bars = [
        html.Span(className="mask-bar", style={"width": f"{width}%"})
        for width in _widths(UNKNOWN if n_tokens is None else n_tokens)
    ]
    masked = html.Div(
        bars, className="mask", role="img", **{"aria-label": f"masked completion{length and ', '}{length}"}
    )
    body = masked if text is None else html.Div(text, className="completion", dir="auto")
    return dmc.Stack([dmc.Group(head, gap="sm"), body], gap="xs")


def _widths(n_tokens: int) -> list[int]:
    """Full lines of about 18 tokens and the rest, so that a short answer looks short."""
    lines, rest = divmod(min(n_tokens, 180), 18)
    return [100] * lines + ([max(8, rest * 100 // 18)] if rest else [])
