"""An id or command in fixed width with a button that copies it."""

from typing import Any

import dash_mantine_components as dmc

from frontend.components.icon import icon
from frontend.format import shortened


def copyable(value: str, *, shown: str | None = None, label: str = "Copy") -> Any:
    return dmc.Group(
        [
            dmc.Code(shown if shown is not None else shortened(value, 60)),
            dmc.CopyButton(
                value=value,
                children=icon("copy"),
                copiedChildren=icon("check"),
                size="compact-xs",
                color="gray",
                buttonProps={"variant": "subtle", "aria-label": label, "style": {"flexShrink": 0}},
            ),
        ],
        gap=4,
        wrap="nowrap",
    )
