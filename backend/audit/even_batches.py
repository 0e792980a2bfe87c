"""Cuts work into batches. Knows nothing of what is in them."""

from collections.abc import Iterator, Sequence
from math import ceil
from typing import TypeVar

T = TypeVar("T")


def even_batches(work: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """As few batches of at most `most` as will do, of nearly one size: a small last one would cost nearly as much."""
    n_batches = ceil(len(work) / most)
    for i in range(n_batches):
        yield work[i * len(work) // n_batches : (i + 1) * len(work) // n_batches]
