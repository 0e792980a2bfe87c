import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep

from backend.audit.results import NOTHING_MEASURED
from backend.audit.stats.bootstrap import FEWEST_CLUSTERS, cluster_bootstrap
from backend.audit.stats.paired import mcnemar, paired_bootstrap, paired_difference
from backend.audit.stats.rates import wilson
from backend.audit.stats.recovery import difference_of_figures

counts = st.integers(0, 30)


def outcomes(both: int, only_a: int, only_b: int, neither: int) -> tuple[list[bool], list[bool]]:
    a = [True] * (both + only_a) + [False] * (only_b + neither)
    return a, [True] * both + [False] * only_a + [True] * only_b + [False] * neither


# -- McNemar -------------------------------------------------------------------------------------------------------


def test_mcnemar_by_hand() -> None:
    assert mcnemar(5, 0) == pytest.approx(2 / 32)
    assert mcnemar(1, 6) == pytest.approx(2 * (1 + 7) / 128)
    assert mcnemar(3, 3) == mcnemar(0, 0) == 1
    with pytest.raises(ValueError, match="not a count"):
        mcnemar(-1, 2)


@given(counts, counts)
def test_mcnemar_agrees_with_statsmodels(b: int, c: int) -> None:
    assert mcnemar(b, c) == pytest.approx(their_mcnemar([[7, b], [c, 9]], exact=True).pvalue)
    assert mcnemar(b, c) == mcnemar(c, b)


# -- differences of shares -----------------------------------------------------------------------------------------


def test_the_paired_difference_of_a_textbook() -> None:
    # Altman et al., Statistics with Confidence (2nd ed.), table 6.2: 14 both, 5 one way, 0 the other, 22 neither.
    figure = paired_difference(*outcomes(14, 5, 0, 22))
    assert figure.value == pytest.approx(5 / 41)
    assert [figure.low, figure.high] == pytest.approx([0.011, 0.226], abs=6e-4)


def plain_newcombe(e: int, f: int, g: int, h: int) -> tuple[float, float]:
    """Newcombe 1998, Stat. Med. 17:2635, method 10, in the paper's letters, from statsmodels' Wilson intervals."""
    from statsmodels.stats.proportion import proportion_confint

    n = e + f + g + h
    (l2, u2), (l3, u3) = (proportion_confint(x, n, method="wilson") for x in (e + f, e + g))
    product = (e + f) * (g + h) * (e + g) * (f + h)
    a = e * h - f * g
    c = max(a - n / 2, 0) if a > 0 else a
    phi = c / math.sqrt(product) if product else 0.0
    dl2, du2, dl3, du3 = (e + f) / n - l2, u2 - (e + f) / n, (e + g) / n - l3, u3 - (e + g) / n
    delta = math.sqrt(max(0, dl2**2 - 2 * phi * dl2 * du3 + du3**2))
    epsilon = math.sqrt(max(0, du2**2 - 2 * phi * du2 * dl3 + dl3**2))
    return (f - g) / n - delta, (f - g) / n + epsilon


@given(counts, counts, counts, counts.filter(lambda n: n > 0))
def test_the_paired_difference_agrees_with_the_paper_s_letters(e: int, f: int, g: int, h: int) -> None:
    a, b = outcomes(e, f, g, h)
    figure, mirrored = paired_difference(a, b), paired_difference(b, a)
    assert [figure.low, figure.high] == pytest.approx(plain_newcombe(e, f, g, h), abs=1e-9)
    assert figure.low is not None
    assert figure.high is not None
    assert -1 <= figure.low < figure.high <= 1
    assert mirrored.value == pytest.approx(-(figure.value or 0), abs=1e-12)
    assert mirrored.low == pytest.approx(-figure.high, abs=1e-9)
    assert figure.n == e + f + g + h


