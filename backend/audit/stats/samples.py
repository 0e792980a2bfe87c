"""What every estimate starts from: samples checked to be finite, and the normal quantile of a 95 % interval."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]

Z = float(norm.ppf(0.975))


def finite(values: Sequence[float] | ArrayLike, name: str) -> Floats:
    """The values as a flat array. Raises ValueError, naming them, when one is not finite."""
    x = np.asarray(values, dtype=np.float64).reshape(-1)
    if not np.isfinite(x).all():
        raise ValueError(f"{name}: every value must be finite")
    return x
