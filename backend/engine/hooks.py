"""Error-preserving edits of a batch, one callable per block. Knows interventions and SAEs; knows no model library.

At every layer f is re-encoded from the residual as it arrives, and x <- x + sum_i (f'_i - f_i) W_dec[i]: the SAE's
reconstruction error is left in place, and a feature woken by an upstream ablation is seen. Rows of mode "noise" move x
as far, but along a fixed random direction; rows that ask for it start from the SAE's reconstruction of x instead of x.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.audit.interventions import Intervention
from backend.engine.encode import encode_features
from backend.engine.noise import noise_direction
from backend.subjects.language_model import BlockEdit
from backend.subjects.sparse_autoencoder import FeatureId, SparseAutoencoder


@dataclass
class _FeatureEdit:
    """The union of one layer's features over a batch: f' - f = gain * f + target where `asked`, else 0."""

    sae: SparseAutoencoder
    indices: Tensor  # [features]
    gain: Tensor  # [batch, 1, features]
    target: Tensor  # [batch, 1, features]
    asked: Tensor  # [batch, features] bool
    touched: Tensor  # [batch, features] bool: asked, and f' differed from f on a token in scope
    decoder: Tensor  # [features, d_model]
    noise: Tensor | None  # [batch, 1, d_model]: unit vector of each row of mode "noise", zero for others; None: no row


class BatchEdits:
    """Edits and captures for one batch of interventions, row by row.

    Set `scope_mask` before each forward pass; read `edited()` and `captured` after it.
    """

    def __init__(
        self,
        saes: dict[int, SparseAutoencoder],
        interventions: Sequence[Intervention],
        device: torch.device,
        capture: Sequence[int] = (),
    ) -> None:
        self.scope_mask = torch.zeros(len(interventions), 0, device=device)  # [batch, tokens], 1 where edits apply
        self.captured: dict[int, Tensor] = {}  # layer -> residual as it arrived, before the edit
        self._capture = frozenset(capture)
        self._saes = saes
        self._features = _feature_edits(saes, interventions, device)
        self._reconstructed = _reconstructed(saes, interventions, device)
        self._ablated = _directions(interventions, "ablate", device)
        self._added = _directions(interventions, "add", device)

    def callables(self, first_layer: int = 0) -> dict[int, BlockEdit]:
        """One callable per layer from first_layer on that is edited or captured."""
        layers = {*self._features, *self._reconstructed, *self._ablated, *self._added, *self._capture}
        return {layer: self._callable(layer) for layer in sorted(layers) if layer >= first_layer}

    def apply(self, layer: int, residual: Tensor) -> Tensor:
        """The residual [batch, tokens, d_model] after this layer's edits."""
        if layer in self._capture:
            self.captured[layer] = residual
        scope = self.scope_mask.unsqueeze(-1)
        edited = residual
        if layer in self._reconstructed:
            replaced = self._reconstructed[layer] & (scope > 0)
            edited = torch.where(replaced, self._saes[layer].reconstruct(residual).to(residual.dtype), residual)
        if layer in self._features:
            edited = edited + self._displacement(self._features[layer], residual, scope).to(residual.dtype)
        if layer in self._ablated:
            unit = self._ablated[layer].unsqueeze(1)
            along = (edited.float() * unit).sum(-1, keepdim=True)
            edited = edited - (along * unit * scope).to(edited.dtype)
        if layer in self._added:
            edited = edited + (self._added[layer].unsqueeze(1) * scope).to(edited.dtype)
        return edited

    def edited(self) -> list[set[FeatureId]]:
        """Per row, the asked features whose edit changed something so far."""
        rows: list[set[FeatureId]] = [set() for _ in range(self.scope_mask.shape[0])]
        for layer, edit in self._features.items():
            for row, column in edit.touched.nonzero().tolist():
                rows[row].add(FeatureId(layer, int(edit.indices[column])))
        return rows

    def keep_rows(self, rows: Tensor) -> None:
        """Go on with some rows of the batch only (generation drops rows that have ended)."""
        for edit in self._features.values():
            edit.gain, edit.target = edit.gain[rows], edit.target[rows]
            edit.asked, edit.touched = edit.asked[rows], edit.touched[rows]
            edit.noise = None if edit.noise is None else edit.noise[rows]
        self._reconstructed = {layer: rows_of[rows] for layer, rows_of in self._reconstructed.items()}
        self._ablated = {layer: rows_of[rows] for layer, rows_of in self._ablated.items()}
        self._added = {layer: rows_of[rows] for layer, rows_of in self._added.items()}

    def _callable(self, layer: int) -> BlockEdit:
        return lambda residual: self.apply(layer, residual)

    @staticmethod
    def _displacement(edit: _FeatureEdit, residual: Tensor, scope: Tensor) -> Tensor:
        """What the features' edit adds to the residual as it arrived."""
        activations = encode_features(edit.sae, residual, edit.indices)
        change = (edit.gain * activations + edit.target) * scope
        edit.touched |= (change != 0).any(1) & edit.asked
        _, unit_size = edit.sae.preprocess(residual)
        displacement = (change @ edit.decoder) * unit_size
        if edit.noise is None:
            return displacement
        noisy = edit.noise.any(-1, keepdim=True)
        return torch.where(noisy, displacement.norm(dim=-1, keepdim=True) * edit.noise, displacement)


