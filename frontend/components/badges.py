"""Small labels: states, verdicts, outcomes, origins. A word always says what the colour says."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from frontend.colours import OUTCOMES, STATES, VERDICTS

OUTCOME_WORDS = {
    "flipped": "flipped",
    "unconfirmed": "flipped by score only",
    "not_flipped": "never flipped",
    "refused": "refused",
    "complied": "complied",
    "incoherent": "incoherent",
}


def state_badge(state: str) -> Any:
    return dmc.Badge(state, color=STATES.get(state, "gray"), variant="light")


def origin_badge(origin: str) -> Any:
    """Marks what this server did not run itself; nothing for its own audits."""
    return None if origin == "run" else dmc.Badge("example" if origin == "example" else "imported", variant="outline")


def verdict_badge(verdict: str) -> Any:
    return _dotted(verdict, VERDICTS.get(verdict, "#999999"))


def outcome_badge(outcome: str) -> Any:
    return _dotted(OUTCOME_WORDS.get(outcome, outcome), OUTCOMES.get(outcome, "#999999"))


def _dotted(word: str, colour: str) -> Any:
    dot = html.Span(className="dot", style={"backgroundColor": colour}, **{"aria-hidden": "true"})
    return html.Span([dot, word], className="verdict")
