"""Counts over a report's prompts and features, for its figures. Pure functions of results."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backend.audit.claimed_sets import claimed_set
from backend.audit.results import PromptResult, Report
from backend.reports.outcomes import Outcome, outcome


@dataclass(frozen=True)
class LayerTally:
    """How a layer takes part. Sets and wakings are counted once a prompt and feature."""

    layer: int
    n_candidates: int  # reported features of it
    best_cosine: float
    in_minimal_sets: int
    woken: int


def set_sizes(prompts: Sequence[PromptResult]) -> dict[str, dict[int, int]]:
    """split -> size of the smallest confirmed minimal set -> prompts."""

    def size(prompt: PromptResult) -> int | None:
        smallest = claimed_set(prompt)
        return len(smallest.features) if smallest else None

    return _by_split(prompts, size)


def cascade_depths(prompts: Sequence[PromptResult]) -> dict[str, dict[int, int]]:
    """split -> cascade rounds until the flip -> prompts."""
    return _by_split(prompts, lambda prompt: prompt.cascade.depth if prompt.cascade else None)


def outcomes_by_category(prompts: Sequence[PromptResult]) -> dict[str, dict[Outcome, int]]:
    """category ("": none) -> what became of its prompts -> prompts."""
    counts: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for prompt in prompts:
        counts[prompt.category or ""][outcome(prompt)] += 1
    return {category: dict(counts[category]) for category in sorted(counts)}


def layers(report: Report) -> tuple[LayerTally, ...]:
    """Every layer with a reported feature, in order."""
    rows = defaultdict(list)
    for feature in report.features:
        rows[int(feature.id.partition(":")[0])].append(feature)
    return tuple(
        LayerTally(
            layer=layer,
            n_candidates=len(rows[layer]),
            best_cosine=max(f.cosine for f in rows[layer]),
            in_minimal_sets=sum(f.in_minimal_sets for f in rows[layer]),
            woken=sum(f.woken for f in rows[layer]),
        )
        for layer in sorted(rows)
    )


def _by_split(
    prompts: Sequence[PromptResult], value: Callable[[PromptResult], int | None]
) -> dict[str, dict[int, int]]:
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for prompt in prompts:
        if (found := value(prompt)) is not None:
            counts[prompt.split][found] += 1
    return {split: dict(sorted(count.items())) for split, count in counts.items()}
