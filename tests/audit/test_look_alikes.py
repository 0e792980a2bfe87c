"""Look-alikes: of the same layer, active, not excluded, nearest in frequency and size, and the same for a seed."""

import numpy as np
import torch

from backend.audit.candidates import ActivationTable
from backend.audit.feature_sets import NEIGHBOURS
from backend.audit.look_alikes import look_alikes
from backend.engine.protocol import Activation
from backend.subjects.sparse_autoencoder import FeatureId

D_SAE, N_PROMPTS = 200, 10


def table() -> ActivationTable:
    """Feature i of layer 1 is active on the first i % 5 prompts; layer 2 never is."""
    rows = torch.zeros(N_PROMPTS, D_SAE)
    for i in range(D_SAE):
        rows[: i % 5, i] = 1.0
    by_layer = {1: rows, 2: torch.zeros(N_PROMPTS, D_SAE)}
    ids = tuple(f"p{i}" for i in range(N_PROMPTS))
    return ActivationTable(ids, by_layer, {layer: torch.zeros(D_SAE) for layer in by_layer})


def active(sizes: dict[FeatureId, float]) -> dict[FeatureId, Activation]:
    return {f: Activation(size, size, 1, "instruction", 1, size) for f, size in sizes.items()}


def draw(feature: FeatureId, sizes: dict[FeatureId, float], excluded: set[FeatureId], draws: int) -> list[FeatureId]:
    return look_alikes(feature, active(sizes), frozenset(excluded), table(), draws, np.random.default_rng(0))


def test_only_active_features_of_the_layer_that_are_not_excluded() -> None:
    one = FeatureId(1, 0)
    sizes = {one: 1.0, FeatureId(1, 5): 1.0, FeatureId(1, 10): 1.0, FeatureId(2, 3): 1.0}
    assert set(draw(one, sizes, {FeatureId(1, 5)}, 9)) == {FeatureId(1, 10)}
    assert draw(one, {one: 1.0, FeatureId(2, 3): 1.0}, set(), 9) == []


def test_no_feature_comes_twice_and_no_more_than_asked() -> None:
    sizes = {FeatureId(1, i): 1.0 for i in range(40)}
    found = draw(FeatureId(1, 0), sizes, set(), 8)
    assert len(found) == len(set(found)) == 8
    assert FeatureId(1, 0) not in found
    assert found == draw(FeatureId(1, 0), sizes, set(), 8)


def test_the_nearest_in_frequency() -> None:
    alike = [FeatureId(1, 5 * i) for i in range(NEIGHBOURS + 1)]
    others = [FeatureId(1, 5 * i + 4) for i in range(NEIGHBOURS)]
    found = draw(alike[0], dict.fromkeys([*alike, *others], 2.0), set(), 99)
    assert set(found) == set(alike[1:])


def test_the_nearest_in_size_as_it_is_here() -> None:
    alike = [FeatureId(2, i) for i in range(NEIGHBOURS + 1)]
    others = [FeatureId(2, 100 + i) for i in range(NEIGHBOURS)]
    found = draw(alike[0], dict.fromkeys(alike, 2.0) | dict.fromkeys(others, 9.0), set(), 99)
    assert set(found) == set(alike[1:])
