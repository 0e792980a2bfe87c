"""The refused prompts that nothing flipped: a result, so they are listed."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc

from frontend.url_state import audit_path, prompt_path

SHOWN = 60


def never_flipped(prompt_ids: Sequence[str], audit_id: str) -> Any:
    if not prompt_ids:
        return dmc.Text("None: the score of every prompt that was searched could be flipped.", size="sm")
    links = [dmc.Anchor(name, href=prompt_path(audit_id, name), size="sm") for name in prompt_ids[:SHOWN]]
    more = dmc.Anchor(
        "All of them in the prompts grid", href=audit_path(audit_id, "prompts", outcome="not_flipped"), size="sm"
    )
    return dmc.Stack([dmc.Group(links, gap="sm"), more], gap="xs")
