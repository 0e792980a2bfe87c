"""The same features in two dictionaries, found by decoder direction. Knows matrices; knows no file and no report.

For two SAEs of one layer of models whose residual streams share their axes: the same weights, or fine-tuned from them.
"""

import numpy as np
from numpy.typing import NDArray

from backend.audit.comparison_results import DecoderMatch

THRESHOLD = 0.7
"""Least cosine of a match: Paulo & Belrose (2501.16615, "Sparse autoencoders trained on the same data learn different
features") call features shared above it."""

BLOCK = 2048  # rows whose cosines are held at once


def match_decoders(
    layer: int, a: NDArray[np.float32], b: NDArray[np.float32], threshold: float = THRESHOLD
) -> DecoderMatch:
    """One-to-one matches of decoder rows a [n_a, d] and b [n_b, d]: each is the other's nearest by cosine, and that is
    at least the threshold.

    Mutual nearest neighbours instead of Paulo & Belrose's optimal assignment, which takes n^3 steps: a match that is
    not mutual has a nearer partner on one side. Rows of zeros match nothing. Raises ValueError when the widths differ.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(f"decoders: {a.shape} and {b.shape} are not of one residual stream")
    one, two = _unit(a), _unit(b)
    nearest_a, cosine_a = np.empty(len(one), dtype=np.intp), np.empty(len(one), dtype=np.float32)
    nearest_b, cosine_b = np.zeros(len(two), dtype=np.intp), np.full(len(two), -np.inf, dtype=np.float32)
    for start in range(0, len(one), BLOCK):
        cosines = one[start : start + BLOCK] @ two.T
        rows = slice(start, start + len(cosines))
        nearest_a[rows], cosine_a[rows] = cosines.argmax(axis=1), cosines.max(axis=1)
        best = cosines.max(axis=0)
        nearer = best > cosine_b
        nearest_b[nearer], cosine_b[nearer] = cosines.argmax(axis=0)[nearer] + start, best[nearer]
    pairs = tuple(
        (i, int(j), float(cosine))
        for i, (j, cosine) in enumerate(zip(nearest_a, cosine_a, strict=True))
        if cosine >= threshold and nearest_b[j] == i
    )
    return DecoderMatch(layer, pairs, len(one), len(two), threshold)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = np.divide(rows, lengths, out=np.zeros(rows.shape, dtype=np.float32), where=lengths > 0)
    return np.asarray(unit, dtype=np.float32)
