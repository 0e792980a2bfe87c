"""A number never stands without its interval, its n, and what it means."""

from backend.audit.results import NOTHING_MEASURED, Figure
from frontend.components.figure_card import figure_card, figure_row
from tests.frontend.trees import links, words

RATE = Figure(value=0.9, low=0.7, high=0.98, n=21)


def test_value_interval_n_and_evidence():
    card = figure_card("Flipped", RATE, term="flip", share=True, evidence="/audits/a1/prompts?outcome=flipped")
    text = words(card)
    assert "Flipped" in text
    assert "90 %" in text
    assert "70 to 98 %, n 21" in text
    assert links(card) == ["/audits/a1/prompts?outcome=flipped"]


def test_nothing_measured_has_no_interval():
    assert "not measurednothing to measure" in words(figure_card("Flipped", NOTHING_MEASURED, term="flip", share=True))


def test_a_row_of_figures():
    assert words(figure_row("depth", Figure(value=2.0, low=None, high=None, n=4))).startswith("depth")
    assert "no interval: too few" in words(figure_row("depth", Figure(value=2.0, low=None, high=None, n=4)))
