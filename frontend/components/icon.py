"""An icon as a coloured mask (assets/icons.css), so that it takes the colour of the text around it."""

from typing import Any

from dash import html

ICONS = frozenset(
    {"sun", "moon", "copy", "check", "alert", "play", "stop", "trash", "pencil", "upload", "download", "link", "eye"}
    | {"refresh", "plus", "menu"}
)


def icon(name: str) -> Any:
    """Decoration: what it stands for must also be said in words or in an aria-label."""
    if name not in ICONS:
        raise ValueError(f"icon: '{name}' is none of {', '.join(sorted(ICONS))}")
    return html.Span(className=f"icon icon-{name}", **{"aria-hidden": "true"})
