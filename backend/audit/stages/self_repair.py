"""Stage 4: self-repair of an ablated set - how much of its direct effect later computation gives back, and by what.

Knows the engine by protocol.
"""

from collections.abc import Sequence

import torch

from backend.audit.after_ablation import dormant_now_active, onset_vectors
from backend.audit.feature_sets import FeatureSet
from backend.audit.interventions import Scope, ablate
from backend.audit.results import SelfRepair
from backend.engine.protocol import Evaluator, Observation, Pair
from backend.subjects.language_model import ChatTokens

SMALLEST_DIRECT_EFFECT = 0.25  # nats: below it compensation, a ratio to it, means nothing


def measure_self_repair(
    engine: Evaluator,
    prompt: ChatTokens,
    baseline: Observation,
    features: FeatureSet,
    onset_ids: Sequence[int],
    scope: Scope,
) -> SelfRepair:
    """Direct and total effect of ablating a set, with the final norm free and frozen (Rushing & Nanda 2402.15390).

    The direct effect D takes the set's vectors at the onset position out of the final residual, every later block's
    output held at baseline; the total effect T recomputes everything. The compensation 1 - T / D falls into three
    parts that add up to it. Df and Tf are D and T under the baseline's norm divisor, and Tw is Tf when the features
    that woke under the set's ablation are kept silent too:

        norm_share   (1 - T / D) - (1 - Tf / Df)   rescaling by the final norm
        woken_share  (Tw - Tf) / Df                newly active features; below 0 where they add to the damage
        the rest     1 - Tw / Df                   everything else: features active before, attention, SAE error

    Silencing the woken may wake others yet: those count in the rest. None where D or Df is too small to divide by.
    """
    plain = baseline.final
    ablated = engine.observe([Pair(prompt, ablate(features, scope))], onset_ids, scope)[0]
    woken = frozenset(dormant_now_active(baseline, ablated, features))
    silenced = ablated.final
    if woken:
        silenced = engine.final_residuals([Pair(prompt, ablate(features | woken, scope), reuse="nothing")])[0]
    in_scope = prompt.classes[-1] in scope.classes
    removed = onset_vectors(engine, baseline, sorted(features) if in_scope else ())
    stacked = torch.stack([plain, plain - removed, ablated.final, silenced])
    free = engine.score_residuals(stacked, onset_ids)
    frozen = engine.score_residuals(stacked, onset_ids, frozen_scale_of=plain.expand_as(stacked))
    direct, total = free[0] - free[1], free[0] - free[2]
    direct_frozen, total_frozen, total_silenced = (frozen[0] - score for score in frozen[1:])
    compensation = norm_share = woken_share = None
    if abs(direct) >= SMALLEST_DIRECT_EFFECT and abs(direct_frozen) >= SMALLEST_DIRECT_EFFECT:
        compensation = 1 - total / direct
        norm_share = compensation - (1 - total_frozen / direct_frozen)
        woken_share = (total_silenced - total_frozen) / direct_frozen
    return SelfRepair(direct, total, direct_frozen, total_frozen, compensation, norm_share, woken_share)
