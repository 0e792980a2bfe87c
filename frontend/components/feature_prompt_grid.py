"""Columns and rows of the grid of prompts where a feature matters. Knows no route."""

from typing import Any

from backend.api.schemas import FeaturePrompt
from frontend.components.prompt_filters import LABELS
from frontend.format import DASH, number
from frontend.terms import TERMS
from frontend.url_state import prompt_path

DEFAULT_SORT = "-activation"
_COLUMNS: tuple[dict[str, Any], ...] = (
    {"field": "prompt", "headerName": "Prompt", "width": 110, "cellRenderer": "Link", "pinned": "left"},
    {"field": "text", "headerName": "Text", "flex": 1, "minWidth": 240, "tooltipField": "text"},
    {"field": "label", "headerName": "Label", "width": 110},
    {"field": "category", "headerName": "Category", "width": 150},
    {"field": "split", "headerName": "Split", "width": 110, "headerTooltip": TERMS["split"]},
    {"field": "activation", "headerName": "Activation", "width": 145, "headerTooltip": TERMS["activation"]},
    {"field": "effect", "headerName": "Effect (nats)", "width": 145, "headerTooltip": TERMS["effect"]},
    {"field": "in_minimal_set", "headerName": "In minimal set", "width": 160, "headerTooltip": TERMS["minimal set"]},
    {"field": "woke", "headerName": "Woke", "width": 110, "headerTooltip": TERMS["woken"]},
)
SORTS = frozenset(s + f for s in ("", "-") for f in ("activation", "effect", "in_minimal_set", "woke"))


def feature_prompt_columns(sort: str) -> list[dict[str, Any]]:
    """Column definitions, opened sorted by `sort` (one of SORTS)."""
    return [_definition(column, sort) for column in _COLUMNS]


def feature_prompt_row(line: FeaturePrompt, audit_id: str, feature: str, *, recorded: bool) -> dict[str, Any]:
    """`recorded`: whether the report has activations; without them a 0 would be made up."""
    return {
        "id": line.prompt_id,
        "prompt": {"href": prompt_path(audit_id, line.prompt_id, feature=feature), "text": line.prompt_id},
        "text": line.text,
        "label": LABELS.get(line.label, line.label),
        "category": line.category or DASH,
        "split": line.split,
        "activation": number(line.activation) if recorded else DASH,
        "effect": number(line.effect),
        "in_minimal_set": "yes" if line.in_minimal_set else "no",
        "woke": "yes" if line.woke else "no",
    }


def _definition(column: dict[str, Any], sort: str) -> dict[str, Any]:
    field, definition = column["field"], dict(column)
    if field in SORTS:
        definition["sortable"] = True
    if field in ("activation", "effect"):
        definition["type"] = "rightAligned"
    if sort.removeprefix("-") == field:
        definition["sort"] = "desc" if sort.startswith("-") else "asc"
    return definition
