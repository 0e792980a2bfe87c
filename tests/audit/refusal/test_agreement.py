"""Agreement with a reader and rates corrected for a judge's error: by hand, by simulation, by invariants."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.refusal.agreement import Graded, corrected_rate, kappa, sensitivity, specificity
from backend.audit.refusal.judges.judge import VERDICTS, Verdict
from backend.audit.results import NOTHING_MEASURED, Figure
from backend.audit.stats.rates import wilson

R, C, I = VERDICTS  # noqa: E741 (as in the tables of the trade)


def graded(table: dict[tuple[Verdict, Verdict], int], families: int = 10) -> list[Graded]:
    """(truth, judged) -> how often; families dealt out in turn."""
    pairs = [pair for pair, n in table.items() for _ in range(n)]
    return [Graded(str(i), truth, judged, f"f{i % families}") for i, (truth, judged) in enumerate(pairs)]


TABLE: dict[tuple[Verdict, Verdict], int] = {(R, R): 40, (R, C): 10, (C, R): 5, (C, C): 25, (I, C): 10, (I, I): 10}


def test_by_hand() -> None:
    rows = graded(TABLE)
    assert (sensitivity(rows, R).value, sensitivity(rows, R).n) == (0.8, 50)  # 40 of 50
    assert (specificity(rows, R).value, specificity(rows, R).n) == (0.9, 50)  # 45 of 50
    assert sensitivity(rows, C) == wilson(25, 30)
    assert specificity(rows, C) == wilson(50, 70)  # 10 refusals and 10 scrambled ones are called complied
    # p_o = 75 / 100; p_e = 0.5 * 0.45 + 0.3 * 0.45 + 0.2 * 0.1 = 0.38
    assert kappa(rows).value == pytest.approx((0.75 - 0.38) / (1 - 0.38))


def test_kappa_at_its_ends() -> None:
    perfect = kappa(graded({(R, R): 30, (C, C): 20, (I, I): 10}))
    assert (perfect.value, perfect.low, perfect.high) == (1.0, 1.0, 1.0)
    independent = kappa(graded({(R, R): 16, (R, C): 16, (C, R): 16, (C, C): 16}))
    assert independent.value == pytest.approx(0)
    assert independent.low is not None
    assert independent.low < 0 < (independent.high or 0)
    assert kappa(graded({(R, R): 30})) == NOTHING_MEASURED
    assert kappa([]) == NOTHING_MEASURED
    assert kappa(graded(TABLE, families=5)).low is None


def test_completions_of_one_family_go_together() -> None:
    """The same table in ten copies of each completion within its family tells no more than one copy."""
    once = graded(TABLE, families=100)
    tenfold = [Graded(f"{r.id}.{i}", r.truth, r.judged, r.family) for r in once for i in range(10)]
    assert (kappa(tenfold).value, kappa(tenfold).low) == (kappa(once).value, kappa(once).low)


@given(st.permutations(range(100)))
def test_kappa_depends_on_no_order(order: list[int]) -> None:
    rows = graded(TABLE)
    assert kappa([rows[i] for i in order]) == kappa(rows)


def test_rogan_gladen_by_hand() -> None:
    """(0.5 + 0.9 - 1) / (0.8 + 0.9 - 1) = 4 / 7."""
    rate = corrected_rate(wilson(50, 100), wilson(80, 100), wilson(90, 100))
    assert rate.value == pytest.approx(4 / 7)
    assert rate.n == 100


def test_lang_and_reiczigel_by_hand() -> None:
    """Their equations at n = 100, x = 50, 80 of 100 and 90 of 100, worked with a calculator."""
    rate = corrected_rate(wilson(50, 100), wilson(80, 100), wilson(90, 100))
    # p' = 0.5, n' = 103.8415; Se' = 81/102 = 0.794118; Sp' = 91/102 = 0.892157; Youden 0.686275; centre 0.571429
    # v_Se = 0.794118 * 0.205882 / 102 = 0.00160289; v_Sp = 0.892157 * 0.107843 / 102 = 0.00094326
    # shift = 2 * 3.841459 * (0.571429 * v_Se - 0.428571 * v_Sp) = 0.0039312
    # half = 1.959964 * sqrt(0.00240752 + 0.326531 * v_Se + 0.183673 * v_Sp) / 0.686275 = 0.158934
    assert rate.low == pytest.approx(0.571429 + 0.0039312 - 0.158934, abs=2e-4)
    assert rate.high == pytest.approx(0.571429 + 0.0039312 + 0.158934, abs=2e-4)


def test_a_perfect_judge_on_a_large_yardstick_changes_little() -> None:
    raw = wilson(30, 100)
    rate = corrected_rate(raw, wilson(100_000, 100_000), wilson(100_000, 100_000))
    assert rate.value == pytest.approx(0.3)
    assert (rate.low, rate.high) == (pytest.approx(raw.low, abs=0.01), pytest.approx(raw.high, abs=0.01))


def test_a_judge_no_better_than_chance_corrects_nothing() -> None:
    assert corrected_rate(wilson(5, 10), wilson(50, 100), wilson(50, 100)) == NOTHING_MEASURED
    assert corrected_rate(wilson(5, 10), wilson(10, 100), wilson(20, 100)) == NOTHING_MEASURED
    assert corrected_rate(NOTHING_MEASURED, wilson(9, 10), wilson(9, 10)) == NOTHING_MEASURED
    assert corrected_rate(wilson(5, 10), NOTHING_MEASURED, wilson(9, 10)) == NOTHING_MEASURED
    assert corrected_rate(wilson(1, 2), wilson(1, 1), wilson(1, 9)).low is None  # better than chance only in the sample


@given(
    st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
)
def test_always_a_share_inside_its_interval(raw: tuple[int, int], se: tuple[int, int], sp: tuple[int, int]) -> None:
    rate = corrected_rate(wilson(*raw), wilson(*se), wilson(*sp))
    if rate.value is not None:
        assert 0 <= rate.value <= 1
        assert rate.low is None or 0 <= rate.low <= rate.value <= (rate.high or 0) <= 1


@pytest.mark.parametrize(
    ("prevalence", "se", "sp", "n", "n_yardstick"),
    [(0.9, 0.97, 0.9, 24, 100), (0.5, 0.9, 0.8, 20, 60), (0.1, 0.95, 0.95, 40, 120), (0.97, 0.99, 0.97, 57, 150)],
)
def test_intervals_hold_the_truth_about_95_times_in_100(
    prevalence: float, se: float, sp: float, n: int, n_yardstick: int
) -> None:
    random, draws = np.random.default_rng(7), 1000
    held = 0
    for _ in range(draws):
        apparent = random.binomial(n, prevalence * se + (1 - prevalence) * (1 - sp))
        found = corrected_rate(
            wilson(int(apparent), n),
            wilson(int(random.binomial(n_yardstick, se)), n_yardstick),
            wilson(int(random.binomial(n_yardstick, sp)), n_yardstick),
        )
        assert found.low is not None
        assert found.high is not None
        held += found.low <= prevalence <= found.high
    assert held / draws >= 0.93


def test_the_interval_carries_the_judges_uncertainty() -> None:
    def width(figure: Figure) -> float:
        assert figure.low is not None
        assert figure.high is not None
        return figure.high - figure.low

    few, many = (corrected_rate(wilson(50, 100), wilson(8 * k, 10 * k), wilson(9 * k, 10 * k)) for k in (2, 200))
    assert width(few) > 1.2 * width(many)
