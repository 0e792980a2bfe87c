import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from backend.audit.results import NOTHING_MEASURED
from backend.audit.stats.rates import auc, wilson


def test_wilson_by_hand():
    # 8 of 10, z = 1.959964: centre (0.8 + 3.8415/20)/(1.38415), half 1.95996/1.38415 * sqrt(0.016 + 3.8415/400)
    figure = wilson(8, 10)
    assert figure.value == 0.8
    assert figure.low == pytest.approx(0.49016, abs=1e-5)
    assert figure.high == pytest.approx(0.94331, abs=1e-5)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(case):
    successes, n = case
    theirs = reference.binomtest(successes, n).proportion_ci(method="wilson")
    ours = wilson(successes, n)
    assert ours.low == pytest.approx(theirs.low, abs=1e-12)
    assert ours.high == pytest.approx(theirs.high, abs=1e-12)
    mirrored = wilson(n - successes, n)
    assert ours.low == pytest.approx(1 - mirrored.high, abs=1e-12)


def test_wilson_has_width_at_the_ends_and_no_value_without_data():
    assert wilson(0, 5).low == 0 < wilson(0, 5).high
    assert wilson(5, 5).high == 1 > wilson(5, 5).low
    assert wilson(0, 0) == NOTHING_MEASURED
    for bad in ((3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="successes"):
            wilson(*bad)


def test_wilson_covers():
    generator = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        rate = generator.uniform(0.05, 0.95)
        figure = wilson(int(generator.binomial(30, rate)), 30)
        hits += figure.low <= rate <= figure.high
    # Binomial(400, 0.95) lies in 366..391 with probability 0.9985.
    assert 366 <= hits <= 395


def test_auc_by_hand():
    # pairs: 3>1 3>2 2>1 (2=2 half) 5>1 5>2 -> 5.5 of 6
    assert auc([3, 2, 5], [1, 2]).value == pytest.approx(5.5 / 6)
    assert auc([1.0], []) == auc([], [1.0]) == NOTHING_MEASURED


scores = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=30)


@given(scores, scores)
def test_auc_agrees_with_scipy_and_mirrors(positive, negative):
    figure = auc(positive, negative)
    statistic = reference.mannwhitneyu(positive, negative, method="asymptotic").statistic
    assert figure.value == pytest.approx(statistic / (len(positive) * len(negative)), abs=1e-12)
    assert 0 <= figure.low <= figure.value + 1e-9
    assert figure.value - 1e-9 <= figure.high <= 1
    assert figure.low < figure.high
    mirrored = auc(negative, positive)
    assert figure.low == pytest.approx(1 - mirrored.high, abs=1e-9)
    rescaled = auc([math.exp(s) for s in positive], [math.exp(s) for s in negative])
    assert rescaled.value == pytest.approx(figure.value)


def delong_half_width(positive, negative):
    """DeLong's interval (Biometrics 1988), for comparison where it is sound: no perfect separation."""
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    variance = wins.mean(1).var(ddof=1) / len(positive) + wins.mean(0).var(ddof=1) / len(negative)
    return 1.96 * math.sqrt(variance)


def test_the_auc_interval_is_near_delongs_on_ordinary_data():
    generator = np.random.default_rng(4)
    positive, negative = generator.normal(1, 1, 200), generator.normal(0, 1, 300)
    figure = auc(positive.tolist(), negative.tolist())
    assert (figure.high - figure.low) / 2 == pytest.approx(delong_half_width(positive, negative), rel=0.1)


@pytest.mark.parametrize("distance", [0.0, 1.0, 2.5])
def test_the_auc_interval_covers(distance):
    generator = np.random.default_rng(5)
    truth = reference.norm.cdf(distance / math.sqrt(2))
    hits = 0
    for _ in range(400):
        figure = auc(generator.normal(distance, 1, 20).tolist(), generator.normal(0, 1, 15).tolist())
        hits += figure.low <= truth <= figure.high
    assert hits >= 366


def test_perfect_separation_keeps_its_doubt():
    small, large = auc([2.0] * 5, [1.0] * 5), auc([2.0] * 500, [1.0] * 500)
    assert small.value == small.high == 1
    assert small.low < 0.8 < 0.98 < large.low < 1
