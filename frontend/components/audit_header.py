"""The top of every page of one audit: its name and state, what it is of, and the way to its other pages."""

from typing import Any, Literal

import dash_mantine_components as dmc
from dash import html

from backend.api.schemas import AuditSummary
from frontend.components.badges import origin_badge, state_badge
from frontend.components.readers import OWNERS
from frontend.format import moment, plural
from frontend.url_state import audit_path, audits_path, compare_path

STATE = "audit-state"  # the badge, which a running audit keeps up to date
Tab = Literal["overview", "verification", "stability", "cascade", "interactions", "prompts", "features"]
TABS: dict[Tab, str] = {
    "overview": "Overview",
    "verification": "Verification",
    "stability": "Stability",
    "cascade": "Cascade",
    "interactions": "Interactions",
    "prompts": "Prompts",
    "features": "Features",
}


def audit_header(audit: AuditSummary, tab: Tab, *actions: Any) -> Any:
    """`actions` stand on the right (buttons, menus); the other tabs are there once the audit is done."""
    facts = f"{audit.subject} · {audit.prompt_set} · {plural(audit.n_prompts, 'prompt')} · {audit.effort}"
    title = dmc.Group(
        [
            dmc.Title(audit.name, order=1, className="breakable"),
            html.Span(state_badge(audit.state), id=STATE),
            origin_badge(audit.origin),
        ],
        gap="sm",
    )
    when = moment(audit.finished or audit.started or audit.created)
    return dmc.Stack(
        [
            dmc.Breadcrumbs(
                [dmc.Anchor("Audits", href=audits_path(), size="sm"), dmc.Text(audit.name, size="sm")],
                className=OWNERS,
            ),
            dmc.Group(
                [title, dmc.Group([_compare(audit), *actions], gap="xs")], justify="space-between", align="start"
            ),
            dmc.Text(f"{facts} · {when}", c="dimmed", size="sm", className="breakable"),
            _tabs(audit, tab) if audit.state == "done" else None,
        ],
        gap="xs",
        mb="md",
    )


def _compare(audit: AuditSummary) -> Any:
    if audit.state != "done":
        return None
    return dmc.Anchor("Compare", href=compare_path([audit.id]), size="sm", className=OWNERS)


def _tabs(audit: AuditSummary, tab: Tab) -> Any:
    links = [
        dmc.Anchor(
            label,
            href=audit_path(audit.id, None if name == "overview" else name),
            underline="never",
            className="page-tab active" if name == tab else "page-tab",
        )
        for name, label in TABS.items()
    ]
    return html.Nav(links, className="page-tabs", **{"aria-label": "Pages of this audit"})
