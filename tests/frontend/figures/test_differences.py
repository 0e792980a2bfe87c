"""Forests of differences: a row a figure, its interval, 0 marked, filled only when the interval leaves out 0."""

import pytest

from backend.api.schemas import FigureDifference
from backend.audit.results import Figure
from frontend.figures.differences import other_differences, share_differences

NOTHING = Figure(None, None, None, 0)


def difference(name: str, unit: str, value: float | None, low: float | None, high: float | None) -> FigureDifference:
    found = Figure(value, low, high, 0 if value is None else 9)
    return FigureDifference(name, name, unit, NOTHING, NOTHING, found, "paired", 0.5, 0.6)  # type: ignore[arg-type]


FOUND = [
    difference("flips", "%", -0.4, -0.6, -0.1),
    difference("refuses", "%", 0.0, -0.2, 0.2),
    difference("bare", "%", 0.1, None, None),
    difference("score", "", 2.0, 1.5, 2.5),
    difference("rounds", "", 0.0, None, None),
    difference("gone", "%", None, None, None),
]


def names(figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def test_shares_stand_in_points_in_the_order_given() -> None:
    figure = share_differences(FOUND)
    assert names(figure) == ["flips", "refuses", "bare"]
    assert [trace.x[0] for trace in figure.data] == pytest.approx([-40.0, 0.0, 10.0])
    assert [trace.y[0] for trace in figure.data] == [0, 1, 2]
    first = figure.data[0]
    assert (first.error_x.arrayminus[0], first.error_x.array[0]) == (pytest.approx(20.0), pytest.approx(30.0))
    low, high = figure.layout.yaxis.range
    assert low > high  # the first row is at the top
    assert figure.layout.xaxis.range[0] < -60 < 60 < figure.layout.xaxis.range[1]


def test_only_an_interval_without_nought_is_filled() -> None:
    symbols = [trace.marker.symbol for trace in share_differences(FOUND).data]
    assert symbols == ["diamond", "diamond-open", "diamond-open"]


def test_other_figures_have_axes_of_their_own_with_nought_in_the_middle() -> None:
    figure = other_differences(FOUND)
    assert names(figure) == ["score", "rounds"]
    assert figure.layout.xaxis.range == (pytest.approx(-2.8), pytest.approx(2.8))
    assert list(figure.layout.xaxis.ticktext) == ["−2.5", "0", "+2.5"]
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]  # rows do not overlap


def test_nothing_compared_is_an_empty_figure() -> None:
    for draw in (share_differences, other_differences):
        figure = draw([])
        assert names(figure) == []
        assert figure.layout.height > 0
