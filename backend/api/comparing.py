"""Stored reports compared, and kept while they are asked about. Knows artifacts by hash; knows no route."""

from functools import lru_cache
from pathlib import Path

from backend.audit.comparison_results import Comparisons
from backend.reports.report_json import report_from_json
from backend.store.artifacts import ArtifactStore


def compared(artifacts: ArtifactStore, reports: tuple[str, ...]) -> Comparisons:
    """The reports of these hashes, the first the reference. Raises DifferentPrompts.

    The same reports are compared once: what a hash names never changes.
    """
    return _compared(artifacts.folder, reports)


@lru_cache(maxsize=16)
def _compared(folder: Path, reports: tuple[str, ...]) -> Comparisons:
    from backend.audit.comparison import compare_all  # loads scipy, which no other route needs: the start is quicker

    artifacts = ArtifactStore(folder)
    texts = []
    for digest in reports:
        with artifacts.open(digest) as file:
            texts.append(file.read().decode("utf-8"))
    return compare_all([report_from_json(text) for text in texts])
