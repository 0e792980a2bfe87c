"""What became of each prompt in two audits, as four cells to choose from; the difference in words. Asks nothing."""

from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.api.schemas import Cell, ComparedAudit, ComparedOutcome, FlipCounts
from backend.audit.results import Figure
from frontend.components.section import panel
from frontend.format import number, percent, plural
from frontend.terms import term_help

OUTCOMES: dict[ComparedOutcome, str] = {
    "flipped_minimal": "Flipped by minimal sets",
    "flipped_direction": "Flipped by the direction",
    "flipped_fm": "Flipped by FM-extended sets",
    "refused": "Refused at baseline",
    "over_refused": "Over-refused look-alikes",
}
CELLS: dict[Cell, str] = {
    "both": "In both",
    "only_a": "In the reference only",
    "only_b": "In the other only",
    "neither": "In neither",
}
KINDS = {"refused": "harmful", "over_refused": "look-alike"}
TITLES = {"test": "Test prompts (headline)", "all": "All prompts, those fitted on included"}

Address = Callable[[Cell, str], str]  # of a cell of the test table, or of all prompts


def flip_cells(counts: FlipCounts, chosen: Cell | None, address: Address) -> Any:
    """Four links with counts and shares; the chosen one is marked."""
    return html.Nav(
        [_cell(cell, counts, chosen, address(cell, counts.prompts)) for cell in CELLS],
        className="flip-cells",
        **{"aria-label": f"{TITLES[counts.prompts]}: choose whose prompts are listed"},
    )


def flip_panel(counts: FlipCounts, found: ComparedAudit, outcome: ComparedOutcome, cells: Any) -> Any:
    """The table with its test in words."""
    if counts.n == 0:
        return panel(dmc.Text(_nothing(outcome), c="dimmed", size="sm"), title=TITLES[counts.prompts])
    sentences = [
        dmc.Text(_rates(counts, outcome), size="sm"),
        dmc.Text(
            [
                term_help("McNemar's test", "McNemar's exact test"),
                f": {p_words(counts.p)} ({counts.counts['only_a']} in the reference only,"
                f" {counts.counts['only_b']} in the other only). ",
                term_help("detectable difference", "What this many prompts can show"),
                f": {_power(counts)}",
            ],
            size="sm",
        ),
    ]
    if counts.untried_a or counts.untried_b:
        sentences.append(dmc.Text(_untried(counts), size="sm", c="dimmed"))
    return panel(cells, *sentences, title=TITLES[counts.prompts])


def difference_words(figure: Figure, *, share: bool) -> str:
    """`−40 points (−60 to −16), n 20`."""
    if figure.value is None:
        return "not measured"
    scale, digits = (100, 0) if share else (1, 2)
    value = _signed(figure.value * scale, digits) + (" points" if share else "")
    if figure.low is None or figure.high is None:
        return f"{value}, n {figure.n:,}"
    return f"{value} ({_signed(figure.low * scale, digits)} to {_signed(figure.high * scale, digits)}), n {figure.n:,}"


def p_words(p: float | None) -> str:
    if p is None:
        return "no p"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _cell(cell: Cell, counts: FlipCounts, chosen: Cell | None, href: str) -> Any:
    n = counts.counts[cell]
    here = {"aria-current": "true"} if cell == chosen else {}
    return dmc.Anchor(
        [
            html.Span(CELLS[cell], className="flip-cell-name"),
            html.Span(f"{n:,}", className="figure-value"),
            html.Span(percent(n / counts.n if counts.n else None), className="flip-cell-share"),
        ],
        href=href,
        underline="never",
        className="flip-cell chosen" if cell == chosen else "flip-cell",
        **{"aria-label": f"{CELLS[cell]}: {plural(n, 'prompt')}", **here},
    )


def _rates(counts: FlipCounts, outcome: ComparedOutcome) -> str:
    kind = KINDS.get(outcome)
    whose = f"{plural(counts.n, f'{kind} prompt')} of both" if kind else f"{plural(counts.n, 'prompt')} refused in both"
    return (
        f"Of {whose}: {percent(counts.rate_a.value)} in the reference, {percent(counts.rate_b.value)} in the other."
        f" Difference {difference_words(counts.difference, share=True)}."
    )


def _power(counts: FlipCounts) -> str:
    return counts.power[:1].lower() + counts.power[1:]


def _untried(counts: FlipCounts) -> str:
    return (
        f"Refused in only one of the two, so in no cell: {plural(counts.untried_b, 'prompt')} in the reference,"
        f" {plural(counts.untried_a, 'prompt')} in the other."
    )


def _nothing(outcome: ComparedOutcome) -> str:
    if outcome in KINDS:
        return f"No {KINDS[outcome]} prompts in common here."
    return "No prompt that both refuse was tried like this in both."


def _signed(value: float, digits: int) -> str:
    text = number(value, digits)
    return text if text.startswith("−") or not text.strip("0.,") else f"+{text}"
