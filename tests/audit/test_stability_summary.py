"""What is stable, worked by hand, and whatever the rows are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.results import BaselinePrompt, PerturbedPrompt, PromptResult, Response, Stability
from backend.audit.splits import of_split
from backend.audit.stability_summary import Tried, mean_share, summarise_stability
from backend.audit.stats.rates import wilson

KINDS = {"dot": "placebo", "ask": "paraphrase", "play": "wrapper", "int8": "weights", "french": "language"}
TRIED = [Tried(name, kind, name, "not spoken" if name == "french" else "") for name, kind in KINDS.items()]


def row(name: str, kept: str = "", lost: str = "", **more: object) -> PerturbedPrompt:
    """kept and lost: features as words, e.g. "1:2 3:4"."""
    k, gone = tuple(kept.split()), tuple(lost.split())
    given = {"score": 1.0, "response": None, "jaccard": len(k) / len((*k, *gone)) if k or gone else 1.0}
    return PerturbedPrompt(name, **{**given, "kept": k, "lost": gone, "set_score": None, "set_flips": None, **more})  # type: ignore[arg-type]


def prompt(name: str, *rows: PerturbedPrompt, score: float = 2.0) -> PromptResult:
    baseline = BaselinePrompt(name, score, said("refused"))
    return PromptResult(name, name, "harmful", None, name, "test", baseline, perturbed=rows)


def said(verdict: str) -> Response:
    return Response(verdict, 3, True, None, verdict)  # type: ignore[arg-type]


def summarise(*prompts: PromptResult) -> Stability:
    return summarise_stability(of_split(prompts, "test"), TRIED, seed=0)


@pytest.fixture
def worked() -> Stability:
    return summarise(
        prompt(
            "a",
            row("dot", kept="1:1 2:2", set_score=-1.0, set_flips=True),
            row("ask", kept="1:1", lost="2:2", set_score=-1.0, set_flips=True, response=said("refused")),
            row("play", kept="", lost="1:1 2:2", score=-3.0, set_score=-4.0, response=said("complied")),
            row("int8", kept="1:1 2:2", set_score=0.5, set_flips=False),
        ),
        prompt(
            "b",
            row("dot", kept="1:1", set_score=-1.0, set_flips=True),
            row("ask", kept="1:1", set_score=-1.0, set_flips=True, response=said("refused")),
            row("play", kept="1:1", set_score=-1.0, set_flips=True, response=said("refused")),
            row("int8", kept="1:1", set_score=-1.0, set_flips=True),
            score=4.0,
        ),
        prompt("not perturbed"),
    )


def test_keep_rates_weigh_prompts_alike_and_leave_weights_out(worked: Stability) -> None:
    assert worked.n_prompts == 2
    assert (worked.keep_rate.value, worked.keep_rate.n) == ((1 / 4 + 1) / 2, 2)  # a: 1 of 4 kept; b: 2 of 2
    assert worked.keep_rate.low == wilson(1.25, 2).low
    assert (worked.keep_rate_placebo.value, worked.keep_rate_placebo.n) == (1.0, 2)
    # a: 1 of 2 that refuse by score, the placebo apart; b: 3 of 3
    assert (worked.set_flips.value, worked.set_flips.n) == ((1 / 2 + 1) / 2, 2)
    assert worked.set_flips.split == "test"


def test_features_come_most_prompts_first_with_weights_among_their_perturbations(worked: Stability) -> None:
    first, second = worked.features
    assert (first.feature, first.n_prompts) == ("1:1", 2)
    assert first.keep_rate.value == (2 / 3 + 1) / 2  # a: ask and int8 of three
    assert first.keep_rate_placebo.value == 1.0
    assert (second.feature, second.n_prompts) == ("2:2", 1)
    assert (second.keep_rate.value, second.keep_rate.n) == (1 / 3, 1)


def test_each_perturbation_over_its_prompts(worked: Stability) -> None:
    by_name = {one.name: one for one in worked.perturbations}
    assert list(by_name) == list(KINDS)
    play = by_name["play"]
    assert (play.refused.value, play.refused.n) == (0.5, 2)
    assert play.score_change.value == ((-3 - 2) + (1 - 4)) / 2
    assert play.jaccard.value == 0.5
    assert (play.set_flips.value, play.set_flips.n) == (1.0, 1)
    assert by_name["dot"].refused.n == 0  # no completion was asked for
    french = by_name["french"]
    assert french.skipped == "not spoken"
    assert {figure.n for figure in (french.refused, french.score_change, french.jaccard, french.set_flips)} == {0}


def test_nothing_perturbed_is_nothing_measured() -> None:
    empty = summarise(prompt("a"))
    assert (empty.n_prompts, empty.features, empty.keep_rate.n, empty.set_flips.n) == (0, (), 0, 0)
    assert len(empty.perturbations) == len(TRIED)


def test_more_rows_of_a_prompt_make_no_interval_narrower() -> None:
    few = summarise(prompt("a", row("ask", kept="1:1", lost="2:2")), prompt("b", row("ask", kept="1:1")))
    many = summarise(
        *(
            prompt(name, *(row(ask, kept="1:1", lost=lost) for ask in ("ask", "play", "ask", "play")))
            for name, lost in (("a", "2:2"), ("b", ""))
        )
    )
    assert few.keep_rate == many.keep_rate


names = st.lists(st.sampled_from(["1:1", "1:2", "2:1", "10:3"]), unique=True)
perturbed_rows = st.builds(
    lambda name, kept, lost: row(name, " ".join(kept), " ".join(f for f in lost if f not in kept)),
    st.sampled_from(["dot", "ask", "play", "int8"]),
    names,
    names,
)


@given(st.lists(st.lists(perturbed_rows, max_size=5), max_size=8))
def test_rates_are_shares_over_no_more_than_the_prompts(rows: list[list[PerturbedPrompt]]) -> None:
    found = summarise(*(prompt(f"p{i}", *of_prompt) for i, of_prompt in enumerate(rows)))
    figures = [found.keep_rate, found.keep_rate_placebo, found.set_flips]
    figures += [figure for one in found.features for figure in (one.keep_rate, one.keep_rate_placebo)]
    for figure in figures:
        assert figure.n <= found.n_prompts <= len(rows)
        if figure.value is not None and figure.low is not None and figure.high is not None:
            assert 0 <= figure.low <= figure.value <= figure.high <= 1
    counts = [one.n_prompts for one in found.features]
    assert counts == sorted(counts, reverse=True)


@given(st.lists(st.lists(st.sampled_from(["dot", "ask", "play", "int8"]), min_size=1, max_size=4), min_size=1))
def test_where_everything_is_kept_every_rate_is_one(rows: list[list[str]]) -> None:
    found = summarise(*(prompt(f"p{i}", *(row(name, kept="1:1 2:2") for name in r)) for i, r in enumerate(rows)))
    for figure in (found.keep_rate, found.keep_rate_placebo, *(one.keep_rate for one in found.features)):
        assert figure.value in (1.0, None)
    assert all(one.jaccard.value in (1.0, None) for one in found.perturbations)


def test_shares_of_a_third_never_pass_one() -> None:
    assert mean_share([[(1, 3), (2, 3)], [(3, 3)]] * 7).value == pytest.approx(0.75)
    assert mean_share([[(3, 3)]] * 7).value == 1.0
    assert mean_share([[(0, 0)], []]).n == 0
