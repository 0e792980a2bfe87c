"""Matched random sets: as many features per layer, alike, never the set's own; where a p counts them, none twice."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.candidates import ActivationTable
from backend.audit.feature_sets import NEIGHBOURS, distinct_random_sets, matched_random_sets
from backend.subjects.sparse_autoencoder import FeatureId

D_SAE = 60


def table() -> ActivationTable:
    """Two layers whose features differ in how often they fire: i of 60 prompts."""
    rows = torch.zeros(D_SAE, D_SAE)
    for i in range(D_SAE):
        rows[:i, i] = 1.0
    density = {1: torch.zeros(D_SAE), 2: torch.zeros(D_SAE)}
    return ActivationTable(tuple(f"p{i}" for i in range(D_SAE)), {1: rows, 2: rows.clone()}, density)


@given(
    wanted=st.sets(st.tuples(st.sampled_from([1, 2]), st.integers(0, D_SAE - 1)), min_size=1, max_size=4),
    draws=st.integers(1, 50),
    seed=st.integers(0, 9),
)
def test_distinct_sets_have_the_layers_asked_for_and_none_comes_twice(
    wanted: set[tuple[int, int]], draws: int, seed: int
) -> None:
    features = [FeatureId(*one) for one in sorted(wanted)]
    sets = distinct_random_sets(features, frozenset(), frozenset(), table(), draws, np.random.default_rng(seed))
    assert len(sets) == len(set(sets)) == draws
    for one in sets:
        assert sorted(f.layer for f in one) == sorted(f.layer for f in features)
        assert not one & set(features)


def test_there_are_only_so_many_look_alikes_of_one_feature() -> None:
    feature, random = FeatureId(1, 30), np.random.default_rng(0)
    sets = distinct_random_sets([feature], frozenset(), frozenset(), table(), 500, random)
    assert len(sets) == D_SAE - 1
    repeating = matched_random_sets([feature], frozenset(), frozenset(), table(), 500, random)
    assert len(repeating) == 500
    assert len(set(repeating)) == NEIGHBOURS


def test_the_nearest_are_drawn_first() -> None:
    near = distinct_random_sets([FeatureId(1, 30)], frozenset(), frozenset(), table(), 10, np.random.default_rng(0))
    assert {abs(next(iter(one)).index - 30) for one in near} <= set(range(1, NEIGHBOURS // 2 + 2))


@pytest.mark.parametrize("draw", [matched_random_sets, distinct_random_sets])
def test_a_stand_in_is_active_here_exactly_when_its_original_is(draw: object) -> None:
    active = frozenset(FeatureId(1, i) for i in range(20, 50))
    assert callable(draw)
    for feature in (FeatureId(1, 30), FeatureId(1, 5)):
        sets = draw([feature], active, frozenset({FeatureId(1, 31)}), table(), 8, np.random.default_rng(1))
        assert all((next(iter(one)) in active) == (feature in active) for one in sets)
        assert frozenset({FeatureId(1, 31)}) not in sets
