"""p-values against random draws, and what remains of many of them. Knows numbers alone."""

from collections.abc import Sequence

import numpy as np

from backend.audit.stats.samples import finite


def empirical_p(observed: float, draws: Sequence[float]) -> float:
    """One-sided p of `observed` against draws under the null: (1 + draws >= observed) / (1 + draws).

    Never 0 (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9); 1 when there are no draws.
    """
    null = finite(draws, "draws")
    return (1 + int((null >= observed).sum())) / (1 + len(null))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """q-values in the order given: the smallest false discovery rate at which each counts as a discovery.

    Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57. Raises ValueError for a p outside [0, 1].
    """
    p = finite(p_values, "p_values")
    if ((p < 0) | (p > 1)).any():
        raise ValueError("p_values: each must be between 0 and 1")
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty_like(p)
    q[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return [float(value) for value in q]
