"""Two reports made by hand, compared: prompts matched by id and text, cells worked out on paper, features by name."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.audit.comparison import compare, compare_all
from backend.audit.comparison_results import CELLS, OUTCOMES, DecoderMatch
from backend.audit.results import Edge, Figure, PromptResult, Report, Statement
from backend.errors import BadInput, DifferentPrompts
from tests.compared_reports import SETTINGS, feature, pair, prompt, report

RATE = Figure(0.5, 0.2, 0.8, 8)


def two(make: Callable[[str], dict[str, object]], other: Callable[[str], dict[str, object]]) -> tuple[Report, Report]:
    """Eight test prompts, made twice."""
    names = [f"p{i}" for i in range(8)]
    return (
        report([prompt(name, **make(name)) for name in names]),  # type: ignore[arg-type]
        report([prompt(name, **other(name)) for name in names], subject="two"),  # type: ignore[arg-type]
    )


def flips(*names: str) -> Callable[[str], dict[str, object]]:
    return lambda name: {"features": ("1:5",) if name in names else ()}


def test_each_prompt_stands_in_its_cell() -> None:
    found = compare(*two(flips("p0", "p1", "p2", "p3", "p4", "p5"), flips("p0", "p7")))
    table = found.table("flipped_minimal", "test")
    assert table.both == ("p0",)
    assert table.only_a == ("p1", "p2", "p3", "p4", "p5")
    assert table.only_b == ("p7",)
    assert table.neither == ("p6",)
    assert (table.rate_a.value, table.rate_b.value, table.difference.value) == (6 / 8, 2 / 8, -0.5)
    assert table.p == pytest.approx(2 * (1 + 6) / 2**6)  # 5 to 1 of six that differ
    assert table.difference.low is not None
    assert table.difference.low < -0.5


def test_what_only_one_audit_refused_is_in_no_cell() -> None:
    a, b = two(flips("p0"), lambda name: {"refused": name != "p0", "features": ()})
    table = compare(a, b).table("flipped_minimal", "test")
    assert (table.n, table.untried_a, table.untried_b) == (7, (), ("p0",))
    refused = compare(a, b).table("refused", "test")
    assert (refused.n, refused.only_a) == (8, ("p0",))


def test_prompts_are_the_same_by_id_text_and_label() -> None:
    a = report([prompt("same"), prompt("words"), prompt("label"), prompt("split"), prompt("gone")])
    b = report(
        [
            prompt("same"),
            prompt("words", text="other words"),
            prompt("label", label="look_alike"),
            prompt("split", split="validation"),
            prompt("new"),
        ]
    )
    found = compare(a, b)
    matching = found.matching
    assert (matching.n, matching.n_test) == (2, 1)
    assert (matching.only_a, matching.only_b) == (("gone",), ("new",))
    assert (matching.other_text, matching.other_label, matching.other_split) == (("words",), ("label",), ("split",))
    assert found.table("refused", "test").n == 1
    assert found.table("refused", "all").n == 2


def test_only_test_prompts_of_both_make_the_headline() -> None:
    prompts = [prompt(f"p{i}", split="test" if i % 2 else "discovery", features=("1:5",)) for i in range(8)]
    found = compare(report(prompts), report(prompts, subject="two"))
    assert found.table("flipped_minimal", "test").both == ("p1", "p3", "p5", "p7")
    assert found.table("flipped_minimal", "all").n == 8


def test_look_alikes_are_compared_apart() -> None:
    a = report([prompt("h"), *(prompt(f"l{i}", label="look_alike", refused=i < 2) for i in range(3))])
    b = report([prompt("h"), *(prompt(f"l{i}", label="look_alike", refused=False) for i in range(3))])
    table = compare(a, b).table("over_refused", "test")
    assert (table.only_a, table.neither) == (("l0", "l1"), ("l2",))


def test_audits_without_a_common_prompt_are_refused_in_one_line() -> None:
    with pytest.raises(DifferentPrompts, match="no prompt in common") as told:
        compare(report([prompt("a")]), report([prompt("b")]))
    assert "\n" not in str(told.value)
    with pytest.raises(BadInput, match="two or more"):
        compare_all([report([prompt("a")])])


def test_paired_figures_are_over_the_shared_prompts() -> None:
    names = [f"p{i}" for i in range(8)]
    a = report([prompt(n, score=3.0 + i, depth=1) for i, n in enumerate(names)], flipped=RATE)
    b = report([prompt(n, score=1.0 + i, depth=3) for i, n in enumerate(names)], flipped=RATE)
    found = {one.path: one for one in compare(a, b).figures}
    score = found["baseline.score_harmful"]
    assert (score.how, score.difference.value, score.difference.n) == ("paired", -2.0, 8)
    assert score.p is not None
    assert score.p < 0.05  # 2 of 2^8 swaps are as far
    flipped = found["report_card.flipped.minimal"]
    assert (flipped.how, flipped.difference.value, flipped.p) == ("paired", 0.0, 1.0)


def test_what_one_report_lacks_is_not_compared_and_what_both_lack_is_left_out() -> None:
    rows = [prompt("p")]
    found = {one.path: one for one in compare(report(rows, r2=RATE), report(rows)).figures}
    missing = found["report_card.r2_heldout"]
    assert (missing.how, missing.difference.n, missing.p, missing.q) == ("not compared", 0, None, None)
    assert "stability.keep_rate" not in found


def test_figures_without_prompts_behind_them_are_unpaired() -> None:
    rows = [prompt("p")]
    found = compare(report(rows, r2=Figure(0.9, 0.8, 0.95, 80)), report(rows, r2=Figure(0.5, 0.4, 0.6, 80)))
    fit = next(one for one in found.figures if one.path == "report_card.r2_heldout")
    assert (fit.how, fit.difference.n) == ("unpaired", 160)
    assert fit.difference.low == pytest.approx(-0.4 - (0.1**2 + 0.05**2) ** 0.5)
    assert fit.difference.high == pytest.approx(-0.4 + (0.1**2 + 0.1**2) ** 0.5)
    assert found.n_compared == sum(one.q is not None for one in found.figures)


def test_q_is_over_all_figures_with_a_p() -> None:
    found = compare(*two(flips("p0"), flips("p1")))
    ps = [one.p for one in found.figures if one.p is not None]
    assert found.n_compared == len(ps)
    assert all(one.q is not None and one.p is not None and one.q >= one.p for one in found.figures if one.p is not None)


def test_features_of_a_shared_dictionary_go_by_their_id() -> None:
    prompts_a = [prompt("p0", features=("1:5", "2:6")), prompt("p1", features=("1:5",))]
    prompts_b = [prompt("p0", features=("1:5",)), prompt("p1", features=("2:7",))]
    a = report(prompts_a, features=[feature("1:5", 2), feature("2:6")])
    b = report(prompts_b, features=[feature("1:5"), feature("2:7")], subject="two")
    found = compare(a, b).features
    assert (found.dictionary, found.note, found.n_prompts) == ("shared", "", 2)
    assert (found.pooled_a, found.pooled_b) == (("1:5", "2:6"), ("1:5", "2:7"))
    assert (found.only_a, found.only_b, found.jaccard) == (("2:6",), ("2:7",), pytest.approx(1 / 3))
    assert found.jaccard_by_prompt.value == pytest.approx((1 / 2 + 0) / 2)
    sides = [(one.a.id if one.a else None, one.b.id if one.b else None) for one in found.pairs]
    assert sides == [("1:5", "1:5"), ("2:6", None), (None, "2:7")]


def test_other_dictionaries_are_matched_only_where_told() -> None:
    a = report([prompt("p", features=("1:5", "2:6"))], features=[feature("1:5"), feature("2:6")])
    b = report(
        [prompt("p", features=("1:8", "2:6"))], features=[feature("1:8"), feature("2:6")], hashes={1: "b", 2: "same"}
    )
    apart = compare(a, b).features
    assert apart.dictionary == "partly shared"
    assert "layer 1" in apart.note
    assert "--match-features" in apart.note
    assert (apart.pooled_a, apart.pooled_b) == (("2:6",), ("2:6",))

    together = compare(a, b, [DecoderMatch(1, ((5, 8, 0.9),), 30, 30, 0.7)]).features
    assert (together.dictionary, together.note, together.jaccard) == ("matched", "", 1.0)
    assert (together.unmatched_a, together.unmatched_b) == (pytest.approx(29 / 30), pytest.approx(29 / 30))
    first = together.pairs[0]
    assert first.a is not None
    assert first.b is not None
    assert (first.a.id, first.b.id, first.similarity) == ("1:5", "1:8", 0.9)

    # B's 1:5 has no partner: it must not pass for A's feature of that number.
    alone = replace(b, prompts=(prompt("p", features=("1:5",)),), features=(feature("1:5"),))
    unlike = compare(a, alone, [DecoderMatch(1, ((5, 8, 0.9),), 30, 30, 0.7)]).features
    assert (unlike.only_a, unlike.only_b, unlike.jaccard) == (("1:5", "2:6"), ("1:5 (B)",), 0.0)


def test_wholly_different_dictionaries_say_so() -> None:
    found = compare(report([prompt("p", features=("1:5",))]), report([prompt("p", features=("1:5",))], hashes={1: "b"}))
    assert (found.features.dictionary, found.features.jaccard, found.features.pairs) == ("different", None, ())
    untold = compare(report([prompt("p")], hashes={}), report([prompt("p")])).features
    assert untold.dictionary == "different"
    assert "does not tell which SAEs" in untold.note


def test_edges_and_pairs_of_both() -> None:
    edges_a = [Edge("1:5", "2:6", -1.0), Edge("1:5", "2:7", -2.0)]
    a = report([prompt("p")], edges=edges_a, pairs=[pair("1:5", "2:6"), pair("1:5", "2:7")])
    b = report([prompt("p")], edges=[Edge("1:5", "2:6", -3.0)], pairs=[pair("2:6", "1:5", "serial")])
    links = compare(a, b).connections
    assert [(one.source, one.target, one.change_a, one.change_b) for one in links.edges] == [("1:5", "2:6", -1.0, -3.0)]
    assert (links.n_edges_a, links.n_edges_b, links.n_pairs_a, links.n_pairs_b) == (2, 1, 2, 1)
    assert [(one.features, one.kind_a, one.kind_b) for one in links.pairs] == [(("1:5", "2:6"), "backup", "serial")]


def test_statements_stand_side_by_side() -> None:
    def said(answer: str) -> Statement:
        return Statement("deep", "Is it deep?", answer, "", "", {}, "cascade")  # type: ignore[arg-type]

    found = compare(report([prompt("p")], statements=[said("yes")]), report([prompt("p")], statements=[said("no")]))
    assert [(one.key, one.a, one.b) for one in found.statements] == [("deep", "yes", "no")]


def test_what_else_differs_is_named() -> None:
    a, b = report([prompt("p")]), report([prompt("p")], subject="two")
    assert compare(a, b).cautions == ()
    thorough = report([prompt("p")], subject="two", settings={**SETTINGS, "effort": "thorough"})
    assert compare(a, thorough).cautions == ("The two audits differ in effort.",)
    assert "of the same subject" in compare(a, a).cautions[0]


def test_three_audits_are_each_held_against_the_first() -> None:
    audits = [report([prompt("p", features=("1:5",) if i else ())], subject=str(i), r2=RATE) for i in range(3)]
    found = compare_all(audits)
    assert [(one.a.subject, one.b.subject) for one in found.comparisons] == [("0", "1"), ("0", "2")]
    assert all(len(row.figures) == 3 for row in found.rows)
    assert {row.path for row in found.rows} >= {"report_card.r2_heldout", "report_card.refusal_rate"}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_swapping_the_audits_mirrors_every_table(rows: list[tuple[bool, bool, bool, bool]]) -> None:
    def side(place: int) -> list[PromptResult]:
        return [
            prompt(f"p{i}", refused=row[place], features=("1:5",) if row[place + 2] else (), score=float(i))
            for i, row in enumerate(rows)
        ]

    a, b = report(side(0), flipped=RATE), report(side(1), subject="two", flipped=RATE)
    there, back = compare(a, b), compare(b, a)
    for outcome in OUTCOMES:
        one, other = there.table(outcome, "test"), back.table(outcome, "test")
        assert [one.cell(cell) for cell in CELLS] == [
            other.cell(cell) for cell in ("both", "only_b", "only_a", "neither")
        ]
        assert one.p == other.p
        assert sum(len(one.cell(cell)) for cell in CELLS) == one.n
        if one.n:
            assert one.difference.value == pytest.approx(-other.difference.value)  # type: ignore[operator]
            assert one.difference.low == pytest.approx(-other.difference.high)  # type: ignore[operator]
    for one_figure, other_figure in zip(there.figures, back.figures, strict=True):
        assert one_figure.p == pytest.approx(other_figure.p, abs=0.03)
