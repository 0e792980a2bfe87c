"""Figures of a whole audit: values where they belong, intervals as error bars, others' words escaped."""

import pytest

from backend.api.schemas import LayerUse, Slice
from backend.audit.results import Direction, DirectionCell, Figure, Pair, TwoByTwo
from frontend.figures.frame import NO_BAR, words
from frontend.figures.interactions import model_fit, two_by_two
from frontend.figures.layer_map import layer_map
from frontend.figures.set_sizes import cascade_depths, set_sizes
from frontend.figures.slices import NO_CATEGORY, slices_by_outcome
from frontend.figures.woken import woken_beside_random, woken_by_layer
from tests.frontend.prompt_data import HOSTILE, NOTHING

CELL = DirectionCell(9, -1, HOSTILE, 7.0, -1.5, 2.0, 0.05, True, "")
REJECTED = DirectionCell(21, -2, "x", 7.0, 4.0, 2.0, 1.0, False, f"KL 1.0 is above 0.1 {HOSTILE}")
DIRECTION = Direction(9, -1, "rule", True, (CELL, REJECTED), 8, 8, False, 4, 4, NOTHING, NOTHING, NOTHING)
LAYERS = [
    LayerUse(layer=9, n_candidates=40, best_cosine=0.3, in_minimal_sets=2, woken=0),
    LayerUse(layer=21, n_candidates=40, best_cosine=None, in_minimal_sets=12, woken=5),
]


def test_the_layer_map_has_grid_features_and_cosine_on_one_axis() -> None:
    figure = layer_map(DIRECTION, LAYERS, 30)
    grid, star, sets, woken, cosine = figure.data
    assert list(zip(grid.x, grid.y, grid.marker.color, strict=True)) == [(9, -1, -1.5), (21, -2, 4.0)]
    assert grid.marker.cmin == -grid.marker.cmax == -4.0  # nothing is at the middle of the scale
    assert [width > 0 for width in grid.marker.line.width] == [True, False]  # the admissible one is outlined
    assert (star.x[0], star.y[0]) == (9, -1)
    assert (list(sets.y), list(woken.y), list(cosine.y)) == ([2, 12], [0, 5], [0.3, None])
    assert list(figure.layout.xaxis.range) == [-0.8, 29.8]
    assert "<img" not in figure.to_json()


def test_set_sizes_set_test_prompts_apart() -> None:
    figure = set_sizes({"test": {1: 3, 2: 1}, "discovery": {1: 2}, "validation": {1: 1, 4: 1}})
    test, others = figure.data
    assert (list(test.x), list(test.y)) == ([1, 2], [3, 1])
    assert (list(others.x), list(others.y)) == ([1, 4], [3, 1])
    assert figure.layout.yaxis.dtick == 1
    assert [len(trace.x) for trace in cascade_depths({}).data] == [0, 0]


def test_woken_has_its_control_beside_it() -> None:
    trace = woken_beside_random(Figure(29.0, 25.0, 33.0, 9), Figure(46.0, None, None, 3)).data[0]
    assert list(trace.y) == [29.0, 46.0]
    assert list(trace.error_y.array) == [4.0, NO_BAR]
    assert list(woken_by_layer({"27": 14, "6": 1}).data[0].x) == [6, 27]
    assert len(woken_by_layer({}).data) == 1


def test_an_estimate_outside_its_interval_gets_no_negative_bar() -> None:
    trace = model_fit(Figure(0.9, 0.5, 0.8, 9), Figure(0.7, 0.6, 0.8, 9)).data[0]
    assert list(trace.error_y.array) == [pytest.approx(0.1), 0.0]


def test_a_pair_is_shown_beside_what_addition_would_give() -> None:
    def cell(value: float) -> Figure:
        return Figure(value, value - 1, value + 1, 7)

    measured = TwoByTwo(cell(2.0), cell(-1.0), cell(0.0), cell(-1.5), cell(-2.0), "serial")
    points, additive = two_by_two(Pair("21:1", "24:2", 1.5, 6.3, measured)).data
    assert list(points.x) == ["none", "21:1", "24:2", "both"]
    assert list(points.y) == [2.0, -1.0, 0.0, -1.5]
    assert list(additive.y) == [-3.0]
    unmeasured = TwoByTwo(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, "undecided")
    assert len(two_by_two(Pair("21:1", "24:2", 1.5, 6.3, unmeasured)).data) == 1


def test_slices_say_what_a_click_chooses_and_others_stand_back() -> None:
    slices = [
        Slice(category=HOSTILE, counts={"flipped": 3, "not_flipped": 1}),
        Slice(category="", counts={"complied": 2}),
    ]
    figure = slices_by_outcome(slices, HOSTILE, "flipped")
    bars = {trace.name: trace for trace in figure.data}
    assert set(bars) == {"flipped", "never flipped", "complied"}
    assert list(bars["flipped"].customdata[-1]) == [HOSTILE, "flipped"]
    assert list(bars["flipped"].marker.opacity) == [0.3, 1.0]
    assert bars["complied"].y[0] == NO_CATEGORY
    assert all("<" not in label for trace in figure.data for label in trace.y)


def test_long_words_are_cut_and_escaped() -> None:
    assert words("a" * 60) == "a" * 47 + "…"
    assert words("<b>") == "&lt;b&gt;"