def _feature_edits(
    saes: dict[int, SparseAutoencoder], interventions: Sequence[Intervention], device: torch.device
) -> dict[int, _FeatureEdit]:
    by_layer: dict[int, dict[int, list[tuple[int, float, float]]]] = {}
    for row, intervention in enumerate(interventions):
        for feature, factor, value in intervention.coefficients():
            by_layer.setdefault(feature.layer, {}).setdefault(feature.index, []).append((row, factor, value))
    edits = {}
    for layer, wanted in by_layer.items():
        _need_sae(saes, layer)
        indices = sorted(wanted)
        gain = torch.zeros(len(interventions), 1, len(indices))
        target, asked = torch.zeros_like(gain), torch.zeros(len(interventions), len(indices), dtype=torch.bool)
        for column, index in enumerate(indices):
            for row, factor, value in wanted[index]:
                gain[row, 0, column] = factor - 1.0
                target[row, 0, column] = value
                asked[row, column] = True
        chosen = torch.tensor(indices, device=device)
        edits[layer] = _FeatureEdit(
            saes[layer],
            chosen,
            gain.to(device),
            target.to(device),
            asked.to(device),
            torch.zeros_like(asked, device=device),
            saes[layer].W_dec[chosen],
            _noise(saes[layer], interventions, device),
        )
    return edits


def _noise(sae: SparseAutoencoder, interventions: Sequence[Intervention], device: torch.device) -> Tensor | None:
    if all(intervention.noise is None for intervention in interventions):
        return None
    units = torch.zeros(len(interventions), 1, sae.d_in)
    for row, intervention in enumerate(interventions):
        if intervention.noise is not None:
            units[row, 0] = noise_direction(sae.layer, intervention.noise, sae.d_in)
    return units.to(device)


def _reconstructed(
    saes: dict[int, SparseAutoencoder], interventions: Sequence[Intervention], device: torch.device
) -> dict[int, Tensor]:
    """Layer -> [batch, 1, 1] bool: the rows where the residual is first replaced by its reconstruction there."""
    asked = {layer for intervention in interventions for layer in intervention.reconstructed}
    for layer in asked:
        _need_sae(saes, layer)
    rows = {layer: torch.tensor([layer in i.reconstructed for i in interventions]) for layer in sorted(asked)}
    return {layer: rows_of[:, None, None].to(device) for layer, rows_of in rows.items()}


def _need_sae(saes: dict[int, SparseAutoencoder], layer: int) -> None:
    if layer not in saes:
        raise KeyError(f"layer {layer} has no SAE; audited layers: {sorted(saes)}")


def _directions(interventions: Sequence[Intervention], operation: str, device: torch.device) -> dict[int, Tensor]:
    """Layer -> [batch, d_model]: the vector of each row that has this operation there, else zero."""
    rows: dict[int, dict[int, Tensor]] = {}
    for row, intervention in enumerate(interventions):
        edit = intervention.direction
        if edit is not None and edit.operation == operation:
            vector = edit.vector.float()
            if operation == "ablate":
                vector = vector / vector.norm()
            for layer in edit.layers:
                rows.setdefault(layer, {})[row] = vector
    result = {}
    for layer, vectors in rows.items():
        width = next(iter(vectors.values())).shape[0]
        stacked = torch.zeros(len(interventions), width)
        for row, vector in vectors.items():
            stacked[row] = vector.cpu()
        result[layer] = stacked.to(device)
    return result
