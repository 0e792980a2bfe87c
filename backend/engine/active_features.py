"""What was active in one evaluation, looked up feature by feature. Knows activations; knows no model.

Thousands of features are active and few are asked about, so each one's figures are put together when they are.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from backend.audit.interventions import Scope
from backend.engine.protocol import Activation
from backend.subjects.language_model import PositionClass
from backend.subjects.sparse_autoencoder import FeatureId


class ActiveFeatures(Mapping[FeatureId, Activation]):
    """Every feature that is active on a token in scope, by layer in the order the layers were noted, then by index."""

    def __init__(self, classes: Sequence[PositionClass], scope: Scope) -> None:
        """classes: one a token of the prompt."""
        self._classes = classes
        self._in_scope = [i for i, c in enumerate(classes) if c in scope.classes]
        self._places: dict[int, dict[int, int]] = {}  # layer -> index of the feature -> place in the columns
        self._columns: dict[int, tuple[list[float], list[float], list[int], list[int], list[float]]] = {}

    def note(self, layer: int, everywhere: Tensor, unit_size: Tensor) -> None:
        """Enter one layer's activations [tokens, d_sae]; unit_size: see `SparseAutoencoder.preprocess`, at the onset
        position."""
        if not self._in_scope:
            return
        rows = torch.tensor(self._in_scope, device=everywhere.device)
        activations = everywhere[rows]
        largest, where = activations.max(0)
        active = largest.nonzero().flatten()
        self._places[layer] = {index: place for place, index in enumerate(active.tolist())}
        self._columns[layer] = (
            largest[active].tolist(),
            activations.mean(0)[active].tolist(),
            rows[where][active].tolist(),
            (activations > 0).sum(0)[active].tolist(),
            (everywhere[-1] * unit_size)[active].tolist(),
        )

    def __getitem__(self, feature: FeatureId) -> Activation:
        if feature not in self:
            raise KeyError(feature)
        place = self._places[feature.layer][feature.index]
        maximum, mean, position, count, onset = (column[place] for column in self._columns[feature.layer])
        return Activation(maximum, mean, int(position), self._classes[int(position)], int(count), onset)

    def __contains__(self, feature: object) -> bool:
        return isinstance(feature, FeatureId) and feature.index in self._places.get(feature.layer, ())

    def __iter__(self) -> Iterator[FeatureId]:
        for layer, places in self._places.items():
            for index in places:
                yield FeatureId(layer, index)

    def __len__(self) -> int:
        return sum(map(len, self._places.values()))
