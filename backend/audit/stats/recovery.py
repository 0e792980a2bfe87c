"""Difference of two figures of which only estimate and interval are known. Knows figures; knows no sample."""

from math import sqrt

from scipy.special import ndtr

from backend.audit.results import NOTHING_MEASURED, Figure
from backend.audit.stats.samples import Z


def difference_of_figures(a: Figure, b: Figure) -> Figure:
    """Value of a less that of b, taken as independent: both 95 % intervals joined by square-and-add (MOVER: Zou &
    Donner 2008, Stat. Med. 27:1693; of two Wilson rates it is Newcombe's interval, 1998, Stat. Med. 17:873, method 10).
    An interval that leaves out its estimate counts as reaching up to it.

    n counts both samples. Nothing is measured when either is not; no interval when either has none.
    """
    if a.value is None or b.value is None:
        return NOTHING_MEASURED
    difference, n = a.value - b.value, a.n + b.n
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return Figure(difference, None, None, n)
    below = sqrt(max(0.0, a.value - a.low) ** 2 + max(0.0, b.high - b.value) ** 2)
    above = sqrt(max(0.0, a.high - a.value) ** 2 + max(0.0, b.value - b.low) ** 2)
    return Figure(difference, difference - below, difference + above, n)


def p_of_interval(difference: Figure) -> float | None:
    """Two-sided p that the difference is 0, read off its 95 % interval as if the side towards 0 were normal: below 5 %
    exactly when the interval leaves 0 out. None without an interval, and where it has no width on that side."""
    if difference.value is None or difference.low is None or difference.high is None:
        return None
    if difference.value == 0:
        return 1.0
    side = difference.value - difference.low if difference.value > 0 else difference.high - difference.value
    return None if side <= 0 else float(2 * ndtr(-Z * abs(difference.value) / side))