def test_pairing_narrows_what_goes_together() -> None:
    paired = paired_difference(*outcomes(30, 8, 2, 30))
    apart = difference_of_figures(wilson(38, 70), wilson(32, 70))
    assert paired.value == pytest.approx(apart.value)
    assert paired.high - paired.low < apart.high - apart.low


@given(counts.filter(lambda n: n > 0), st.floats(0, 1), counts.filter(lambda n: n > 0), st.floats(0, 1))
def test_unpaired_shares_agree_with_statsmodels(n_a: int, share_a: float, n_b: int, share_b: float) -> None:
    a, b = round(share_a * n_a), round(share_b * n_b)
    figure = difference_of_figures(wilson(a, n_a), wilson(b, n_b))
    theirs = confint_proportions_2indep(a, n_a, b, n_b, compare="diff", method="newcomb")
    assert [figure.low, figure.high] == pytest.approx(theirs, abs=1e-9)
    assert figure.n == n_a + n_b


def test_unpaired_shares_of_the_paper() -> None:
    # Newcombe 1998, Stat. Med. 17:873, table II (a): 56/70 less 48/80, method 10: 0.0524 to 0.3339.
    figure = difference_of_figures(wilson(56, 70), wilson(48, 80))
    assert [figure.value, figure.low, figure.high] == pytest.approx([0.2, 0.0524, 0.3339], abs=5e-5)


def test_nothing_is_measured_without_a_sample() -> None:
    assert paired_difference([], []) == NOTHING_MEASURED
    assert difference_of_figures(wilson(0, 0), wilson(1, 2)) == NOTHING_MEASURED
    assert paired_bootstrap([], [], [], "mean", seed=0) == NOTHING_MEASURED
    with pytest.raises(ValueError, match="outcomes"):
        paired_difference([True], [])


# -- bootstrap -----------------------------------------------------------------------------------------------------

values = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 9)), min_size=1, max_size=40)


@settings(deadline=None, max_examples=30)
@given(values)
def test_the_paired_mean_is_the_mean_of_differences(rows: list[tuple[int, int, int]]) -> None:
    a, b, clusters = ([float(row[i]) for row in rows] for i in range(3))
    ours = paired_bootstrap(a, b, clusters, "mean", seed=3)
    theirs = cluster_bootstrap([x - y for x, y in zip(a, b, strict=True)], clusters, "mean", seed=3)
    assert ours.value == pytest.approx(theirs.value)
    assert (ours.low is None) == (theirs.low is None)
    if ours.low is not None:
        assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high])


def test_the_paired_median_is_a_difference_of_medians_over_the_same_resamples() -> None:
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=30), generator.normal(size=30)
    clusters = [i // 2 for i in range(30)]
    ours = paired_bootstrap(a.tolist(), b.tolist(), clusters, "median", seed=1, draws=20000)
    groups = [np.arange(2 * c, 2 * c + 2) for c in range(15)]
    plain = []
    for _ in range(20000):
        rows = np.concatenate([groups[c] for c in generator.integers(0, 15, 15)])
        plain.append(np.median(a[rows]) - np.median(b[rows]))
    tail = scipy_stats.norm.cdf(-math.sqrt(15 / 14) * scipy_stats.t.ppf(0.975, 14))
    assert ours.value == pytest.approx(np.median(a) - np.median(b))
    assert [ours.low, ours.high] == pytest.approx(np.quantile(plain, [tail, 1 - tail]), abs=0.06)


def test_no_paired_interval_where_none_would_be_honest() -> None:
    few = [float(i) for i in range(FEWEST_CLUSTERS - 1)]
    assert paired_bootstrap(few, [0.0] * len(few), few, "mean", seed=0).low is None
    assert paired_bootstrap([1.0] * 9, [0.0] * 9, list(range(9)), "mean", seed=0).low is None
    with pytest.raises(ValueError, match="pairs"):
        paired_bootstrap([1.0], [1.0, 2.0], [0], "mean", seed=0)
