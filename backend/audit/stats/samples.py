"""What every estimate starts from: samples checked to be finite, and the normal quantile of a 95 % interval."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

Z = float(ndtri(0.975))


def finite(values: Sequence[float] | ArrayLike, name: str) -> Floats:
    """The values as a flat array. Raises ValueError, naming them, when one is not finite."""
    x = np.asarray(values, dtype=np.float64).reshape(-1)
    if not np.isfinite(x).all():
        raise ValueError(f"{name}: every value must be finite")
    return x


def finite_pairs(
    values_a: Sequence[float], values_b: Sequence[float], clusters: Sequence[Hashable]
) -> tuple[Floats, Floats]:
    """Both samples of the same units. Raises ValueError when lengths differ or a value is not finite."""
    a, b = finite(values_a, "values_a"), finite(values_b, "values_b")
    if not len(a) == len(b) == len(clusters):
        raise ValueError(f"pairs: {len(a)} values of a, {len(b)} of b and {len(clusters)} clusters")
    return a, b


def numbered(clusters: Sequence[Hashable]) -> tuple[NDArray[np.intp], int]:
    """The number of each value's cluster, in the order of their sorted names, and how many clusters there are."""
    names = {name: i for i, name in enumerate(sorted(set(clusters), key=lambda c: (str(type(c)), str(c))))}
    return np.array([names[c] for c in clusters], dtype=np.intp), len(names)
