"""Figures, times and intervals in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.results import NOTHING_MEASURED, Figure
from frontend import format as words

RATE = Figure(value=0.904, low=0.699, high=0.981, n=21)


def test_a_figure_reads_as_value_interval_and_n():
    assert words.figure_text(RATE, share=True) == "90 % (70 to 98), n 21"
    assert words.figure_value(RATE, share=True) == "90 %"
    assert words.figure_interval(RATE, share=True) == "70 to 98 %"


def test_a_figure_without_interval_says_why():
    figure = Figure(value=2.0, low=None, high=None, n=5)
    assert words.figure_text(figure) == "2.00, n 5"
    assert "too few" in words.figure_interval(figure)


@pytest.mark.parametrize("figure", [None, NOTHING_MEASURED])
def test_nothing_measured_is_said(figure):
    assert words.figure_text(figure, share=True) == "not measured"
    assert words.figure_value(figure) == "not measured"
    assert words.figure_interval(figure) == ""


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [(1234.5, 1, "1,234.5"), (-0.5, 2, "−0.50"), (-0.001, 2, "0.00"), (0.0, 0, "0"), (None, 2, "–")],
)
def test_numbers(value, digits, expected):
    assert words.number(value, digits) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.4, "under 1 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (80, "1 min 20 s"),
        (1230, "20 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_durations(seconds, expected):
    assert words.duration(seconds) == expected


@given(st.floats(min_value=0, max_value=1e8))
def test_a_duration_never_has_more_than_two_units(seconds):
    assert len(words.duration(seconds).removeprefix("under ").split()) in (2, 4)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, ""), (0.0, "under 1 s left"), (0.3, "under 1 s left"), (90, "about 1 min 30 s left")],
)
def test_time_left(seconds, expected):
    assert words.time_left(seconds) == expected


def test_moments_are_utc():
    assert words.moment(0) == "1970-01-01 00:00 UTC"


@given(st.text(), st.integers(min_value=2, max_value=90))
def test_shortened_text_is_one_line_within_the_limit(text, limit):
    line = words.shortened(text, limit)
    assert len(line) <= limit
    assert "\n" not in line


@pytest.mark.parametrize(("n", "expected"), [(0, "0 prompts"), (1, "1 prompt"), (1200, "1,200 prompts")])
def test_plurals(n, expected):
    assert words.plural(n, "prompt") == expected
