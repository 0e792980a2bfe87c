"""Swaps of paired values: exact by enumeration, uniform under the null, by cluster."""

from itertools import product

import numpy as np
import pytest

from backend.audit.stats.permutation import paired_swaps

A, B = [5.0, 4.0, 6.0, 7.0, 3.0, 8.0], [1.0, 4.5, 2.0, 3.0, 3.5, 2.0]


def enumerated(statistic: str) -> float:
    """Every swap, one by one."""
    over = np.mean if statistic == "mean" else np.median
    observed, as_far, swaps = abs(over(A) - over(B)), 0, list(product([False, True], repeat=len(A)))
    for swap in swaps:
        one = [b if s else a for s, a, b in zip(swap, A, B, strict=True)]
        two = [a if s else b for s, a, b in zip(swap, A, B, strict=True)]
        as_far += abs(over(one) - over(two)) >= observed - 1e-12
    return as_far / len(swaps)


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_it_agrees_with_every_swap_enumerated(statistic: str) -> None:
    p = paired_swaps(A, B, range(len(A)), statistic, seed=1, draws=40_000)  # type: ignore[arg-type]
    assert p == pytest.approx(enumerated(statistic), abs=0.01)
    assert p == paired_swaps(A, B, range(len(A)), statistic, seed=1, draws=40_000)  # type: ignore[arg-type]


def test_families_are_swapped_whole() -> None:
    a, b = [1.0] * 6, [0.0] * 6
    assert paired_swaps(a, b, range(6), "mean", seed=0) == pytest.approx(2 / 2**6, abs=0.01)
    assert paired_swaps(a, b, [0, 0, 0, 1, 1, 1], "mean", seed=0) == pytest.approx(1 / 2, abs=0.03)


def test_equal_audits_and_no_pairs_differ_not() -> None:
    assert paired_swaps(A, A, range(6), "median", seed=0) == 1.0
    assert paired_swaps([], [], [], "mean", seed=0) == 1.0


def test_under_the_null_small_p_are_as_rare_as_they_should_be() -> None:
    rng = np.random.default_rng(0)
    ps = [paired_swaps(*rng.normal(size=(2, 15)), range(15), "mean", seed=i, draws=199) for i in range(400)]
    assert np.mean(np.array(ps) <= 0.05) == pytest.approx(0.05, abs=0.03)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="pairs"):
        paired_swaps([1.0], [1.0, 2.0], [0], "mean", seed=0)
