"""The report card in words: one row a question, each with a link to its evidence."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from frontend.answers import Answer, Word
from frontend.terms import term_help
from frontend.url_state import audit_path

STYLES: dict[Word, dict[str, str]] = {
    "yes": {"color": "blue", "variant": "filled"},
    "leans yes": {"color": "blue", "variant": "light"},
    "no": {"color": "gray", "variant": "filled"},
    "leans no": {"color": "gray", "variant": "light"},
    "mixed": {"color": "gray", "variant": "outline"},
    "not measured": {"color": "gray", "variant": "outline"},
}
"""Full colour where the interval is clear of the threshold; no colour means good or bad."""


def answer_list(answers: Sequence[Answer], audit_id: str) -> Any:
    return html.Dl([_row(answer, audit_id) for answer in answers], className="answers")


def _row(answer: Answer, audit_id: str) -> Any:
    link = dmc.Anchor(
        f"{answer.page.capitalize()} behind this",
        href=audit_path(audit_id, answer.page, **answer.state),
        size="sm",
        **{"aria-label": f"{answer.page.capitalize()} behind: {answer.question}"},
    )
    return html.Div(
        [
            html.Dt(term_help(answer.term, answer.question)),
            html.Dd(dmc.Badge(answer.word, **STYLES[answer.word]), className="answer-word"),
            html.Dd(
                [answer.sentence, html.Span(f" Yes: {answer.rule}. ", className="answer-rule"), link],
                className="answer-sentence",
            ),
        ],
        className="answer",
    )
