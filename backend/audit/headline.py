"""Whose results make headline figures: refused harmful prompts of the test split. Knows results alone."""

from backend.audit.results import PromptResult
from backend.audit.splits import TestRows, of_split, require_test


def headline(results: TestRows[PromptResult]) -> TestRows[PromptResult]:
    """Refused harmful prompts of the test split. Raises ValueError when the results are of another."""
    return of_split((r for r in require_test(results) if r.controls is not None), "test")
