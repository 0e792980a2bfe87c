"""The sets an audit claims to be causal, and pools of their features. Knows results alone."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil

from backend.audit.results import MinimalSet, PromptResult

Claim = tuple[PromptResult, MinimalSet]


def claimed_set(result: PromptResult) -> MinimalSet | None:
    """The set that is claimed to cause a prompt's refusal; None when none was confirmed."""
    return smallest_confirmed(result.minimal_sets)


def smallest_confirmed(sets: Iterable[MinimalSet]) -> MinimalSet | None:
    """The smallest minimal set of a prompt that complied by generation; of equals the first by name."""
    confirmed = [s for s in sets if s.confirmed]
    return min(confirmed, key=lambda s: (len(s.features), s.features), default=None)


def claims_of(results: Iterable[PromptResult]) -> list[Claim]:
    """The prompts that have a claimed set, each with it."""
    return [(result, one) for result in results if (one := claimed_set(result)) is not None]


def distinct(claims: Sequence[Claim]) -> list[Claim]:
    """Each claimed set once, with the first prompt it is claimed on; those claimed on most prompts first."""
    counts = Counter(one.features for _, one in claims)
    first = {one.features: (result, one) for result, one in reversed(claims)}
    return sorted(first.values(), key=lambda claim: (-counts[claim[1].features], claim[1].features))


def commonest_first(sets: Sequence[frozenset[str]]) -> list[str]:
    """Every feature of some sets, that of most sets first, of equals the first by name."""
    counts = Counter(f for s in sets for f in s)
    return [f for f, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def features_that_hold(sets: Sequence[frozenset[str]], share: float) -> tuple[str, ...]:
    """The fewest of the commonest features that hold `share` of the sets whole; none without sets."""
    ranked = commonest_first(sets)
    for m in range(1, len(ranked) + 1):
        held = set(ranked[:m])
        if sum(s <= held for s in sets) >= ceil(share * len(sets)):
            return tuple(ranked[:m])
    return tuple(ranked)
