"""A sample of seconds as the few numbers that are reported."""

from collections.abc import Sequence
from statistics import median, quantiles


def spread(name: str, seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile, highest, and how many there were. Raises ValueError when there were none."""
    if not seconds:
        raise ValueError(f"{name}: nothing was measured")
    p95 = quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    return {
        f"{name}_p50": median(seconds),
        f"{name}_p95": p95,
        f"{name}_highest": max(seconds),
        f"{name}_n": len(seconds),
    }
