"""Figures of features: every value is drawn where it belongs, and others' words are escaped."""

import pytest

from backend.audit.results import Figure, Flipped, TokenWeight
from frontend.colours import CANDIDATE, MINIMAL_SET
from frontend.figures.arms import flips_by_arm
from frontend.figures.feature_figures import activation_by_kind, active_by_category, coverage_by_kind, logit_lens
from frontend.figures.feature_plane import LARGEST, SMALLEST, feature_plane
from frontend.figures.frame import NO_BAR
from tests.frontend.features_data import FEATURE, line

HOSTILE = "<a href='http://hostile.invalid'>x</a>"


def test_the_plane_shows_measured_features_larger_with_their_sets() -> None:
    lines = [
        line(id="1:1", in_minimal_sets=0),
        line(id="1:2", in_minimal_sets=3, effect=0.5),
        line(id="1:3", in_minimal_sets=12),
        line(id="1:4", effect=None),
    ]
    without, within = feature_plane(lines).data
    assert [point[0] for point in without.customdata] == ["1:1"]
    assert [point[0] for point in within.customdata] == ["1:2", "1:3"]
    assert list(without.marker.size) == [SMALLEST]
    assert SMALLEST < within.marker.size[0] < within.marker.size[1] == LARGEST
    assert (without.marker.color, within.marker.color) == (CANDIDATE, MINIMAL_SET)
    assert list(within.y) == [0.5, 2.5]


def test_a_plane_of_nothing_is_a_plane() -> None:
    assert [len(trace.x) for trace in feature_plane([]).data] == [0, 0]


def test_activation_and_coverage_have_their_intervals() -> None:
    activation = activation_by_kind(FEATURE).data[0]
    assert list(activation.y) == [5.4, 0.3]
    assert activation.error_y.array[0] == pytest.approx(0.5)
    assert activation.error_y.array[1] == NO_BAR
    coverage = coverage_by_kind(FEATURE).data[0]
    assert coverage.error_y.arrayminus[1] == pytest.approx(0.06)
    assert list(coverage.customdata) == [60, 40]


def test_tokens_go_from_most_lowered_to_most_raised_and_are_escaped() -> None:
    promoted = (TokenWeight(HOSTILE, 3.0), *FEATURE.promoted)
    figure = logit_lens(promoted, FEATURE.suppressed)
    assert list(figure.data[0].x) == [-2.5, -1.0, 1.5, 2.0, 3.0]
    assert figure.layout.yaxis.ticktext[1] == "↵"
    assert "<" not in "".join(figure.layout.yaxis.ticktext) + "".join(figure.data[0].customdata)


def test_a_token_that_is_raised_and_lowered_most_is_shown_once() -> None:
    assert len(logit_lens(FEATURE.promoted, FEATURE.promoted).data[0].x) == len(FEATURE.promoted)


def test_categories_are_escaped_and_the_nameless_one_is_named() -> None:
    bars = active_by_category({HOSTILE: 1.0, "": 0.5, "illegal_drugs": 0.0}).data[0]
    assert list(bars.x) == [0.0, 0.5, 1.0]
    assert list(bars.y)[:2] == ["illegal drugs", "no category"]
    assert "<" not in bars.y[2]


def test_arms_that_were_not_run_are_left_out() -> None:
    rate, none = Figure(0.5, 0.2, 0.8, 10), Figure(None, None, None, 0)
    marks = flips_by_arm(Flipped(rate, rate, rate, none, rate, none, none)).data[0]
    assert list(marks.y) == ["linear probe's features", "refusal direction", "matched random sets", "minimal sets"]
    assert list(marks.error_x.array) == pytest.approx([0.3] * 4)
