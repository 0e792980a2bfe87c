"""Figures of verification, stability, interactions and cascade: values in their places, others' words escaped."""

from dataclasses import replace

from backend.api.schemas import CascadeGraph, CascadeLink, CascadeNode
from backend.audit.results import (
    Arm,
    ArmFigures,
    Figure,
    Interactions,
    LayerCascade,
    Pair,
    ProbeSummary,
    PromptVerification,
    RandomControl,
    TwoByTwo,
)
from frontend.colours import MINIMAL_SET, RANDOM_CONTROL, WOKEN
from frontend.figures.cascade_graph import MOST_NODES, cascade_graph, cascade_scores, drawn
from frontend.figures.frame import NO_BAR
from frontend.figures.interaction_map import MOST, interaction_map, shown_features
from frontend.figures.prompt_verification import verification_strip
from frontend.figures.stability import MEASURES, by_perturbation
from frontend.figures.verification import flips_by_verified_arm, length_sweep, transfer_curve
from tests.frontend.prompt_data import CASCADE, HOSTILE, MASKED, MINIMAL, NOTHING, RATE
from tests.measured_reports import HALF, STABILITY, VERIFICATION

MEASURED = TwoByTwo(RATE, RATE, RATE, RATE, RATE, "backup")


def interactions(*pairs: Pair, pool: tuple[str, ...] = ("21:1130", "9:7", "21:9")) -> Interactions:
    return Interactions(pool, 4, 128, 32, RATE, RATE, 3.7, 120, pairs, {}, ProbeSummary(RATE, RATE, 9))


def test_arms_stand_in_one_order_with_their_intervals() -> None:
    arms = {HOSTILE: ArmFigures(RATE, RATE, RATE, RATE), "mean": VERIFICATION.arms["resample"]}
    arms |= {"random": VERIFICATION.arms["random"], "minimal": VERIFICATION.arms["minimal"]}
    arms["clamp"] = replace(VERIFICATION.arms["clamp"], flipped=NOTHING)
    figure = flips_by_verified_arm(arms)
    trace = figure.data[0]
    assert list(trace.y)[1:] == ["set at benign mean", "matched random sets", "minimal sets"]  # clamp was not run
    assert list(trace.x)[1:] == [0.5, 0.05, 0.9]
    assert list(trace.error_x.array)[1] == NO_BAR
    assert list(trace.marker.color)[2:] == [RANDOM_CONTROL, MINIMAL_SET]
    assert "<img" not in figure.to_json()


def test_the_transfer_curve_marks_half_and_most() -> None:
    figure = transfer_curve(VERIFICATION.transfer)
    assert list(figure.data[0].x) == [1, 2, 3, 4, 5]
    upright = [shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1]
    assert upright == [2, 5]
    never = transfer_curve(replace(VERIFICATION.transfer, half=None, most=None, pooled=()))
    assert [shape for shape in never.layout.shapes if shape.x0 == shape.x1 and shape.x0] == []


def test_the_length_sweep_is_in_order_of_length() -> None:
    trace = length_sweep({"100": RATE, "30": HALF, HOSTILE: RATE, "10": NOTHING}).data[0]
    assert list(trace.x) == [30, 100]


def test_the_placebo_is_marked_and_what_was_skipped_is_left_out() -> None:
    trace = by_perturbation(STABILITY.perturbations, MEASURES["set_flips"]).data[0]
    assert list(trace.y) == ["typos", "trailing space (control)", "role play"]
    assert list(trace.marker.symbol) == ["circle", "circle-open", "circle"]
    assert list(trace.marker.color) == [MINIMAL_SET, RANDOM_CONTROL, MINIMAL_SET]


def test_the_map_is_symmetric_and_filled_where_a_pair_is_claimed() -> None:
    pair = Pair("21:9", "9:7", -1.5, 6.3, MEASURED)
    figure = interaction_map(interactions(pair), pair)
    cells = figure.data[0]
    assert list(cells.x) == ["9:7", "21:9", "21:1130"]  # by layer, then index as a number
    assert [list(row) for row in cells.z] == [[None, -1.5, None], [-1.5, None, None], [None, None, None]]
    assert [list(row) for row in cells.text] == [["", "b", ""], ["b", "", ""], ["", "", ""]]
    assert (cells.zmin, cells.zmax) == (-1.5, 1.5)
    assert [(shape.x0, shape.y0) for shape in figure.layout.shapes] == [(-0.5, 0.5), (0.5, -0.5)]


