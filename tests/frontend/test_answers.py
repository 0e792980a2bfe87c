"""Figures of older report cards in words: with interval and n, without an answer, none for what was not measured."""

from dataclasses import replace

from backend.audit.results import Figure
from frontend.answers import FiguresInWords, figures_in_words
from frontend.components.audit_header import TABS
from frontend.terms import TERMS
from tests.frontend.prompt_data import NOTHING, cascade_summary, report_card


def rows(**changes: object) -> dict[str, FiguresInWords]:
    return {row.question: row for row in figures_in_words(report_card(**changes), cascade_summary())}


def test_figures_carry_interval_and_n() -> None:
    said = rows()
    assert said["Does it refuse?"].sentence == "Harmful test prompts refused: 95 % (80 to 99), n 22."
    assert "matched random sets 2 % (0 to 20), n 21" in said["Does it beat its controls?"].sentence
    assert "3 serial pairs" in said["Do features interact?"].sentence


def test_what_was_not_measured_says_so_and_nothing_else() -> None:
    said = rows(refusal_rate=NOTHING, flipped=replace(report_card().flipped, minimal=NOTHING))
    for question in ("Does it refuse?", "Does it beat its controls?"):
        assert (said[question].measured, said[question].sentence) == (False, "Not measured.")
    assert said["Does it over-refuse?"].measured


def test_every_question_has_a_term_and_a_tab() -> None:
    for row in rows(depth=Figure(2.0, None, None, 3)).values():
        assert row.term in TERMS
        assert row.evidence in TABS
