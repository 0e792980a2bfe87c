"""Texts that share most of their words, joined into groups. Knows bags of words; knows no prompt.

Loads numpy and scipy, so whoever may do without it imports it late.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from scipy.sparse import csr_array

_BLOCK = 256  # rows compared at a time: 20,000 texts take some 200 MB


class Groups:
    """Disjoint sets of indices, each with a declared name or none; two different names never meet."""

    def __init__(self, names: Sequence[str | None]) -> None:
        self.label = np.arange(len(names))  # of every index, the index its group is called by
        self.names = list(names)  # by label

    def join(self, a: int, b: int) -> None:
        a, b = int(self.label[a]), int(self.label[b])
        if a != b and (None in (self.names[a], self.names[b]) or self.names[a] == self.names[b]):
            self.names[a] = self.names[a] or self.names[b]
            self.label[self.label == b] = a


def join_near_duplicates(bags: Sequence[frozenset[str]], threshold: Fraction, groups: Groups) -> None:
    """Join those with a Jaccard similarity of at least the threshold.

    All pairs are compared, a block of rows at a time: shared words are a product of sparse text-by-word matrices.
    """
    column = {word: index for index, word in enumerate(set().union(*bags))}
    size = np.array([len(bag) for bag in bags])
    words = np.array([column[word] for bag in bags for word in bag])
    has_word = csr_array((np.ones_like(words), words, np.concatenate(([0], size.cumsum()))))
    for start in range(0, len(bags), _BLOCK):
        block = slice(start, start + _BLOCK)
        shared = (has_word[block] @ has_word.T).toarray()
        either = size[block, None] + size - shared
        alike = shared * threshold.denominator >= either * threshold.numerator
        for index, row in enumerate(alike, start):
            others = groups.label[:index][row[:index]]
            while others.size:
                groups.join(others[0], index)
                others = others[others != others[0]]