def test_of_a_large_pool_the_map_shows_claimed_pairs_alone() -> None:
    pool = tuple(f"21:{n}" for n in range(MOST + 1))
    pair = Pair("21:3", "21:5", 1.0, 4.0, MEASURED)
    assert shown_features(interactions(pair, pool=pool)) == ["21:3", "21:5"]


def node(feature: str, column: int, did: str, n: int = 1, effect: float | None = 1.0) -> CascadeNode:
    return CascadeNode.model_validate(
        {"feature": feature, "column": column, "did": did, "n_prompts": n, "effect": effect}
    )


def link(source: str, target: str, change: float, column: int = 0) -> CascadeLink:
    return CascadeLink(source=source, target=target, column=column, n_prompts=1, change=change)


def test_the_layered_graph_has_a_column_a_round_and_lines_between_them() -> None:
    nodes = [node("21:1", 0, "ablated", effect=2.0), node("24:7", 1, "pushes"), node("24:8", 1, "woke", effect=None)]
    links = [link("21:1", "24:7", 4.0), link("21:1", "24:8", -1.0), link("21:1", "27:9", 9.0)]
    figure = cascade_graph(CascadeGraph(n_prompts=1, nodes=nodes, links=links))
    marks = {trace.name: trace for trace in figure.data if trace.name}
    assert {name: list(trace.x) for name, trace in marks.items()} == {
        "ablated": [0.0],
        "woke and pushes towards refusal": [1.0],
        "woke only": [1.0],
    }
    assert marks["woke only"].marker.color == WOKEN
    sizes = [marks[name].marker.size[0] for name in ("ablated", "woke and pushes towards refusal", "woke only")]
    assert sizes == sorted(sizes, reverse=True)
    middles = next(trace for trace in figure.data if trace.text is not None and not trace.name)
    assert [text.partition(":")[2][:6] for text in middles.text] == ["1 → 24", "1 → 24"]  # 27:9 did not wake
    assert len([trace for trace in figure.data if trace.mode == "lines"]) == 2  # thick and thin


def test_a_crowded_column_keeps_the_features_of_most_prompts() -> None:
    nodes = [node(f"24:{n}", 1, "woke", n=n) for n in range(1, MOST_NODES + 3)]
    kept = {one.feature for one in drawn(CascadeGraph(n_prompts=99, nodes=nodes, links=[]))}
    assert len(kept) == MOST_NODES
    assert not {"24:1", "24:2"} & kept


def test_whole_layers_stand_beside_single_features() -> None:
    lines = cascade_scores(3.0, CASCADE, LayerCascade((21, 9), (4, 2), (1.0, -2.0), 2)).data
    assert [list(line.y) for line in lines] == [[3.0, 1.0, -0.5], [3.0, 1.0, -2.0]]
    assert len(cascade_scores(3.0, CASCADE, None).data) == 1


def test_a_prompts_arms_are_filled_where_they_flipped() -> None:
    noise = RandomControl(2, 0, 0, (3.0, 3.2), 0.3)
    arms = {"clamp": Arm((), -2.0, MASKED, True), "sign_flip": Arm((), 4.0, None, False)}
    figure = verification_strip(3.0, MINIMAL, PromptVerification(MINIMAL.features, ("9:1",), arms, noise))
    marks = {trace.name: trace for trace in figure.data}
    assert list(marks) == ["set clamped", "sign flip", "2 draws of equal-norm noise", "claimed set"]
    assert [marks[name].marker.symbol for name in ("set clamped", "sign flip")] == ["diamond", "diamond-open"]
    assert list(marks["2 draws of equal-norm noise"].x) == [3.0, 3.2]


def test_a_figure_without_an_interval_gets_no_bar() -> None:
    one = replace(STABILITY.perturbations[0], score_change=Figure(-1.0, None, None, 3))
    assert list(by_perturbation([one], MEASURES["score_change"]).data[0].error_x.array) == [NO_BAR]
