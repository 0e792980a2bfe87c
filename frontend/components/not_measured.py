"""What stands where there is nothing to show yet: an audit older than a measurement, or one that is not done."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.api.schemas import AuditSummary
from frontend.components.audit_header import Tab, audit_header
from frontend.components.button_link import button_link
from frontend.components.messages import empty_state
from frontend.components.readers import OWNERS
from frontend.url_state import audit_path, new_audit_path


def not_measured(audit: AuditSummary, what: str) -> Any:
    """`what` as in "this audit was made before WHAT was measured"."""
    again = new_audit_path(subject=audit.subject, prompts=audit.prompt_set_id, effort=audit.effort)
    return empty_state(
        "Not measured",
        f"This audit was made before {what} was measured. Run it again to have it.",
        html.Span(button_link("Run it again", again, icon_name="refresh", primary=False), className=OWNERS),
    )


def not_done(audit: AuditSummary, tab: Tab) -> Any:
    """The page of an audit without results."""
    link = dmc.Anchor("Watch its progress", href=audit_path(audit.id))
    text = "This is shown once the audit is done."
    return dmc.Stack([audit_header(audit, tab), empty_state("Not done yet", text, link)])
