"""Sets of features: what a minimal set is, its certificate, and random sets matched to it. Knows no model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from backend.audit.candidates import ActivationTable
from backend.audit.results import Restored
from backend.subjects.sparse_autoencoder import FeatureId

FeatureSet = frozenset[FeatureId]

ScoreSets = Callable[[Sequence[FeatureSet]], list[float]]
"""Refusal scores of one prompt with each of some sets ablated."""

TRIES = 10  # draws per set that is wanted, before distinct ones are given up
NEIGHBOURS = 24  # a random feature is drawn from this many nearest in frequency and size


@dataclass(frozen=True)
class FoundSet:
    """A set that is 1-minimal at a margin: s < -margin with all ablated, s >= -margin with any one restored."""

    features: FeatureSet
    score: float
    certificate: tuple[Restored, ...]
    orders: int  # removal orders that ended here
    margin: float = 0.0  # nats


def certificate(scores: ScoreSets, features: FeatureSet) -> tuple[Restored, ...]:
    """The score when each kept feature alone is restored."""
    ordered = sorted(features)
    return tuple(Restored(str(f), s) for f, s in zip(ordered, scores([features - {f} for f in ordered]), strict=True))


def matched_random_sets(
    features: Sequence[FeatureId],
    active_here: FeatureSet,
    excluded: FeatureSet,
    table: ActivationTable,
    draws: int,
    random: np.random.Generator,
) -> list[FeatureSet]:
    """`draws` sets with as many features per layer as `features`, each like the one it stands for.

    A stand-in is active on this prompt exactly when its original is, and is drawn among the NEIGHBOURS nearest in
    activation frequency and log mean activation (both standardised within the layer). `excluded` are never drawn. A
    layer with too few look-alikes gives what it has.
    """
    pools = _pools(features, active_here, excluded, table, NEIGHBOURS)
    return [_draw(pools, random) for _ in range(draws)]


def distinct_random_sets(
    features: Sequence[FeatureId],
    active_here: FeatureSet,
    excluded: FeatureSet,
    table: ActivationTable,
    draws: int,
    random: np.random.Generator,
) -> list[FeatureSet]:
    """Like `matched_random_sets`, but no set twice: an empirical p counts different sets. The pools are as wide as that
    needs, and fewer than `draws` come where there are not so many."""
    pools = _pools(features, active_here, excluded, table, max(NEIGHBOURS, draws))
    if len(pools) == 1:
        return [frozenset({pools[0][i]}) for i in random.permutation(len(pools[0]))[:draws]]
    sets: dict[FeatureSet, None] = {}
    for _ in range(TRIES * draws):
        if len(sets) == draws:
            break
        sets.setdefault(_draw(pools, random))
    return list(sets)


def _pools(
    features: Sequence[FeatureId], active_here: FeatureSet, excluded: FeatureSet, table: ActivationTable, most: int
) -> list[list[FeatureId]]:
    """The look-alikes of each feature, nearest first; none of them is one of the features."""
    return [_nearest(f, active_here, excluded | frozenset(features), table, most) for f in features]


def _draw(pools: Sequence[Sequence[FeatureId]], random: np.random.Generator) -> FeatureSet:
    chosen: set[FeatureId] = set()
    for pool in pools:
        free = [f for f in pool if f not in chosen]
        if free:
            chosen.add(free[int(random.integers(len(free)))])
    return frozenset(chosen)


def _nearest(
    feature: FeatureId, active_here: FeatureSet, excluded: FeatureSet, table: ActivationTable, most: int
) -> list[FeatureId]:
    frequency, size = table.frequency(feature.layer), torch.log1p(table.size(feature.layer))
    distance = _standardised(frequency, feature.index) + _standardised(size, feature.index)
    wanted = feature in active_here
    found: list[FeatureId] = []
    for index in distance.argsort(stable=True).tolist():
        other = FeatureId(feature.layer, index)
        if other not in excluded and (other in active_here) == wanted:
            found.append(other)
            if len(found) == most:
                break
    return found


def _standardised(values: torch.Tensor, index: int) -> torch.Tensor:
    return (values - values[index]).abs() / values.std().clamp(min=1e-6)
