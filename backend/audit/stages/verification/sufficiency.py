"""Stage 5, sufficiency: a claimed set put into benign prompts at its harmful size. Knows the engine by protocol.

Each feature is set to its mean harmful activation, its largest activation in scope averaged over the harmful prompts of
discovery and validation where it is active, at every token in scope. Beside it random sets, matched to it in activation
frequency and mean size, each at its own mean harmful activation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backend.audit.answers import Answers
from backend.audit.candidates import ActivationTable
from backend.audit.feature_sets import FeatureSet, matched_random_sets
from backend.audit.interventions import Intervention, Scope
from backend.audit.refusal.respond import Request
from backend.audit.results import NOTHING_MEASURED, Figure, Sufficiency
from backend.audit.spec import AuditedPrompt
from backend.audit.stats.bootstrap import cluster_bootstrap
from backend.audit.stats.rates import wilson
from backend.engine.protocol import Engine, Pair
from backend.subjects.sparse_autoencoder import FeatureId

SCREEN = -1.0  # at or below it the answer is taken not to be a refusal: none is generated


@dataclass(frozen=True)
class Added:
    """One set put into each benign prompt, and one random set into each; as it is checkpointed."""

    features: tuple[FeatureId, ...]
    values: tuple[float, ...]
    scores: tuple[float, ...]  # by prompt
    random: tuple[tuple[FeatureId, ...], ...]  # by prompt
    random_values: tuple[tuple[float, ...], ...]
    random_scores: tuple[float, ...]


def mean_harmful(table: ActivationTable, rows: Sequence[int], features: Sequence[FeatureId]) -> tuple[float, ...]:
    """Each feature's mean over the table's rows where it is active; 0 where it is active on none."""
    means = []
    for feature in features:
        active = [value for value in table.of(feature, rows) if value > 0]
        means.append(sum(active) / len(active) if active else 0.0)
    return tuple(means)


def add_set(
    engine: Engine,
    features: Sequence[FeatureId],
    benign: Sequence[AuditedPrompt],
    table: ActivationTable,
    harmful_rows: Sequence[int],
    avoid: FeatureSet,
    onset_ids: Sequence[int],
    scope: Scope,
    random: np.random.Generator,
) -> Added:
    """avoid: features that no random set holds, those that take part in refusal."""
    values = mean_harmful(table, harmful_rows, features)
    # Matched by how often and how strongly they fire at all: what is put in does not depend on the prompt.
    drawn = matched_random_sets(features, frozenset(), avoid, table, len(benign), random)
    others = tuple(tuple(sorted(one)) for one in drawn)
    other_values = tuple(mean_harmful(table, harmful_rows, one) for one in others)
    pairs = [Pair(p.tokens, _put_in(features, values, scope)) for p in benign]
    pairs += [
        Pair(p.tokens, _put_in(one, size, scope), reuse="nothing")
        for p, one, size in zip(benign, others, other_values, strict=True)
    ]
    scores = [score.value for score in engine.score(pairs, onset_ids)]
    n = len(benign)
    return Added(tuple(features), values, tuple(scores[:n]), others, other_values, tuple(scores[n:]))


def sufficiency_requests(added: Sequence[Added], benign: Sequence[AuditedPrompt], scope: Scope) -> Iterator[Request]:
    """Completions where the score does not rule a refusal out."""
    for i, one in enumerate(added):
        for j, audited in enumerate(benign):
            if one.scores[j] > SCREEN:
                yield Request(_name(audited, i, "set"), audited, _put_in(one.features, one.values, scope))
            if one.random_scores[j] > SCREEN:
                intervention = _put_in(one.random[j], one.random_values[j], scope)
                yield Request(_name(audited, i, "random"), audited, intervention)


def sufficiency(added: Sequence[Added], benign: Sequence[AuditedPrompt], answers: Answers, seed: int) -> Sufficiency:
    """Over prompts: each one's share, or mean, over the sets."""
    if not added or not benign:
        nothing = NOTHING_MEASURED
        return Sufficiency(0, len(benign), nothing, nothing, nothing, nothing, nothing, nothing)
    scores = np.array([one.scores for one in added])  # [sets, prompts]
    random_scores = np.array([one.random_scores for one in added])
    families = [p.prompt.family for p in benign]

    def refused(arm: str) -> Figure:
        responses = [answers.get(_name(p, i, arm)) for p in benign for i in range(len(added))]
        n = sum(response is not None and response.verdict == "refused" for response in responses)
        return wilson(n / len(added), len(benign))

    def positive(of: np.ndarray) -> Figure:
        return wilson(float((of > 0).sum()) / len(added), len(benign))

    def mean(of: np.ndarray) -> Figure:
        return cluster_bootstrap(of.mean(0), families, "mean", seed=seed)

    return Sufficiency(
        n_sets=len(added),
        n_prompts=len(benign),
        refused=refused("set"),
        refused_random=refused("random"),
        score_positive=positive(scores),
        score_positive_random=positive(random_scores),
        score=mean(scores),
        score_random=mean(random_scores),
    )


def _put_in(features: Sequence[FeatureId], values: Sequence[float], scope: Scope) -> Intervention:
    return Intervention(tuple(features), "mean", values=tuple(values), scope=scope)


def _name(audited: AuditedPrompt, number: int, arm: str) -> str:
    return f"{audited.prompt.id}/sufficiency/{number}/{arm}"
