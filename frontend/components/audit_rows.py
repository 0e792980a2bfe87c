"""Audits as rows of a grid: columns, and each audit's cells in words. Knows wire types; asks nothing."""

from typing import Any

from backend.api.schemas import AuditSummary
from frontend.components.progress import progress_share
from frontend.format import DASH, figure_text, moment, percent, time_left
from frontend.terms import TERMS
from frontend.url_state import audit_path

COLUMNS = (
    ("flipped_minimal", "Flipped by minimal sets", "flipped by minimal sets"),
    ("flipped_random", "by random sets", "flipped by random sets"),
    ("flipped_direction", "by direction", "flipped by direction"),
    ("refusal_rate", "Refuses harmful", "refusal rate"),
    ("over_refusal_rate", "Over-refusal", "over-refusal"),
    ("minimal_set_size", "Minimal set size", "minimal set size"),
)
"""Key figures: field, header, term."""

DEFAULT_SORT = "-created"
SORTS = frozenset(
    sign + column
    for sign in ("", "-")
    for column in ("created", "name", "subject", "prompt_set", "state", *(field for field, _, _ in COLUMNS))
)


def audit_columns(sort: str) -> list[dict[str, Any]]:
    """Column definitions, opened sorted by `sort` (one of SORTS)."""
    columns: list[dict[str, Any]] = [
        {
            "field": "name",
            "headerName": "Audit",
            "cellRenderer": "Link",
            "sortable": True,
            "minWidth": 320,
            "flex": 1,
        },
        {"field": "state_words", "colId": "state", "headerName": "State", "sortable": True, "width": 240},
        {"field": "subject", "headerName": "Subject", "sortable": True, "width": 160},
        {"field": "prompt_set", "headerName": "Prompts", "sortable": True, "width": 200},
        *(
            {
                "field": field,
                "headerName": header,
                "headerTooltip": TERMS[term],
                "sortable": True,
                "width": 206,
                "cellClass": "tabular",
            }
            for field, header, term in COLUMNS
        ),
        {"field": "created", "headerName": "Created", "sortable": True, "width": 180},
    ]
    wanted, descending = sort.removeprefix("-"), sort.startswith("-")
    for column in columns:
        if column.get("colId", column["field"]) == wanted:
            column["sort"] = "desc" if descending else "asc"
    return columns


def audit_row(audit: AuditSummary) -> dict[str, Any]:
    """One row; `ongoing` rows are worth asking for again."""
    figures = {field: _figure(audit, field, share=field != "minimal_set_size") for field, _, _ in COLUMNS}
    return {
        "id": audit.id,
        "name": {"href": audit_path(audit.id), "text": audit.name},
        "state": audit.state,
        "state_words": state_words(audit),
        "ongoing": audit.state in ("queued", "running"),
        "subject": audit.subject,
        "prompt_set": f"{audit.prompt_set} ({audit.n_prompts:,})",
        "created": moment(audit.created),
        "created_at": audit.created,
        **figures,
    }


def state_words(audit: AuditSummary) -> str:
    """`running, 43 %, about 3 min left`; an example says that it is one."""
    if audit.state == "running" and audit.progress is not None:
        left = time_left(audit.progress.overall_seconds_left)
        return f"running, {percent(progress_share(audit.progress))}" + (f", {left}" if left else "")
    return {"run": audit.state, "example": "example", "import": f"{audit.state}, imported"}[audit.origin]


def _figure(audit: AuditSummary, field: str, *, share: bool) -> str:
    figure = getattr(audit, field)
    return DASH if figure is None else figure_text(figure, share=share, digits=None if share else 1)
