"""Rates and the area under a curve, with score intervals. Knows counts and scores; knows no prompt."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq

from backend.audit.results import NOTHING_MEASURED, Figure
from backend.audit.stats.samples import Z, finite


def wilson(successes: float, n: int) -> Figure:
    """A rate with Wilson's score interval (Wilson 1927, J. Am. Stat. Assoc. 22); never of zero width.

    successes may be fractional: the sum of n shares (Wilson's interval is then conservative).

    Raises ValueError when successes is not in 0..n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes: {successes} is not between 0 and n = {n}")
    if n == 0:
        return NOTHING_MEASURED
    rate = successes / n
    centre = (rate + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(rate * (1 - rate) / n + Z**2 / (4 * n**2))
    # Exact at the ends, where rounding would leave 1e-17.
    low = 0.0 if successes == 0 else float(centre - half)
    high = 1.0 if successes == n else float(centre + half)
    return Figure(rate, low, high, n)


def auc(scores_positive: Sequence[float], scores_negative: Sequence[float]) -> Figure:
    """Chance that a random positive scores above a random negative, ties counting half (Mann-Whitney).

    Interval: Newcombe's score method (2006, Stat. Med. 25:559, method 5) on Hanley and McNeil's variance: the values
    theta with |estimate - theta| <= z sd(theta). Inside [0, 1] always, and not of zero width at perfect separation as
    DeLong's is. n counts both samples. Nothing is measured when either sample is empty.
    """
    positive, negative = finite(scores_positive, "scores_positive"), finite(scores_negative, "scores_negative")
    m, n = len(positive), len(negative)
    if m == 0 or n == 0:
        return NOTHING_MEASURED
    ascending = np.sort(negative)
    below, not_above = (np.searchsorted(ascending, positive, side) for side in ("left", "right"))
    estimate = float((below + not_above).sum() / (2 * m * n))
    return Figure(estimate, _auc_low(estimate, m, n), 1 - _auc_low(1 - estimate, m, n), m + n)


def _auc_low(estimate: float, m: int, n: int) -> float:
    """Lower end of Newcombe's interval; the upper one is its mirror image."""
    if estimate <= 0:
        return 0.0

    def excess(theta: float) -> float:
        variance = theta * (1 - theta) / (m * n)
        variance *= 1 + ((m + n) / 2 - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return (estimate - theta) ** 2 - Z**2 * variance

    # The excess is > 0 at 0 and < 0 just below an estimate of 1, where theta = 1 is a root too but not the one wanted.
    return float(brentq(excess, 0.0, min(estimate, 1 - 1e-12)))
