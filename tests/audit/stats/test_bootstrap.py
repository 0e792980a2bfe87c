import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from backend.audit.results import NOTHING_MEASURED
from backend.audit.stats.bootstrap import FEWEST_CLUSTERS, cluster_bootstrap, r_squared

numbers = st.floats(-100, 100).map(lambda x: round(x, 3))


def clustered_sample(generator, n_clusters=25):
    """Standard normal cluster effects shared by 1 to 4 members, plus small noise of their own; mean and median 0."""
    sizes = generator.integers(1, 5, n_clusters)
    effects = np.repeat(generator.normal(size=n_clusters), sizes)
    return effects + 0.3 * generator.normal(size=sizes.sum()), np.repeat(np.arange(n_clusters), sizes)


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_the_cluster_bootstrap_covers(statistic):
    generator = np.random.default_rng(1)
    hits = 0
    for seed in range(400):
        values, clusters = clustered_sample(generator)
        figure = cluster_bootstrap(values.tolist(), clusters.tolist(), statistic, seed=seed, draws=600)
        hits += figure.low <= 0 <= figure.high
    assert 362 <= hits <= 395  # 0.905 to 0.988


def test_ignoring_clusters_would_not_cover():
    generator = np.random.default_rng(2)
    hits = 0
    for seed in range(400):
        values, _ = clustered_sample(generator)
        figure = cluster_bootstrap(values.tolist(), list(range(len(values))), seed=seed, draws=300)
        hits += figure.low <= 0 <= figure.high
    assert hits < 350  # shows that the test above can fail


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_the_bootstrap_agrees_with_a_plain_loop(statistic):
    generator = np.random.default_rng(3)
    values, clusters = clustered_sample(generator, 12)
    ours = cluster_bootstrap(values.tolist(), clusters.tolist(), statistic, seed=0, draws=20000)
    groups = [values[clusters == c] for c in range(12)]
    statistic_of = np.mean if statistic == "mean" else np.median
    plain = [statistic_of(np.concatenate([groups[c] for c in generator.integers(0, 12, 12)])) for _ in range(20000)]
    tail = reference.norm.cdf(-math.sqrt(12 / 11) * reference.t.ppf(0.975, 11))
    assert ours.value == pytest.approx(statistic_of(values))
    assert [ours.low, ours.high] == pytest.approx(np.quantile(plain, [tail, 1 - tail]), abs=0.05)
    assert ours.n == len(values)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(numbers, st.integers(0, 12)), min_size=1, max_size=40), st.randoms(), st.booleans())
def test_bootstrap_invariants(sample, random, median):
    statistic = "median" if median else "mean"
    values, clusters = [v for v, _ in sample], [c for _, c in sample]
    figure = cluster_bootstrap(values, clusters, statistic, seed=5, draws=200)
    random.shuffle(sample)
    again = cluster_bootstrap([v for v, _ in sample], [c for _, c in sample], statistic, seed=5, draws=200)
    moved = cluster_bootstrap([2 * v + 3 for v in values], clusters, statistic, seed=5, draws=200)
    assert again.value == pytest.approx(figure.value, abs=1e-9)
    assert moved.value == pytest.approx(2 * figure.value + 3, abs=1e-9)
    assert (figure.low is None) == (again.low is None)
    if figure.low is not None:
        assert min(values) - 1e-9 <= figure.low <= figure.high <= max(values) + 1e-9
        assert [again.low, again.high] == pytest.approx([figure.low, figure.high], abs=1e-9)
        assert [moved.low, moved.high] == pytest.approx([2 * figure.low + 3, 2 * figure.high + 3], abs=1e-9)


def test_no_interval_where_none_would_be_honest():
    assert cluster_bootstrap([], [], seed=0) == NOTHING_MEASURED
    one = cluster_bootstrap([2.0], ["a"], seed=0)
    assert (one.value, one.low, one.high, one.n) == (2.0, None, None, 1)
    few = FEWEST_CLUSTERS - 1
    assert cluster_bootstrap([float(i) for i in range(few)], list(range(few)), seed=0).low is None
    same_family = cluster_bootstrap([float(i) for i in range(50)], ["a"] * 50, seed=0)
    assert (same_family.low, same_family.n) == (None, 50)
    assert cluster_bootstrap([1.0] * 30, list(range(30)), "mean", seed=0).low is None
    constant = cluster_bootstrap([1.0] * 30, list(range(30)), "median", seed=0)
    assert (constant.low, constant.high) == (1.0, 1.0)


def test_bad_samples_are_refused():
    with pytest.raises(ValueError, match="clusters"):
        cluster_bootstrap([1.0, 2.0], ["a"], seed=0)
    with pytest.raises(ValueError, match="finite"):
        cluster_bootstrap([math.nan], ["a"], seed=0)


def test_r_squared_by_hand():
    # y = 1 2 3 (SST 2), predictions 1 2 4 (SSE 1)
    assert r_squared([1, 2, 3], [1, 2, 4], seed=0).value == pytest.approx(0.5)
    assert r_squared([1, 2, 3], [1, 2, 4], seed=0).low is None
    assert r_squared([2, 2, 2, 2], [1, 2, 3, 4], seed=0) == NOTHING_MEASURED
    assert r_squared([1.0], [1.0], seed=0) == NOTHING_MEASURED


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.1, 10), st.floats(-50, 50))
def test_r_squared_ignores_shift_and_scale(seed, scale, shift):
    generator = np.random.default_rng(seed)
    y = generator.normal(size=40)
    prediction = y + generator.normal(size=40)
    figure = r_squared(y, prediction, seed=1, draws=200)
    moved = r_squared(scale * y + shift, scale * prediction + shift, seed=1, draws=200)
    assert [moved.value, moved.low, moved.high] == pytest.approx([figure.value, figure.low, figure.high], abs=1e-6)
    assert figure.low <= figure.value <= figure.high <= 1


def test_the_r_squared_interval_covers_the_population_value():
    generator = np.random.default_rng(6)
    hits = 0
    for seed in range(300):
        signal = generator.normal(size=60)
        hits += (f := r_squared(signal + generator.normal(size=60), signal, seed=seed, draws=400)).low <= 0.5 <= f.high
    assert hits >= 268  # 0.893: R^2 is skewed and biased down in small samples
