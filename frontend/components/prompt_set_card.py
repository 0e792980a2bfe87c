"""A prompt set by its counts and notes, and its prompts in a grid. Every prompt is shown as text."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.api.schemas import PromptSet, PromptText
from frontend.format import plural, shortened
from frontend.terms import term_help

SPLITS = ("discovery", "validation", "test")
LABELS = {"harmful": ("harmful", "harmful"), "look_alike": ("look-alike", "look-alike"), "benign": ("benign", "benign")}
PREVIEW_COLUMNS = [
    {"field": "text", "headerName": "Prompt", "flex": 3, "minWidth": 260, "tooltipField": "whole"},
    {"field": "label", "headerName": "Label", "width": 110},
    {"field": "category", "headerName": "Category", "width": 150},
    {"field": "split", "headerName": "Split", "width": 170},
    {"field": "family", "headerName": "Family", "width": 140},
]


def prompt_set_card(prompts: PromptSet) -> Any:
    """How many prompts of each label lie in each split, and what the loader noted."""
    borrowed = prompts.n - prompts.n_own
    lent: list[Any] = [", and ", term_help("borrowed", f"{borrowed:,} borrowed")] if borrowed else []
    size = dmc.Text([plural(prompts.n_own, "prompt"), *lent], size="sm")
    head = dmc.TableThead(
        dmc.TableTr(
            [
                dmc.TableTh("Own prompts"),
                *(dmc.TableTh(split, className="numeric") for split in SPLITS),
                dmc.TableTh("all", className="numeric"),
            ]
        )
    )
    rows = [_row(label, prompts.counts[label]) for label in LABELS if label in prompts.counts]
    table = dmc.TableScrollContainer(dmc.Table([head, dmc.TableTbody(rows)], horizontalSpacing="xs"), minWidth=340)
    notes = html.Ul([html.Li(note) for note in prompts.notes], className="problems") if prompts.notes else None
    return dmc.Stack([size, table, notes], gap="xs")


def preview_row(prompt: PromptText) -> dict[str, Any]:
    """A row of the preview grid, whose columns are PREVIEW_COLUMNS."""
    return {
        "id": str(prompt.position),
        "text": shortened(prompt.text, 160),
        "whole": shortened(prompt.text, 600),
        "label": prompt.label.replace("_", "-"),
        "category": prompt.category or "",
        "split": prompt.split + (", borrowed" if prompt.borrowed else ""),
        "family": prompt.family,
    }


def _row(label: str, by_split: dict[str, int]) -> Any:
    name, term = LABELS[label]
    numbers = [by_split.get(split, 0) for split in SPLITS]
    cells = [dmc.TableTd(f"{n:,}", className="numeric") for n in (*numbers, sum(numbers))]
    return dmc.TableTr([dmc.TableTd(term_help(term, name)), *cells])
