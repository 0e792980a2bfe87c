from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.decisions import Answer, above, all_of, any_of, at_most, counted, exceeds, opposite
from backend.audit.results import NOTHING_MEASURED, Figure

NO_INTERVAL = Figure(0.9, None, None, 3)
ANSWERS: tuple[Answer, ...] = get_args(Answer)


def between(low: float, high: float) -> Figure:
    return Figure((low + high) / 2, low, high, 20)


@pytest.mark.parametrize(
    ("figure", "answer"),
    [
        (between(0.51, 0.9), "yes"),
        (between(0.5, 0.9), "undecided"),  # an end on the bound is not above it
        (between(0.2, 0.51), "undecided"),
        (between(0.2, 0.5), "no"),
        (between(0.1, 0.2), "no"),
        (NO_INTERVAL, "undecided"),
        (NOTHING_MEASURED, "not measured"),
    ],
)
def test_above_reads_the_interval_s_ends(figure: Figure, answer: Answer) -> None:
    assert above(figure, 0.5) == answer
    assert at_most(figure, 0.5) == opposite(answer)


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        (between(0.6, 0.9), between(0.1, 0.5), "yes"),
        (between(0.5, 0.9), between(0.1, 0.5), "undecided"),
        (between(0.1, 0.5), between(0.5, 0.9), "no"),
        (between(0.1, 0.2), between(0.6, 0.9), "no"),
        (between(0.0, 0.2), between(0.0, 0.2), "undecided"),
        (NO_INTERVAL, between(0.0, 0.1), "undecided"),
        (between(0.8, 0.9), NO_INTERVAL, "undecided"),
        (between(0.8, 0.9), NOTHING_MEASURED, "not measured"),
        (NOTHING_MEASURED, between(0.8, 0.9), "not measured"),
    ],
)
def test_exceeds_wants_the_intervals_apart(one: Figure, other: Figure, answer: Answer) -> None:
    assert exceeds(one, other) == answer


def test_exceeds_takes_a_share_of_the_other() -> None:
    kept, placebo = between(0.6, 0.7), between(0.8, 1.0)
    assert exceeds(kept, placebo) == "no"
    assert exceeds(kept, placebo, share=0.5) == "yes"
    assert exceeds(kept, placebo, share=0.5, margin=0.1) == "undecided"
    assert exceeds(kept, placebo, share=0.5, margin=0.4) == "no"


def test_a_count_decides_by_itself() -> None:
    assert [counted(True), counted(False)] == ["yes", "no"]


@pytest.mark.parametrize(("one", "other"), product(ANSWERS, ANSWERS))
def test_two_answers_together(one: Answer, other: Answer) -> None:
    both = {one, other}
    every, either = all_of([one, other]), any_of([one, other])
    assert (every == "yes") == (both == {"yes"})
    assert (every == "no") == ("no" in both)
    assert (either == "yes") == ("yes" in both)
    assert (either == "no") == ("no" in both and both <= {"no", "not measured"})
    assert (either == "not measured") == (both == {"not measured"})
    assert all_of([other, one]) == every
    assert all_of([]) == any_of([]) == "not measured"


ends = st.floats(-2, 2)
figures = st.tuples(ends, ends).map(lambda pair: between(min(pair), max(pair)))


def wider(figure: Figure, left: float, right: float) -> Figure:
    assert figure.low is not None
    assert figure.high is not None
    return Figure(figure.value, figure.low - left, figure.high + right, figure.n)


@given(figures, figures, ends, st.floats(0, 1), st.floats(0, 1))
def test_widening_an_interval_only_takes_answers_back(
    one: Figure, other: Figure, bound: float, left: float, right: float
) -> None:
    doubted = wider(one, left, right)
    assert above(doubted, bound) in (above(one, bound), "undecided")
    assert exceeds(doubted, other) in (exceeds(one, other), "undecided")
    assert exceeds(other, doubted) in (exceeds(other, one), "undecided")


ORDER = {"no": 0, "undecided": 1, "yes": 2}


@given(figures, figures, ends, st.floats(0, 1))
def test_a_higher_figure_is_never_less_above(one: Figure, other: Figure, bound: float, shift: float) -> None:
    assert one.low is not None
    assert one.high is not None
    higher = between(one.low + shift, one.high + shift)
    assert ORDER[above(higher, bound)] >= ORDER[above(one, bound)]
    assert ORDER[exceeds(higher, other)] >= ORDER[exceeds(one, other)]
