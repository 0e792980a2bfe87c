"""The report card in words: a row a question with its answer, its rule and the way to its evidence."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.audit.results import Statement
from frontend.answers import NO_ANSWERS, REFUSED_TEST, FiguresInWords
from frontend.components.audit_header import TABS
from frontend.format import figure_text
from frontend.terms import term_help
from frontend.url_state import audit_path

STYLES = {
    "yes": {"color": "blue", "variant": "filled"},
    "no": {"color": "gray", "variant": "filled"},
    "undecided": {"color": "gray", "variant": "light"},
    "not measured": {"color": "gray", "variant": "outline"},
}
"""Full colour where the rule is met; no colour means good or bad."""


def statement_list(statements: Sequence[Statement], audit_id: str) -> Any:
    return html.Dl([_statement(one, audit_id) for one in statements], className="answers")


def figures_without_answers(rows: Sequence[FiguresInWords], audit_id: str) -> Any:
    """What an older report has: its figures, and why there is no answer beside them."""
    return dmc.Stack(
        [
            dmc.Alert(NO_ANSWERS, color="gray", variant="light"),
            html.Dl([_figures(row, audit_id) for row in rows], className="answers"),
        ],
        gap="sm",
    )


def _statement(one: Statement, audit_id: str) -> Any:
    behind = [html.Li([html.Code(path), f" {figure_text(figure)}"]) for path, figure in one.figures.items()]
    rule: list[Any] = [html.Summary("Rule and figures"), html.Div(one.rule, className="answer-rule")]
    if behind:
        rule.append(html.Ul(behind, className="problems"))
    return html.Div(
        [
            html.Dt(one.question),
            html.Dd(_badge(one.answer), className="answer-word"),
            html.Dd([one.text, " ", _link(one.evidence, one.question, audit_id)], className="answer-sentence"),
            html.Dd(html.Details(rule), className="answer-sentence"),
        ],
        className="answer",
    )


def _figures(row: FiguresInWords, audit_id: str) -> Any:
    return html.Div(
        [
            html.Dt(term_help(row.term, row.question)),
            html.Dd(None if row.measured else _badge("not measured"), className="answer-word"),
            html.Dd([row.sentence, " ", _link(row.evidence, row.question, audit_id)], className="answer-sentence"),
        ],
        className="answer",
    )


def _badge(answer: str) -> Any:
    return dmc.Badge(answer, **STYLES.get(answer, STYLES["not measured"]))


def _link(evidence: str, question: str, audit_id: str) -> Any:
    tab = next((name for name in TABS if name == evidence), "overview")
    state = REFUSED_TEST if tab == "prompts" else {}
    return dmc.Anchor(
        f"{TABS[tab]} behind this",
        href=audit_path(audit_id, None if tab == "overview" else tab, **state),
        size="sm",
        **{"aria-label": f"{TABS[tab]} behind: {question}"},
    )
