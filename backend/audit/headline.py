"""Whose results make headline figures, refused harmful prompts of the test split, and means over them. Knows results
alone."""

from collections.abc import Callable, Sequence
from typing import Literal

from backend.audit.results import Figure, PromptResult
from backend.audit.splits import TestRows, of_split, require_test
from backend.audit.stats.bootstrap import cluster_bootstrap

Measure = Callable[[PromptResult], float | None]


def headline(results: TestRows[PromptResult]) -> TestRows[PromptResult]:
    """Refused harmful prompts of the test split. Raises ValueError when the results are of another."""
    return of_split((r for r in require_test(results) if r.controls is not None), "test")


def over_prompts(
    rows: Sequence[PromptResult], measure: Measure, statistic: Literal["mean", "median"], seed: int
) -> Figure:
    """Mean or median over the prompts that have the measure, resampled by family."""
    measured = [(r.family, value) for r in rows if (value := measure(r)) is not None]
    return cluster_bootstrap([v for _, v in measured], [f for f, _ in measured], statistic, seed=seed)
