"""Two audits of the same prompts: is there a difference, and how large. Knows pairs of outcomes; knows no prompt.

Unpaired shares (different prompts) are compared here too.
"""

from collections.abc import Hashable, Sequence
from math import comb, sqrt
from typing import Literal, NamedTuple

import numpy as np

from backend.audit.results import NOTHING_MEASURED, Figure
from backend.audit.stats.bootstrap import Resamples
from backend.audit.stats.rates import wilson
from backend.audit.stats.samples import finite_pairs


def mcnemar(b: int, c: int) -> float:
    """Exact two-sided p of McNemar's test (1947, Psychometrika 12): of b + c pairs that differ, b went one way.

    Twice the smaller tail of Binomial(b + c, 1/2), at most 1; not the mid-p. 1 when no pair differs.
    Raises ValueError for a negative count.
    """
    if b < 0 or c < 0:
        raise ValueError(f"pairs: {min(b, c)} is not a count")
    smaller_tail = sum(comb(b + c, k) for k in range(min(b, c) + 1))  # in whole numbers, so without rounding
    return min(1.0, 2 * smaller_tail / (1 << (b + c)))


def paired_difference(a: Sequence[bool], b: Sequence[bool]) -> Figure:
    """Share true in `a` less share true in `b`, of the same units, with Newcombe's interval (1998, Stat. Med. 17:2635,
    method 10): Wilson's intervals of both shares joined, with the correlation phi corrected for continuity.

    n counts pairs, taken as independent. Within [-1, 1]; of zero width never, not even when no pair differs.
    Raises ValueError when lengths differ.
    """
    if len(a) != len(b):
        raise ValueError(f"b: {len(b)} outcomes for {len(a)} of a")
    n = len(a)
    if n == 0:
        return NOTHING_MEASURED
    both = sum(x and y for x, y in zip(a, b, strict=True))
    first, second = sum(a), sum(b)
    one, two = wilson(first, n), wilson(second, n)
    return _joined(one, two, _phi(both, first - both, second - both, n - first - second + both), n)


def paired_bootstrap(
    values_a: Sequence[float],
    values_b: Sequence[float],
    clusters: Sequence[Hashable],
    statistic: Literal["mean", "median"],
    *,
    seed: int,
    draws: int = 2000,
) -> Figure:
    """Mean or median of a less that of b over the same units, with a bootstrap interval that resamples whole clusters
    (prompt families), both audits at once, as `cluster_bootstrap` does. The difference of medians, not the median of
    differences.

    n counts pairs. No interval: fewer than FEWEST_CLUSTERS clusters, or, for means, differences all equal.
    Raises ValueError when lengths differ or a value is not finite.
    """
    a, b = finite_pairs(values_a, values_b, clusters)
    if len(a) == 0:
        return NOTHING_MEASURED
    over = np.mean if statistic == "mean" else np.median
    estimate = float(over(a) - over(b))
    resamples = Resamples.of(clusters, seed=seed, draws=draws)
    difference = a - b
    if resamples is None or (statistic == "mean" and difference.min() == difference.max()):
        return Figure(estimate, None, None, len(a))
    if statistic == "mean":
        low, high = resamples.interval(resamples.means(difference))
    else:
        low, high = resamples.interval(resamples.medians(a) - resamples.medians(b))
    return Figure(estimate, low, high, len(a))


def _joined(one: Figure, two: Figure, phi: float, n: int) -> Figure:
    """Newcombe's square-and-add of two shares whose estimates correlate by phi."""
    first, second = _ends(one), _ends(two)
    below = _side(first.estimate - first.low, second.high - second.estimate, phi)
    above = _side(first.high - first.estimate, second.estimate - second.low, phi)
    difference = first.estimate - second.estimate
    return Figure(difference, max(-1.0, difference - below), min(1.0, difference + above), n)


class _Ends(NamedTuple):
    estimate: float
    low: float
    high: float


def _ends(rate: Figure) -> _Ends:
    if rate.value is None or rate.low is None or rate.high is None:
        raise ValueError("difference: both shares need an interval")
    return _Ends(rate.value, rate.low, rate.high)


def _side(one: float, two: float, phi: float) -> float:
    return sqrt(max(0.0, one**2 - 2 * phi * one * two + two**2))


def _phi(both: int, only_a: int, only_b: int, neither: int) -> float:
    """Correlation of two outcomes, towards 0 by half a pair when positive; 0 when either outcome never varies."""
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if margins == 0:
        return 0.0
    excess = float(both * neither - only_a * only_b)
    if excess > 0:
        excess = max(0.0, excess - (both + only_a + only_b + neither) / 2)
    return excess / sqrt(margins)
