"""Means, medians and R^2 with bootstrap intervals. Knows numbers and the cluster each belongs to.

No interval is given where the sample allows none that would be honest: see `FEWEST_CLUSTERS`.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit

from backend.audit.results import NOTHING_MEASURED, Figure
from backend.audit.stats.samples import Floats, finite, numbered

FEWEST_CLUSTERS = 6
"""No resampled value lies outside the sample's own range, and for k draws of a symmetric distribution that range
misses the centre with probability 2^(1-k): below six clusters a bootstrap interval cannot reach 95 %."""


def cluster_bootstrap(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    statistic: Literal["mean", "median"] = "mean",
    *,
    seed: int,
    draws: int = 2000,
) -> Figure:
    """Mean or median of all values, with a bootstrap interval that resamples whole clusters (prompt families).

    The percentiles are widened for few clusters as Hesterberg (2015, Am. Stat. 69, "expanded percentile") does.
    n counts values. No interval: fewer than FEWEST_CLUSTERS clusters, or, for a mean, values all equal (nothing to
    resample; that rarer values are impossible cannot be told). The result depends neither on the order of the values
    nor on the clusters' names beyond the order in which the sorted names fall.
    Raises ValueError when lengths differ or a value is not finite.
    """
    x = finite(values, "values")
    if len(clusters) != len(x):
        raise ValueError(f"clusters: {len(clusters)} given for {len(x)} values")
    if len(x) == 0:
        return NOTHING_MEASURED
    estimate = float(np.mean(x) if statistic == "mean" else np.median(x))
    resamples = Resamples.of(clusters, seed=seed, draws=draws)
    if resamples is None or (statistic == "mean" and x.min() == x.max()):
        return Figure(estimate, None, None, len(x))
    low, high = resamples.interval(resamples.means(x) if statistic == "mean" else resamples.medians(x))
    return Figure(estimate, low, high, len(x))


@dataclass(frozen=True, eq=False)
class Resamples:
    """Resamples of whole clusters, to be applied to any values of their members."""

    member: NDArray[np.intp]  # cluster of each value [n]
    counts: Floats  # how often each cluster is drawn in each resample [draws, clusters]

    @classmethod
    def of(cls, clusters: Sequence[Hashable], *, seed: int, draws: int) -> "Resamples | None":
        """None when there are too few clusters for an honest interval."""
        member, n = numbered(clusters)
        return cls(member, _resample_counts(n, draws, seed)) if n >= FEWEST_CLUSTERS else None

    def means(self, x: Floats) -> Floats:
        """Mean of x [n] in each resample."""
        sums = np.bincount(self.member, weights=x, minlength=self.counts.shape[1])
        sizes = np.bincount(self.member, minlength=self.counts.shape[1])
        return np.asarray((self.counts @ sums) / (self.counts @ sizes))

    def medians(self, x: Floats) -> Floats:
        """Median of x [n] in each resample."""
        order = np.argsort(x, kind="stable")
        return _weighted_medians(x[order], self.counts[:, self.member[order]])

    def interval(self, resampled: Floats) -> tuple[float, float]:
        """95 % interval of a statistic from its resampled values."""
        return _expanded_percentiles(resampled, self.counts.shape[1])


def r_squared(
    y: Sequence[float] | ArrayLike, prediction: Sequence[float] | ArrayLike, *, seed: int, draws: int = 2000
) -> Figure:
    """1 - SSE / SST of a prediction on held-out data, <= 1, below 0 when the mean predicts better.

    Interval: percentile bootstrap over observations. Nothing is measured for fewer than two observations or a constant
    y, where R^2 is undefined; no interval below FEWEST_CLUSTERS observations.
    Raises ValueError when lengths differ or a value is not finite.
    """
    truth, guess = finite(y, "y"), finite(prediction, "prediction")
    if len(truth) != len(guess):
        raise ValueError(f"prediction: {len(guess)} given for {len(truth)} values of y")
    n = len(truth)
    if n < 2 or truth.min() == truth.max():
        return NOTHING_MEASURED
    centred = truth - truth.mean()
    squared_error = (truth - guess) ** 2
    estimate = float(1 - squared_error.sum() / (centred**2).sum())
    if n < FEWEST_CLUSTERS:
        return Figure(estimate, None, None, n)
    counts = _resample_counts(n, draws, seed)
    total = counts @ centred**2 - (counts @ centred) ** 2 / n
    varied = total > 1e-12 * (centred**2).sum()  # a resample of one value only has no R^2
    low, high = _expanded_percentiles(1 - (counts @ squared_error)[varied] / total[varied], n)
    return Figure(estimate, low, high, n)


def _resample_counts(k: int, draws: int, seed: int) -> Floats:
    """How often each of k units is drawn in each resample of size k, [draws, k]."""
    counts = np.random.default_rng(seed).multinomial(k, np.full(k, 1 / k), size=draws)
    return np.asarray(counts, dtype=np.float64)


def _weighted_medians(x: Floats, weights: Floats) -> Floats:
    """Medians of ascending x [n] under integer weights [draws, n]; the mean of the middle two when they are even."""
    reached = np.cumsum(weights, axis=1)
    half = reached[:, -1:] / 2
    lower = (reached >= half).argmax(axis=1)
    upper = (reached > half).argmax(axis=1)
    return np.asarray((x[lower] + x[upper]) / 2)


def _expanded_percentiles(resampled: Floats, k: int) -> tuple[float, float]:
    tail = float(ndtr(-np.sqrt(k / (k - 1)) * stdtrit(k - 1, 0.975)))
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return float(low), float(high)
