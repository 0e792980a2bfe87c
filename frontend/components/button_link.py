"""A way to another page that looks like a button, and is a link: it opens in a new tab, and back comes back."""

from typing import Any

import dash_mantine_components as dmc

from frontend.components.icon import icon


def button_link(label: str, href: str, *, icon_name: str | None = None, primary: bool = True) -> Any:
    look = "button-link" if primary else "button-link quiet"
    return dmc.Anchor([icon(icon_name) if icon_name else None, label], href=href, underline="never", className=look)
