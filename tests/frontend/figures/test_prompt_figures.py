"""Figures of one prompt: every value is drawn where it belongs, and others' words are escaped."""

from dataclasses import replace

from backend.audit.results import PromptTokens
from frontend.colours import CANDIDATE, MINIMAL_SET
from frontend.figures.ablation_curve import ablation_curve, certificate, sweep
from frontend.figures.controls import controls_strip, single_effects
from frontend.figures.self_repair import self_repair
from frontend.figures.token_heat import MOST_ROWS, active_features, token_heat
from tests.frontend.prompt_data import CONTROLS, HOSTILE, MINIMAL, STORY


def test_the_curve_starts_at_the_baseline_and_ends_at_the_set() -> None:
    figure = ablation_curve(3.0, STORY.ablation_curve, 1.0)
    assert list(figure.data[0].y) == [3.0, 0.5, -1.5]
    assert list(figure.layout.xaxis.ticktext) == ["nothing", "+ 21:1130", "+ 9:1"]
    assert {shape.y0 for shape in figure.layout.shapes} == {0.0, -1.0}


def test_the_certificate_goes_from_all_ablated_to_one_restored() -> None:
    lines = {trace.y[0]: list(trace.x) for trace in certificate(MINIMAL).data}
    assert lines == {"9:1": [-1.5, 0.5], "21:1130": [-1.5, 2.0]}
    assert {shape.x0 for shape in certificate(replace(MINIMAL, margin=0.0)).layout.shapes} == {0.0}


def test_the_sweep_marks_the_k_that_flips() -> None:
    trace = sweep(3.0, STORY.sweep, 2).data[0]
    assert list(trace.x) == ["none", "1", "2"]
    assert list(trace.marker.symbol) == ["circle", "circle", "diamond"]
    assert list(trace.customdata) == [0, 6, 12]


def test_controls_stand_in_rows_with_flips_filled() -> None:
    figure = controls_strip(3.0, MINIMAL, CONTROLS)
    names = list(figure.layout.yaxis.ticktext)
    assert names == ["linear probe's set", "direction", "4 matched random sets", "minimal set"]
    marks = {trace.name: trace for trace in figure.data}
    assert marks["direction"].marker.symbol == "diamond"
    assert marks["linear probe's set"].marker.symbol == "diamond-open"
    draws = marks["4 matched random sets"]
    assert list(draws.x) == [3.0, 3.1, 2.9, 3.2]
    assert all(abs(y - names.index("4 matched random sets")) < 0.5 for y in draws.y)


def test_without_a_set_the_other_arms_remain() -> None:
    assert "minimal set" not in controls_strip(3.0, None, replace(CONTROLS, random=None)).layout.yaxis.ticktext


def test_single_effects_run_from_the_baseline() -> None:
    lines = {trace.y[0]: trace for trace in single_effects(3.0, STORY.single_effects, MINIMAL.features).data}
    assert list(lines["21:1130"].x) == [3.0, -0.4]
    assert lines["21:1130"].line.color == MINIMAL_SET
    assert lines["12:5"].line.color == CANDIDATE


def test_self_repair_has_both_effects_under_both_norms() -> None:
    assert {trace.name: list(trace.y) for trace in self_repair(STORY.self_repair).data} == {
        "direct effect": [1.0, 1.1],
        "total effect": [4.5, 4.4],
    }


def test_heat_is_where_the_feature_fires_and_tokens_are_escaped() -> None:
    figure = token_heat(STORY.tokens, STORY.activations)
    heat = figure.data[0]
    assert list(heat.y) == ["9:1", "12:5", "21:1130"]
    assert list(heat.z[2]) == [None, None, None, 4.0, 8.0]
    assert "<img" not in str(heat.customdata) + str(figure.layout.xaxis.ticktext)
    assert HOSTILE[:4] not in str(figure.to_json())


def test_the_map_shows_the_strongest_features_alone() -> None:
    many = {f"1:{index}": ((0, float(index + 1)),) for index in range(MOST_ROWS + 5)}
    rows = token_heat(PromptTokens(("a",), ("instruction",)), many).data[0].y
    assert len(rows) == MOST_ROWS
    assert "1:0" not in rows


def test_active_features_stand_at_their_layer_with_their_peak() -> None:
    within, without = active_features(STORY.activations, MINIMAL.features, "12:5").data
    assert dict(zip(within.customdata, zip(within.x, within.y, strict=True), strict=True)) == {
        "9:1": (9, 1.0),
        "21:1130": (21, 8.0),
    }
    assert list(without.marker.line.width) == [2]  # the chosen one is ringed
