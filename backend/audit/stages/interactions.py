"""Stage 3: which refusal features interact. A factorisation machine (Rendle 2010) on ablation masks claims pairs; each
shown pair is then measured as a 2x2.

e(S) = s(none) - s(S ablated). e(AB) > e(A) + e(B): a backup pair, each covers for the other. e(AB) < e(A) + e(B): a
serial pair, either alone already breaks the path. Knows the engine by protocol.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from backend.audit.candidates import Candidates
from backend.audit.factorisation_machine import FactorisationFit, fit
from backend.audit.feature_sets import FeatureSet
from backend.audit.interventions import Scope, ablate
from backend.audit.results import TwoByTwo
from backend.audit.spec import AuditedPrompt
from backend.audit.stats.bootstrap import cluster_bootstrap
from backend.engine.protocol import Engine
from backend.engine.protocol import Pair as Evaluation
from backend.subjects.sparse_autoencoder import FeatureId

MASK_RATES = (0.1, 0.6)  # each mask ablates its own share of the pool, drawn from here
HELD_OUT = 0.25
CHUNK = 16  # masks scored between two reports of progress


@dataclass(frozen=True)
class Masked:
    """Ablation masks over a pool and the mean score each gave."""

    pool: tuple[FeatureId, ...]
    masks: np.ndarray  # [masks, pool] bool, True: ablated
    scores: np.ndarray  # [masks] mean refusal score over the prompts
    n_prompts: int


def choose_pool(candidates: Candidates, most: int) -> tuple[FeatureId, ...]:
    """Best candidates of every layer in turn, positive cosines only; dormant ones too, for backups are dormant."""
    depth = max((len(ranked) for ranked in candidates.by_layer.values()), default=0)
    in_turn = [
        ranked[rank].feature
        for rank in range(depth)
        for ranked in candidates.by_layer.values()
        if rank < len(ranked) and ranked[rank].cosine > 0
    ]
    return tuple(sorted(in_turn[:most]))


def score_masks(
    engine: Engine,
    prompts: Sequence[AuditedPrompt],
    pool: tuple[FeatureId, ...],
    n_masks: int,
    onset_ids: Sequence[int],
    scope: Scope,
    random: np.random.Generator,
    progress: Callable[[int, int], None],
) -> Masked:
    """Score random masks, each on every prompt; the first mask ablates nothing, the second everything."""
    rates = random.uniform(*MASK_RATES, size=(n_masks, 1))
    masks = random.random((n_masks, len(pool))) < rates
    masks[0], masks[1] = False, True
    scores: list[float] = []
    for start in range(0, n_masks, CHUNK):
        chunk = masks[start : start + CHUNK]
        sets = [frozenset(f for f, ablated in zip(pool, row, strict=True) if ablated) for row in chunk]
        pairs = [Evaluation(p.tokens, ablate(s, scope)) for s in sets for p in prompts]
        values = np.array([score.value for score in engine.score(pairs, onset_ids)])
        scores += values.reshape(len(chunk), len(prompts)).mean(1).tolist()
        progress(len(scores), n_masks)
    return Masked(pool, masks, np.array(scores), len(prompts))


def fit_masks(masked: Masked, seed: int) -> FactorisationFit:
    """The factorisation machine on some masks, judged on the held-out rest."""
    train = np.ones(len(masked.masks), dtype=bool)
    train[-int(len(train) * HELD_OUT) :] = False
    return fit(masked.masks, masked.scores, train, seed)


def measure_pair(
    engine: Engine,
    prompts: Sequence[AuditedPrompt],
    a: FeatureId,
    b: FeatureId,
    onset_ids: Sequence[int],
    scope: Scope,
    seed: int,
) -> TwoByTwo:
    """Scores with none, either and both ablated, and e(AB) - e(A) - e(B) with an interval over prompt families.

    prompts: held out from the fit, and with a or b active at baseline: elsewhere the pair cannot matter.
    """
    cells = [(), (a,), (b,), (a, b)]
    pairs = [Evaluation(p.tokens, ablate(cell, scope)) for cell in cells for p in prompts]
    scores = np.array([s.value for s in engine.score(pairs, onset_ids)]).reshape(4, len(prompts))
    families = [p.prompt.family for p in prompts]
    none, only_a, only_b, both = (cluster_bootstrap(list(row), families, "mean", seed=seed) for row in scores)
    # e(AB) - e(A) - e(B) = s(A) + s(B) - s(none) - s(AB)
    surplus = scores[1] + scores[2] - scores[0] - scores[3]
    interaction = cluster_bootstrap(list(surplus), families, "mean", seed=seed)
    return TwoByTwo(none, only_a, only_b, both, interaction, _kind(interaction.low, interaction.high))


def _kind(low: float | None, high: float | None) -> Literal["backup", "serial", "additive", "undecided"]:
    if low is None or high is None:
        return "undecided"
    if low > 0:
        return "backup"
    return "serial" if high < 0 else "additive"


def extended_set(features: FeatureSet, claimed: Sequence[tuple[FeatureId, FeatureId]]) -> FeatureSet:
    """A set with the partners that claimed pairs give its members."""
    partners = {b for a, b in claimed if a in features} | {a for a, b in claimed if b in features}
    return features | partners
