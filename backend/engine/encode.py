"""Encodes only the features asked for. Knows SAEs and residuals; knows no model and no batch."""

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from backend.subjects.language_model import PositionClass
from backend.subjects.sparse_autoencoder import FeatureId, SparseAutoencoder

ENCODED_TOGETHER = 2**25  # activations held at once: 128 MiB in float32


def encode_features(sae: SparseAutoencoder, residual: Tensor, indices: Tensor) -> Tensor:
    """Activations [..., len(indices)] of some features on residual [..., d_model].

    Reads just those encoder columns when the SAE's family allows it (ReLU, JumpReLU); encodes in full where a
    feature's activation depends on the others (TopK).
    """
    if sae.separable:
        return sae.encode_columns(residual, indices)
    return sae.encode(residual)[..., indices]


def encode_each(sae: SparseAutoencoder, residuals: Sequence[Tensor]) -> Iterator[Tensor]:
    """Activations [tokens, d_sae] of some residuals [tokens, d_model] in turn, encoded several at a time."""
    most = max(1, ENCODED_TOGETHER // sae.d_sae)
    batch: list[Tensor] = []
    for i, residual in enumerate(residuals):
        batch.append(residual)
        if i + 1 == len(residuals) or sum(map(len, batch)) + len(residuals[i + 1]) > most:
            yield from torch.split(sae.encode(torch.cat(batch)), [len(one) for one in batch])
            batch = []


Activity = dict[PositionClass, dict[int, bytes]]
"""Per position class and audited layer, one byte a feature: 1 when it is active on at least one token there.

Bytes and not sets of features: on the attention sink nearly every feature is active.
"""


def activity(
    saes: dict[int, SparseAutoencoder], residuals: dict[int, Tensor], classes: tuple[PositionClass, ...]
) -> Activity:
    """Which features are active on some tokens; residuals are [tokens, d_model] by layer, `classes` one a token."""
    found: Activity = {position_class: {} for position_class in classes}
    for layer, sae in saes.items():
        active = sae.encode(residuals[layer]) > 0
        for position_class, by_layer in found.items():
            rows = torch.tensor([c == position_class for c in classes], device=active.device)
            by_layer[layer] = bytes(active[rows].any(0).to(torch.uint8).cpu().numpy())
    return found


def active_among(
    features: Iterable[FeatureId], active: Activity, classes: Iterable[PositionClass]
) -> frozenset[FeatureId]:
    """Those of `features` that are active in any of some position classes."""
    layers = [active[c] for c in classes if c in active]
    return frozenset(f for f in features if any(by_layer[f.layer][f.index] for by_layer in layers))
