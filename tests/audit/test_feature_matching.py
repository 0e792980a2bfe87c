"""Decoder rows matched by cosine: planted partners are found, and nothing else is."""

import numpy as np
import pytest

from backend.audit.feature_matching import BLOCK, match_decoders


def rows(n: int, seed: int, width: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def test_a_shuffled_scaled_noisy_dictionary_is_found_again() -> None:
    a, order = rows(50, 0), np.random.default_rng(1).permutation(50)
    b = 3.0 * a[order] + 0.1 * rows(50, 2)
    found = match_decoders(7, a, b)
    assert found.layer == 7
    assert [(int(order[j]), i) for i, j, _ in found.pairs] == [(i, i) for i in range(50)]
    assert min(cosine for _, _, cosine in found.pairs) > 0.98


def test_random_dictionaries_share_nothing() -> None:
    found = match_decoders(1, rows(40, 0), rows(60, 1))
    assert (found.pairs, found.n_a, found.n_b) == ((), 40, 60)


def test_a_match_is_mutual_and_one_to_one() -> None:
    one = np.array([[1, 0], [1, 0.1]], dtype=np.float32)
    other = np.array([[1, 0.02]], dtype=np.float32)
    assert [(i, j) for i, j, _ in match_decoders(1, one, other).pairs] == [(0, 0)]  # the nearer of the two


def test_opposite_and_empty_rows_match_nothing() -> None:
    a = np.array([[1, 0], [0, 0]], dtype=np.float32)
    b = np.array([[-1, 0], [0, 0]], dtype=np.float32)
    assert match_decoders(1, a, b).pairs == ()


def test_the_threshold_decides() -> None:
    a, b = np.array([[1, 0]], dtype=np.float32), np.array([[0.6, 0.8]], dtype=np.float32)
    assert match_decoders(1, a, b).pairs == ()
    assert [pair[:2] for pair in match_decoders(1, a, b, 0.5).pairs] == [(0, 0)]


def test_blocks_make_no_difference() -> None:
    a = rows(BLOCK + 30, 3, 16)
    b = a[::-1].copy()
    found = match_decoders(1, a, b)
    assert [(i, j) for i, j, _ in found.pairs] == [(i, len(a) - 1 - i) for i in range(len(a))]


def test_other_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="residual stream"):
        match_decoders(1, rows(3, 0, 4), rows(3, 0, 5))
