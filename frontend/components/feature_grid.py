"""Columns and rows of the features grid: lines of an audit's features as plain cells. Knows no route."""

from typing import Any, NamedTuple

from backend.api.schemas import FeatureLine
from frontend.format import DASH, count, number, percent
from frontend.terms import TERMS
from frontend.url_state import feature_path


class Column(NamedTuple):
    field: str
    heading: str  # in plain words, with its unit
    width: int  # pixels
    term: str  # explains it


COLUMNS = (
    Column("layer", "Layer", 90, "layer"),
    Column("rank", "Rank", 90, "candidate"),
    Column("cosine", "Cosine", 100, "cosine"),
    Column("in_minimal_sets", "In minimal sets (prompts)", 225, "minimal set"),
    Column("effect", "Effect (nats)", 125, "effect"),
    Column("woken", "Woke (prompts)", 145, "woken"),
    Column("activation_harmful", "Activation, harmful", 160, "activation"),
    Column("activation_benign", "benign", 100, "activation"),
    Column("coverage_harmful", "Coverage, harmful", 155, "coverage"),
    Column("coverage_benign", "benign", 100, "coverage"),
    Column("density", "Density, benign tokens", 170, "density"),
)
"""Every column that can be sorted, beside the feature's name."""

SORTS = frozenset(sign + column.field for sign in ("", "-") for column in COLUMNS)
DEFAULT_SORT = "-in_minimal_sets"
HEADING_HELP = {"rank": "Place by cosine among its layer's candidates: 1 points along the direction most."}


def feature_columns(sort: str) -> list[dict[str, Any]]:
    """Column definitions, opened sorted by `sort` (one of SORTS)."""
    name = {
        "field": "feature",
        "headerName": "Feature",
        "headerTooltip": TERMS["feature"],
        "cellRenderer": "Link",
        "pinned": "left",
        "width": 110,
    }
    return [name, *(_definition(column, sort) for column in COLUMNS)]


def feature_row(line: FeatureLine, audit_id: str) -> dict[str, Any]:
    return {
        "id": line.id,
        "feature": {"href": feature_path(audit_id, line.id), "text": line.id},
        "layer": str(line.layer),
        "rank": count(line.rank),
        "cosine": number(line.cosine),
        "in_minimal_sets": count(line.in_minimal_sets),
        "effect": DASH if line.effect is None else number(line.effect),
        "woken": count(line.woken),
        "activation_harmful": number(line.activation_harmful),
        "activation_benign": number(line.activation_benign),
        "coverage_harmful": percent(line.coverage_harmful),
        "coverage_benign": percent(line.coverage_benign),
        "density": percent(line.density, 1),
    }


def _definition(column: Column, sort: str) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "field": column.field,
        "headerName": column.heading,
        "headerTooltip": HEADING_HELP.get(column.field, TERMS[column.term]),
        "width": column.width,
        "sortable": True,
        "type": "rightAligned",
    }
    if sort.removeprefix("-") == column.field:
        definition["sort"] = "desc" if sort.startswith("-") else "asc"
    return definition
