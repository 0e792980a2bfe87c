"""Differences of figures known by interval alone: worked by hand, mirrored, and their p against the interval."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.results import NOTHING_MEASURED, Figure
from backend.audit.stats.recovery import difference_of_figures, p_of_interval

figures = st.tuples(st.floats(-9, 9), st.floats(0.01, 5), st.floats(0.01, 5)).map(
    lambda x: Figure(x[0], x[0] - x[1], x[0] + x[2], 5)
)


def test_by_hand() -> None:
    found = difference_of_figures(Figure(0.9, 0.6, 1.0, 10), Figure(0.5, 0.4, 0.9, 20))
    assert (found.value, found.n) == (pytest.approx(0.4), 30)
    assert found.low == pytest.approx(0.4 - (0.3**2 + 0.4**2) ** 0.5)
    assert found.high == pytest.approx(0.4 + (0.1**2 + 0.1**2) ** 0.5)


def test_what_is_missing_stays_missing() -> None:
    one = Figure(1.0, None, None, 3)
    assert difference_of_figures(one, NOTHING_MEASURED) == NOTHING_MEASURED
    assert difference_of_figures(one, Figure(0.5, 0.4, 0.6, 3)) == Figure(0.5, None, None, 6)
    assert p_of_interval(Figure(0.5, None, None, 6)) is None
    assert p_of_interval(NOTHING_MEASURED) is None


def test_an_interval_beside_its_estimate_reaches_up_to_it() -> None:
    found = difference_of_figures(Figure(1.0, 1.2, 1.5, 8), Figure(0.0, -0.1, 0.1, 8))
    assert found.low == pytest.approx(0.9)


@given(figures, figures)
def test_it_is_mirrored_when_the_two_change_places(a: Figure, b: Figure) -> None:
    there, back = difference_of_figures(a, b), difference_of_figures(b, a)
    assert there.low == pytest.approx(-back.high)  # type: ignore[operator]
    assert p_of_interval(there) == pytest.approx(p_of_interval(back))


@given(figures, figures)
def test_p_is_small_exactly_when_the_interval_leaves_out_nought(a: Figure, b: Figure) -> None:
    found = difference_of_figures(a, b)
    p = p_of_interval(found)
    assert p is not None
    assert found.low is not None
    assert found.high is not None
    outside = found.low > 0 or found.high < 0
    assert (p < 0.05) == outside or min(abs(found.low), abs(found.high)) < 1e-9
