"""Could the two audits have changed places? Knows pairs of numbers and the cluster each belongs to."""

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np

from backend.audit.stats.samples import finite_pairs, numbered

DRAWS = 4999  # smallest p 0.0002
BLOCK = 1 << 20  # numbers held at once


def paired_swaps(
    values_a: Sequence[float],
    values_b: Sequence[float],
    clusters: Sequence[Hashable],
    statistic: Literal["mean", "median"],
    *,
    seed: int,
    draws: int = DRAWS,
) -> float:
    """Two-sided p that the mean or median of a and of b are the same, over the same units: a and b swapped in whole
    clusters at random (Fisher's randomisation of pairs, by cluster), the difference at least as far from 0.

    (1 + as far) / (1 + draws): never 0 (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9). 1 without pairs, and
    never below 2^(1-k) or so with k clusters, for there are no more distinct swaps. The order of the units is of no
    account. Raises ValueError when lengths differ or a value is not finite.
    """
    a, b = finite_pairs(values_a, values_b, clusters)
    if len(a) == 0:
        return 1.0
    member, n_clusters = numbered(clusters)
    rng = np.random.default_rng(seed)
    over = np.mean if statistic == "mean" else np.median
    observed = abs(float(over(a) - over(b)))
    bound = observed - 1e-9 * max(1.0, observed)  # a swap of everything is as far, whatever the order of the sum
    sums = np.bincount(member, weights=a - b) / len(a)
    as_far, left = 0, draws
    while left:
        rows = min(left, max(1, BLOCK // len(a)))
        swaps = rng.integers(0, 2, size=(rows, n_clusters), dtype=np.int8).astype(bool)
        if statistic == "mean":
            difference = (1.0 - 2.0 * swaps) @ sums
        else:
            swapped = swaps[:, member]
            difference = np.median(np.where(swapped, b, a), axis=1) - np.median(np.where(swapped, a, b), axis=1)
        as_far += int((np.abs(difference) >= bound).sum())
        left -= rows
    return (1 + as_far) / (1 + draws)
