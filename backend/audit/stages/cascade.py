"""Stage 4: the cascade of one prompt - what wakes when refusal features are ablated, round by round.

Knows the engine by protocol.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.audit.after_ablation import direct_effects, dormant_now_active
from backend.audit.candidates import (
    REFUSAL_RANK,
    ActivationTable,
    Candidates,
    active_refusal_features,
    strongest_active,
)
from backend.audit.feature_sets import FeatureSet, matched_random_sets
from backend.audit.interventions import Scope, ablate
from backend.audit.look_alikes import look_alikes
from backend.audit.results import Cascade, CascadeRound, Edge, Restored, Suppression, Woken
from backend.audit.spec import Effort
from backend.engine.protocol import Activation, Evaluator, Observation, Pair
from backend.subjects.language_model import ChatTokens
from backend.subjects.sparse_autoencoder import FeatureId

SMALLEST_PUSH = 0.05  # drop in s, nats: below it a woken feature is not said to push towards refusal


@dataclass(frozen=True)
class SingleAblations:
    """What ablating each active refusal feature alone does to one prompt."""

    features: tuple[FeatureId, ...]  # strongest first: largest total or direct drop in s
    observations: dict[FeatureId, Observation]

    def effects(self) -> tuple[Restored, ...]:
        """The score with each ablated alone."""
        return tuple(Restored(str(f), self.observations[f].score.value) for f in self.features)


def ablate_singly(
    engine: Evaluator,
    prompt: ChatTokens,
    baseline: Observation,
    candidates: Candidates,
    onset_ids: Sequence[int],
    scope: Scope,
    most: int,
) -> SingleAblations:
    """Observe the prompt with each of its strongest active refusal features ablated alone."""
    features = strongest_active(candidates, baseline.active, REFUSAL_RANK, most)
    observed = engine.observe([Pair(prompt, ablate((f,), scope)) for f in features], onset_ids, scope)
    observations = dict(zip(features, observed, strict=True))
    # A redundant feature does nothing when ablated alone and a mediated one nothing directly: either makes it strong.
    onset_score = baseline.score.value
    total = {f: onset_score - observations[f].score.value for f in features}
    direct = dict(zip(features, direct_effects(engine, baseline, [(f,) for f in features], onset_ids), strict=True))
    strength = {f: max(total[f], direct[f]) for f in features}
    ranked = sorted(features, key=lambda f: -round(strength[f], 2))
    return SingleAblations(tuple(ranked), observations)


def run_cascade(
    engine: Evaluator,
    prompt: ChatTokens,
    baseline: Observation,
    singles: SingleAblations,
    candidates: Candidates,
    table: ActivationTable,
    onset_ids: Sequence[int],
    scope: Scope,
    amounts: Effort,
    random: np.random.Generator,
) -> Cascade:
    """Ablate the strongest active refusal feature; then, round by round, the woken features that push towards refusal,
    or where none does, the next strongest active refusal feature; until the score flips or nothing is left."""
    rounds: list[CascadeRound] = []
    ablated: list[FeatureId] = []
    waiting = list(singles.features)
    adding: list[FeatureId] = []
    outcome = "round limit"
    while len(rounds) < amounts.cascade_rounds:
        if not adding:
            adding = waiting[:1]
        if not adding:
            outcome = "exhausted"
            break
        ablated += adding
        waiting = [f for f in waiting if f not in adding]
        finished, pushing = _round(
            engine, prompt, baseline, singles, table, ablated, adding, onset_ids, scope, amounts, random
        )
        rounds.append(finished)
        if finished.score < 0:
            outcome = "flipped"
            break
        adding = pushing
    return Cascade(
        rounds=tuple(rounds),
        depth=len(rounds) if outcome == "flipped" else None,
        outcome=outcome,
        suppression=_suppression(singles, baseline, candidates),
    )


def _round(
    engine: Evaluator,
    prompt: ChatTokens,
    baseline: Observation,
    singles: SingleAblations,
    table: ActivationTable,
    ablated: list[FeatureId],
    added: list[FeatureId],
    onset_ids: Sequence[int],
    scope: Scope,
    amounts: Effort,
    random: np.random.Generator,
) -> tuple[CascadeRound, list[FeatureId]]:
    """One round's record, and the woken features that push towards refusal."""
    here = Pair(prompt, ablate(tuple(ablated), scope))
    observed = engine.observe([here], onset_ids, scope)[0]
    woken = dormant_now_active(baseline, observed, frozenset(ablated))
    woken_list = _measure_woken(engine, here, observed, woken, ablated, onset_ids, scope, amounts.woken_tried)
    drawn: list[FeatureSet] = []
    first = len(ablated) == len(added)  # what the headline compares
    if first:
        drawn = _wake_at_random(engine, prompt, baseline, table, ablated, onset_ids, scope, amounts, random)
    pushing = {
        FeatureId.parse(w.feature): w.total_effect
        for w in woken_list
        if w.total_effect is not None and w.total_effect > SMALLEST_PUSH
    }
    confirmed = _confirm(
        engine, here, observed, table, ablated, pushing, onset_ids, scope, amounts.backup_draws, random
    )
    edges = _edges(engine, prompt, baseline, singles, added, [w.feature for w in woken_list], onset_ids, scope)
    woke = tuple(str(f) for f in sorted(woken)) if first else ()
    in_draws = Counter(str(f) for features in drawn for f in features)
    finished = CascadeRound(
        ablated=tuple(str(f) for f in added),
        score=observed.score.value,
        woken=tuple(replace(w, confirmed=confirmed.get(w.feature)) for w in woken_list),
        n_woken=len(woken),
        n_pushing=len(pushing),
        n_woken_random=sum(map(len, drawn)) / len(drawn) if drawn else None,
        edges=edges,
        random_draws=len(drawn),
        woken_random={name: in_draws[name] for name in sorted({*woke, *in_draws}, key=FeatureId.parse)},
        woke=woke,
    )
    return finished, list(pushing)


