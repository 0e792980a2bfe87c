"""From prompts under perturbations to what is stable. Pure functions of results; knows no engine.

A prompt gives many rows, and they go together: every rate over several rows of a prompt is the mean of the prompts' own
shares, with Wilson's interval at n = prompts. That is never too narrow for them (a share in [0, 1] varies no more than
a yes or no), and it allows an interval where three prompts or a rate of 1 would leave a bootstrap none.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.audit.results import (
    NOTHING_MEASURED,
    FeatureStability,
    Figure,
    Perturbation,
    PerturbedPrompt,
    PromptResult,
    Stability,
)
from backend.audit.splits import TestRows, marked, require_test
from backend.audit.stats.bootstrap import cluster_bootstrap
from backend.audit.stats.rates import wilson
from backend.subjects.sparse_autoencoder import FeatureId

PLACEBO = "placebo"
NOT_OF_THE_TEXT = ("weights", "dictionary")


@dataclass(frozen=True)
class Tried:
    """A perturbation that was to be run."""

    name: str
    kind: str
    description: str
    skipped: str = ""  # why it was not; empty when it was


def summarise_stability(results: TestRows[PromptResult], tried: Sequence[Tried], seed: int) -> Stability:
    """Stability over the test prompts that were perturbed."""
    perturbed = [r for r in require_test(results) if r.perturbed]
    kinds = {one.name: one.kind for one in tried}

    def rows(result: PromptResult, *, placebo: bool, text_only: bool = False) -> list[PerturbedPrompt]:
        return [
            row
            for row in result.perturbed
            if (kinds[row.perturbation] == PLACEBO) == placebo
            and not (text_only and kinds[row.perturbation] in NOT_OF_THE_TEXT)
        ]

    stability = Stability(
        n_prompts=len(perturbed),
        perturbations=tuple(_perturbation(one, perturbed, seed) for one in tried),
        features=_features([(rows(r, placebo=False), rows(r, placebo=True)) for r in perturbed]),
        keep_rate=mean_share([_kept(row) for row in rows(r, placebo=False, text_only=True)] for r in perturbed),
        keep_rate_placebo=mean_share([_kept(row) for row in rows(r, placebo=True)] for r in perturbed),
        set_flips=mean_share([_flipped(row) for row in rows(r, placebo=False)] for r in perturbed),
    )
    return marked(stability, "test")


def mean_share(counts: Iterable[Sequence[tuple[int, int]]]) -> Figure:
    """Mean over prompts of the share of successes among all that a prompt's rows give, (successes, tried) a row;
    prompts that give none are left out."""
    totals = [(sum(s for s, _ in rows), sum(n for _, n in rows)) for rows in counts]
    shares = [successes / n for successes, n in totals if n]
    return wilson(min(sum(shares), len(shares)), len(shares))


def _perturbation(one: Tried, perturbed: Sequence[PromptResult], seed: int) -> Perturbation:
    rows = [(r, row) for r in perturbed for row in r.perturbed if row.perturbation == one.name]
    families = [r.family for r, _ in rows]
    verdicts = [row.response.verdict == "refused" for _, row in rows if row.response is not None]
    flips = [row.set_flips for _, row in rows if row.set_flips is not None]
    if not rows:
        nothing = NOTHING_MEASURED
        return Perturbation(one.name, one.kind, one.description, one.skipped, nothing, nothing, nothing, nothing)
    return Perturbation(
        name=one.name,
        kind=one.kind,
        description=one.description,
        skipped=one.skipped,
        refused=wilson(sum(verdicts), len(verdicts)),
        score_change=cluster_bootstrap([row.score - r.baseline.score for r, row in rows], families, seed=seed),
        jaccard=cluster_bootstrap([row.jaccard for _, row in rows], families, seed=seed),
        set_flips=wilson(sum(flips), len(flips)),
    )


def _features(
    rows_of_prompts: Sequence[tuple[Sequence[PerturbedPrompt], Sequence[PerturbedPrompt]]],
) -> tuple[FeatureStability, ...]:
    """Of every refusal feature active on some unperturbed prompt; rows come as (others, placebos) of each prompt."""
    counts: dict[str, list[tuple[list[tuple[int, int]], list[tuple[int, int]]]]] = defaultdict(list)
    for others, placebos in rows_of_prompts:
        known = {feature for row in (*others, *placebos) for feature in (*row.kept, *row.lost)}
        for feature in known:
            of_feature = [[(int(feature in row.kept), 1) for row in rows] for rows in (others, placebos)]
            counts[feature].append((of_feature[0], of_feature[1]))
    ordered = sorted(counts, key=lambda feature: (-len(counts[feature]), FeatureId.parse(feature)))
    return tuple(
        FeatureStability(
            feature=feature,
            n_prompts=len(counts[feature]),
            keep_rate=mean_share(others for others, _ in counts[feature]),
            keep_rate_placebo=mean_share(placebos for _, placebos in counts[feature]),
        )
        for feature in ordered
    )


def _kept(row: PerturbedPrompt) -> tuple[int, int]:
    return len(row.kept), len(row.kept) + len(row.lost)


def _flipped(row: PerturbedPrompt) -> tuple[int, int]:
    return int(row.set_flips is True), int(row.set_flips is not None)
