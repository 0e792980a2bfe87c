"""Stage 4: the cascade by whole layers - how many layers' refusal features must be silenced until the score flips.

Knows the engine by protocol.
"""

from collections.abc import Sequence

from backend.audit.after_ablation import direct_effects
from backend.audit.candidates import Candidates, refusal_features
from backend.audit.interventions import Scope, ablate
from backend.audit.results import LayerCascade
from backend.engine.protocol import Evaluator, Observation, Pair
from backend.subjects.language_model import ChatTokens
from backend.subjects.sparse_autoencoder import FeatureId

ByLayer = dict[int, tuple[FeatureId, ...]]


def run_layer_cascade(
    engine: Evaluator,
    prompt: ChatTokens,
    baseline: Observation,
    candidates: Candidates,
    onset_ids: Sequence[int],
    scope: Scope,
) -> LayerCascade:
    """Silence every active refusal feature of one more layer a round, the strongest layer first, until the score flips
    or no layer has one left.

    A layer's strength is the larger of two drops in s: when its active refusal features alone are ablated, and when
    their vectors are taken from the final residual as it now stands. As with single features, a layer that others
    stand in for shows only the second, one that acts through later blocks only the first; and "as it now stands" is
    how a layer whose features woke in an earlier round is seen. Within a silenced layer, whatever refusal feature
    wakes later on is silenced too.
    """
    refusal = _by_layer(refusal_features(candidates))
    alone = _drops_alone(engine, prompt, baseline, refusal, onset_ids, scope)
    layers: list[int] = []
    counts: list[int] = []
    scores: list[float] = []
    observed = baseline
    while True:
        active = {
            layer: tuple(f for f in features if f in observed.active)
            for layer, features in refusal.items()
            if layer not in layers
        }
        active = {layer: features for layer, features in active.items() if features}
        if not active:
            return LayerCascade(tuple(layers), tuple(counts), tuple(scores), None)
        direct = dict(zip(active, direct_effects(engine, observed, list(active.values()), onset_ids), strict=True))
        strongest = min(active, key=lambda layer: (-round(max(direct[layer], alone.get(layer, 0.0)), 2), layer))
        layers.append(strongest)
        counts.append(len(active[strongest]))
        silenced = tuple(f for layer in layers for f in refusal[layer])
        observed = engine.observe([Pair(prompt, ablate(silenced, scope))], onset_ids, scope)[0]
        scores.append(observed.score.value)
        if observed.score.value < 0:
            return LayerCascade(tuple(layers), tuple(counts), tuple(scores), len(layers))


def _by_layer(features: Sequence[FeatureId]) -> ByLayer:
    by_layer: dict[int, list[FeatureId]] = {}
    for feature in features:
        by_layer.setdefault(feature.layer, []).append(feature)
    return {layer: tuple(by_layer[layer]) for layer in sorted(by_layer)}


def _drops_alone(
    engine: Evaluator,
    prompt: ChatTokens,
    baseline: Observation,
    refusal: ByLayer,
    onset_ids: Sequence[int],
    scope: Scope,
) -> dict[int, float]:
    """Drop in s when one layer's refusal features are ablated, for the layers where one is active."""
    layers = [layer for layer, features in refusal.items() if any(f in baseline.active for f in features)]
    scores = engine.score([Pair(prompt, ablate(refusal[layer], scope)) for layer in layers], onset_ids)
    return {layer: baseline.score.value - score.value for layer, score in zip(layers, scores, strict=True)}