def _measure_woken(
    engine: Evaluator,
    here: Pair,
    observed: Observation,
    woken: dict[FeatureId, Activation],
    ablated: list[FeatureId],
    onset_ids: Sequence[int],
    scope: Scope,
    tried: int,
) -> list[Woken]:
    """Woken features with their direct effect, strongest first; total effects of the first `tried`."""
    features = sorted(woken)
    if not features:
        return []
    direct = direct_effects(engine, observed, [(f,) for f in features], onset_ids)
    # A woken feature may act through later blocks instead: its size breaks ties between direct effects of nothing.
    ranked = sorted(range(len(features)), key=lambda i: (-round(direct[i], 2), -woken[features[i]].maximum))
    first = ranked[:tried]
    scores = engine.score([Pair(here.prompt, ablate((*ablated, features[i]), scope)) for i in first], onset_ids)
    total = {i: observed.score.value - score.value for i, score in zip(first, scores, strict=True)}
    return [
        Woken(str(features[i]), woken[features[i]].maximum, woken[features[i]].position_class, direct[i], total.get(i))
        for i in first
    ]


def _wake_at_random(
    engine: Evaluator,
    prompt: ChatTokens,
    baseline: Observation,
    table: ActivationTable,
    ablated: list[FeatureId],
    onset_ids: Sequence[int],
    scope: Scope,
    amounts: Effort,
    random: np.random.Generator,
) -> list[FeatureSet]:
    """What wakes under each of some matched random ablations."""
    active_here = frozenset(baseline.active)
    drawn = matched_random_sets(ablated, active_here, frozenset(), table, amounts.cascade_random_draws, random)
    sets = [s for s in drawn if s]
    observed = engine.observe([Pair(prompt, ablate(s, scope), reuse="nothing") for s in sets], onset_ids, scope)
    return [frozenset(dormant_now_active(baseline, o, s)) for o, s in zip(observed, sets, strict=True)]


def _confirm(
    engine: Evaluator,
    here: Pair,
    observed: Observation,
    table: ActivationTable,
    ablated: list[FeatureId],
    claimed: dict[FeatureId, float],
    onset_ids: Sequence[int],
    scope: Scope,
    draws: int,
    random: np.random.Generator,
) -> dict[str, bool]:
    """Whether re-ablating each claimed backup lowers s by more (its total effect) than re-ablating any of its
    look-alikes does.

    Look-alikes are active here and neither ablated nor claimed. A claim without any is neither confirmed nor denied.
    A claim that is just one more of its look-alikes would be confirmed once in 1 + draws.
    """
    excluded = frozenset(ablated) | frozenset(claimed)
    pools = {f: look_alikes(f, observed.active, excluded, table, draws, random) for f in claimed}
    others = sorted({other for pool in pools.values() for other in pool})
    scores = engine.score([Pair(here.prompt, ablate((*ablated, other), scope)) for other in others], onset_ids)
    effects = {other: observed.score.value - score.value for other, score in zip(others, scores, strict=True)}
    return {str(f): claimed[f] > max(effects[other] for other in pool) for f, pool in pools.items() if pool}


def _edges(
    engine: Evaluator,
    prompt: ChatTokens,
    baseline: Observation,
    singles: SingleAblations,
    sources: list[FeatureId],
    targets: list[str],
    onset_ids: Sequence[int],
    scope: Scope,
) -> tuple[Edge, ...]:
    """Edges from this round's features to the features that woke in it: the change when only the source is ablated."""
    if not targets:
        return ()
    unseen = [f for f in sources if f not in singles.observations]
    observed = engine.observe([Pair(prompt, ablate((f,), scope)) for f in unseen], onset_ids, scope) if unseen else []
    seen = {**singles.observations, **dict(zip(unseen, observed, strict=True))}
    edges = []
    for source in sources:
        for name in targets:
            change = _maximum(seen[source], FeatureId.parse(name)) - _maximum(baseline, FeatureId.parse(name))
            if change != 0:
                edges.append(Edge(str(source), name, change))
    return tuple(edges)


def _maximum(observation: Observation, feature: FeatureId) -> float:
    activation = observation.active.get(feature)
    return activation.maximum if activation is not None else 0.0


def _suppression(singles: SingleAblations, baseline: Observation, candidates: Candidates) -> tuple[Suppression, ...]:
    """What each ablated upstream feature does to the active refusal features of each later layer."""
    refusal = active_refusal_features(candidates, baseline.active)
    found = []
    for source in singles.features:
        for layer in sorted({f.layer for f in refusal if f.layer > source.layer}):
            downstream = [f for f in refusal if f.layer == layer]
            before = [_maximum(baseline, f) for f in downstream]
            after = [_maximum(singles.observations[source], f) for f in downstream]
            drops = [1 - a / b for a, b in zip(after, before, strict=True)]
            silenced = sum(a == 0 for a in after) / len(after)
            found.append(Suppression(str(source), len(downstream), silenced, sum(drops) / len(drops), layer))
    return tuple(found)
