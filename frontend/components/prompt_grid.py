"""The columns and rows of the prompts grid: lines of an audit's prompts as plain cells. Knows no route."""

from typing import Any

from backend.api.schemas import ComparedPrompt, PromptLine
from frontend.components.badges import OUTCOME_WORDS
from frontend.components.prompt_filters import LABELS
from frontend.format import DASH, count, number, percent
from frontend.terms import TERMS
from frontend.url_state import prompt_path

COLUMNS = (
    ("id", "Prompt", 110, None),
    ("text", "Text", 360, None),
    ("category", "Category", 140, None),
    ("label", "Label", 105, None),
    ("split", "Split", 105, "split"),
    ("verdict", "Baseline", 110, "verdict"),
    ("score", "Score s", 100, "refusal score"),
    ("outcome", "Outcome", 160, "flip"),
    ("set_size", "Set size", 105, "minimal set"),
    ("k", "K", 80, None),
    ("depth", "Rounds", 100, "depth"),
    ("random_flips", "Random flips", 125, "flipped by random sets"),
    ("flipped_direction", "Direction", 110, "flipped by direction"),
    ("flipped_fm", "FM set", 95, "factorisation machine"),
    ("flipped_probe", "Probe set", 110, "linear probe"),
)
"""column, heading, width in pixels, term that explains it"""

COMPARED = (
    ("verdict", "Baseline", 120, "verdict"),
    ("score", "Score", 110, "refusal score"),
    ("outcome", "Outcome", 150, "flip"),
    ("set_size", "Set size", 110, "minimal set"),
    ("depth", "Rounds", 110, "depth"),
)
"""Of the columns, those shown of two audits side by side: field, heading, width, term."""

NUMERIC = {"score", "set_size", "k", "depth", "random_flips"}
UNSORTED = {"text"}
K_HELP = "Smallest K whose joint ablation (the K best candidates of every layer) takes the score below 0."


def prompt_columns(sort: str | None) -> list[dict[str, Any]]:
    """Column definitions; `sort` is the column the grid opens by, with a leading minus when descending."""
    columns: list[dict[str, Any]] = []
    for field, heading, width, term in COLUMNS:
        column: dict[str, Any] = {"field": field, "headerName": heading, "width": width}
        if field not in UNSORTED:
            column["sortable"] = True
        if field in NUMERIC:
            column["type"] = "rightAligned"
        if field == "id":
            column |= {"cellRenderer": "Link", "field": "link", "colId": "id", "pinned": "left"}
        if field == "text":
            column |= {"flex": 1, "minWidth": 320, "tooltipField": "text"}
        if term or field == "k":
            column["headerTooltip"] = TERMS[term] if term else K_HELP
        if sort and sort.removeprefix("-") == field and field not in UNSORTED:
            column["sort"] = "desc" if sort.startswith("-") else "asc"
        columns.append(column)
    return columns


def sortable(sort: str | None) -> str | None:
    """A sort that the grid knows, or none: whatever a link says, the page opens."""
    fields = {field for field, *_ in COLUMNS} - UNSORTED
    return sort if sort and sort.removeprefix("-") in fields else None


def prompt_row(line: PromptLine, audit_id: str) -> dict[str, Any]:
    return {
        "id": line.id,
        "link": {"href": prompt_path(audit_id, line.id), "text": line.id},
        "text": line.text,
        "category": line.category or DASH,
        "label": LABELS.get(line.label, line.label),
        "split": line.split,
        "verdict": line.verdict,
        "score": number(line.score),
        "outcome": OUTCOME_WORDS[line.outcome],
        "set_size": count(line.set_size),
        "k": count(line.k),
        "depth": count(line.depth),
        "random_flips": percent(line.random_flips),
        "flipped_direction": _yes(line.flipped_direction),
        "flipped_fm": _yes(line.flipped_fm),
        "flipped_probe": _yes(line.flipped_probe),
    }


def compared_columns() -> list[dict[str, Any]]:
    """Column definitions of the prompts behind a cell: each measure in the reference, then in the other."""
    columns: list[dict[str, Any]] = [
        {
            "field": "link",
            "colId": "id",
            "headerName": "Prompt",
            "width": 120,
            "cellRenderer": "Link",
            "pinned": "left",
        },
        {"field": "text", "headerName": "Text", "flex": 1, "minWidth": 260, "tooltipField": "text"},
        {"field": "category", "headerName": "Category", "width": 140},
        {"field": "split", "headerName": "Split", "width": 105, "headerTooltip": TERMS["split"]},
    ]
    for field, heading, width, term in COMPARED:
        for side, where in (("a", "reference"), ("b", "other")):
            column = {"field": f"{field}_{side}", "headerName": f"{heading}, {where}", "width": width}
            if field in NUMERIC:
                column["type"] = "rightAligned"
            columns.append({**column, "headerTooltip": TERMS[term]})
    return columns


def compared_row(prompt: ComparedPrompt, href: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": prompt.id,
        "link": {"href": href, "text": prompt.id},
        "text": prompt.text,
        "category": prompt.a.category or DASH,
        "split": prompt.a.split if prompt.a.split == prompt.b.split else f"{prompt.a.split} / {prompt.b.split}",
    }
    for side, line in (("a", prompt.a), ("b", prompt.b)):
        row |= {
            f"verdict_{side}": line.verdict,
            f"score_{side}": number(line.score),
            f"outcome_{side}": OUTCOME_WORDS[line.outcome],
            f"set_size_{side}": count(line.set_size),
            f"depth_{side}": count(line.depth),
        }
    return row


def _yes(flipped: bool | None) -> str:
    return DASH if flipped is None else "flipped" if flipped else "no"
