"""Candidate refusal features and how often and how strongly features fire, as values several stages share."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from backend.engine.protocol import Activation
from backend.subjects.sparse_autoencoder import FeatureId

REFUSAL_RANK = 10  # candidates per layer that count as refusal features


@dataclass(frozen=True)
class Candidate:
    """A feature by its rank within its layer."""

    feature: FeatureId
    rank: int  # 1 is the best cosine of its layer
    cosine: float


@dataclass(frozen=True)
class Candidates:
    """Features of every audited layer, best cosine with the layer's refusal direction first."""

    by_layer: dict[int, tuple[Candidate, ...]]

    def top(self, k: int) -> tuple[FeatureId, ...]:
        """The k best of every layer."""
        return tuple(c.feature for ranked in self.by_layer.values() for c in ranked[:k])

    def cosine(self, feature: FeatureId) -> float:
        """Cosine of a ranked feature; 0.0 for one that is not ranked."""
        return self._index.get(feature, (0, 0.0))[1]

    def rank(self, feature: FeatureId) -> int | None:
        """Rank within its layer; None for a feature that is not ranked."""
        return self._index[feature][0] if feature in self._index else None

    @cached_property
    def _index(self) -> dict[FeatureId, tuple[int, float]]:
        return {c.feature: (c.rank, c.cosine) for ranked in self.by_layer.values() for c in ranked}


@dataclass(frozen=True)
class ActivationTable:
    """Largest in-scope activation of every feature on every tabled prompt, with no intervention."""

    ids: tuple[str, ...]  # prompts, one a row
    by_layer: dict[int, Tensor]  # [prompts, d_sae] float32
    density: dict[int, Tensor]  # [d_sae] share of in-scope tokens of benign prompts where each feature is active

    def frequency(self, layer: int) -> Tensor:
        """Share of prompts where each feature is active, [d_sae]."""
        return (self.by_layer[layer] > 0).float().mean(0)

    def size(self, layer: int) -> Tensor:
        """Mean activation of each feature over the prompts where it is active, 0 if none, [d_sae]."""
        table = self.by_layer[layer]
        return table.sum(0) / (table > 0).sum(0).clamp(min=1)

    def active_on(self, prompt_id: str, features: Sequence[FeatureId]) -> bool:
        """True when any of some features is active on a prompt; a prompt that is not tabled counts as active."""
        if prompt_id not in self.ids:
            return True
        row = self.ids.index(prompt_id)
        return any(float(self.by_layer[f.layer][row, f.index]) > 0 for f in features)

    def of(self, feature: FeatureId, rows: Sequence[int]) -> list[float]:
        """One feature's activation on some prompts."""
        return [float(x) for x in self.by_layer[feature.layer][list(rows), feature.index]]


def strongest_active(
    candidates: Candidates, active: Mapping[FeatureId, Activation], per_layer: int, most: int
) -> list[FeatureId]:
    """Active features among the `per_layer` best of each layer, largest cosine x activation first, at most `most`."""
    found = [f for f in candidates.top(per_layer) if f in active and candidates.cosine(f) > 0]
    return sorted(found, key=lambda f: (-candidates.cosine(f) * active[f].maximum, f))[:most]


def refusal_features(candidates: Candidates) -> list[FeatureId]:
    """Those among the REFUSAL_RANK best of each layer with a positive cosine, in the candidates' order."""
    return [f for f in candidates.top(REFUSAL_RANK) if candidates.cosine(f) > 0]


def active_refusal_features(candidates: Candidates, active: Container[FeatureId]) -> list[FeatureId]:
    """The active ones of `refusal_features`."""
    return [f for f in refusal_features(candidates) if f in active]
