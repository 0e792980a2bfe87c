"""What a sample can show at all: the smallest difference that it detects with 80 % power. Knows numbers alone."""

from functools import lru_cache
from math import inf

import numpy as np
from scipy.special import bdtr

POWER = 0.8
LEVEL = 0.05


@lru_cache(1024)  # a comparison asks for the same sizes over and over
def detectable_difference(n: int, *, discordant: float = 0.0) -> float:
    """Smallest difference of two paired rates that McNemar's exact test at 5 % detects with 80 % power at n pairs.

    discordant: expected share of pairs whose outcome differs, when it is more than the difference itself; at 0 every
    pair that differs goes the same way, the best case. `inf` when no difference is large enough (n < 6).
    Raises ValueError when discordant is outside [0, 1].
    """
    if not 0 <= discordant <= 1:
        raise ValueError(f"discordant: {discordant} is not a share")

    def found(difference: float) -> bool:
        return mcnemar_power(n, difference, discordant=discordant) >= POWER

    if not found(1.0):
        return inf
    low, high = 0.0, 1.0  # the power rises with the difference
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high


def mcnemar_power(n: int, difference: float, *, discordant: float = 0.0) -> float:
    """Chance that McNemar's exact test at 5 % rejects, by enumeration: of n pairs Binomial(n, share) differ, and of
    these each goes the larger way with probability (share + difference) / (2 share)."""
    share = max(discordant, difference)
    if n == 0 or share == 0:
        return 0.0
    larger = (share + difference) / (2 * share)
    differing = np.arange(n + 1)
    # Rejected when the smaller count is at most `most`: 2 P(X <= most) <= 5 %; -1 where even 0 does not suffice.
    most = np.array([_largest_rejected(int(m)) for m in differing])
    rejected = np.where(most < 0, 0.0, bdtr(most, differing, 1 - larger) + bdtr(most, differing, larger))
    chances = np.diff(bdtr(differing, n, share), prepend=0.0)
    return float((chances * rejected).sum())


@lru_cache(4096)
def _largest_rejected(differing: int) -> int:
    """Largest smaller count at which the test rejects; -1 when it never does."""
    return int((2 * bdtr(np.arange(differing + 1), differing, 0.5) <= LEVEL).sum()) - 1


def power_sentence(n: int, *, discordant: float = 0.0) -> str:
    """What a comparison of n pairs can show, in words that stand beside a difference that was not found."""
    smallest = detectable_difference(n, discordant=discordant)
    if smallest == inf:
        return f"With {n} prompts no difference of rates, however large, could be told from chance."
    kind = (
        "if all changes go one way" if discordant < smallest else f"if {100 * discordant:.0f} % of the prompts change"
    )
    points = f"{100 * smallest:.0f} points"
    return f"With {n} prompts a difference of {points} would be found in 4 of 5 such comparisons, {kind}."
