"""What the prompts grid is filtered by: its controls, and their values from and into the URL. Knows no route."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc

from backend.api.schemas import Slice
from frontend.components.badges import OUTCOME_WORDS
from frontend.url_state import choice

LABELS = {"harmful": "harmful", "look_alike": "look-alike", "benign": "benign"}
SPLITS = {"test": "test", "validation": "validation", "discovery": "discovery"}
VERDICTS = {"refused": "refused", "complied": "complied", "incoherent": "incoherent"}
CHOICES = {"label": LABELS, "split": SPLITS, "verdict": VERDICTS, "outcome": OUTCOME_WORDS}
"""filter -> value -> words"""

TITLES = {"label": "Label", "split": "Split", "verdict": "Verdict at baseline", "outcome": "Outcome"}


def filters_of(query: Mapping[str, str]) -> dict[str, Any]:
    """The filters a link asks for; what is not a filter's value is left out."""
    found: dict[str, Any] = {name: choice(query, name, words, "") or None for name, words in CHOICES.items()}
    found["category"] = query.get("category") or None
    found["text"] = query.get("text", "").strip() or None
    return {name: value for name, value in found.items() if value is not None}


def prompt_filters(filters: Mapping[str, Any], slices: Sequence[Slice]) -> Any:
    """A control a filter, each cleared by itself."""
    selects = [
        dmc.Select(
            id=filter_id(name),
            label=TITLES[name],
            data=[{"value": value, "label": text} for value, text in words.items()],
            value=filters.get(name),
            placeholder="all",
            clearable=True,
            size="sm",
        )
        for name, words in CHOICES.items()
    ]
    categories = sorted({line.category for line in slices if line.category} | {filters.get("category", "")} - {""})
    selects.append(
        dmc.Select(
            id=filter_id("category"),
            label="Category",
            data=[{"value": name, "label": name} for name in categories],
            value=filters.get("category"),
            placeholder="all",
            clearable=True,
            searchable=True,
            size="sm",
        )
    )
    text = dmc.TextInput(
        id=filter_id("text"),
        label="Prompt contains",
        value=filters.get("text", ""),
        placeholder="words of the prompt",
        debounce=400,
        size="sm",
    )
    return dmc.SimpleGrid([*selects, text], cols={"base": 2, "sm": 3, "lg": 6}, spacing="sm")


def filter_id(name: str) -> str:
    return f"prompt-filter-{name}"
