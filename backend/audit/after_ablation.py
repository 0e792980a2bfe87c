"""What observations of one prompt say of its features: which have woken, and what each adds to the final residual.

Values that several stages share. Knows the engine by protocol.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from backend.audit.feature_sets import FeatureSet
from backend.engine.protocol import Activation, Evaluator, Observation
from backend.subjects.sparse_autoencoder import FeatureId


def dormant_now_active(
    baseline: Observation, observed: Observation, ablated: FeatureSet
) -> dict[FeatureId, Activation]:
    """Features with no activity in scope at baseline that are active now, the ablated ones left out."""
    new = [f for f in observed.active if f not in baseline.active and f not in ablated]
    return {f: observed.active[f] for f in new}


def direct_effects(
    engine: Evaluator, observed: Observation, groups: Sequence[Iterable[FeatureId]], onset_ids: Sequence[int]
) -> list[float]:
    """Drop in s when each group's own vectors are taken from the final residual, everything else held."""
    if not groups:
        return []
    without = torch.stack([observed.final - onset_vectors(engine, observed, group) for group in groups])
    return [observed.score.value - score for score in engine.score_residuals(without, onset_ids)]


def onset_vectors(engine: Evaluator, observed: Observation, features: Iterable[FeatureId]) -> Tensor:
    """What features add to the residual at the onset position, [d_model]; silent ones add nothing."""
    total = torch.zeros_like(observed.final)
    for feature in features:
        if feature in observed.active:
            row = engine.saes[feature.layer].W_dec[feature.index].float().cpu()
            total += row * observed.active[feature].onset_coefficient
    return total
