"""Where evaluations of one prompt part ways: two sets that agree below a layer share everything up to it.

Greedy filtering asks for a set less one feature, again and again; what differs is one layer, and all below it has been
computed. Knows residuals by what edited them; knows no model.
"""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from torch import Tensor

from backend.audit.interventions import Intervention
from backend.subjects.language_model import ChatTokens
from backend.subjects.sparse_autoencoder import FeatureId


@dataclass(frozen=True, eq=False)
class Branch:
    """One evaluation as it arrives at an audited layer."""

    layer: int
    residual: Tensor  # [tokens after the prefix, d_model], before the edit there
    edited: frozenset[FeatureId]  # asked features below that were active in scope


class Branches:
    """Branches by prompt and by the edits below their layer; the least recently used go when the budget is passed."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget, self._held = budget_bytes, 0
        self._kept: OrderedDict[Hashable, Branch] = OrderedDict()

    def highest(self, prompt: ChatTokens, intervention: Intervention, layers: Sequence[int]) -> Branch | None:
        """The branch at the highest of some layers that this evaluation would come to as well."""
        for layer in sorted(layers, reverse=True):
            key = _key(prompt, intervention, layer)
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        return None

    def keep(self, prompt: ChatTokens, intervention: Intervention, branch: Branch) -> None:
        key = _key(prompt, intervention, branch.layer)
        if key in self._kept:
            return
        self._kept[key] = branch
        self._held += _n_bytes(branch)
        while self._held > self._budget and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._held -= _n_bytes(dropped)

    def forget(self) -> None:
        self._kept.clear()
        self._held = 0


def _key(prompt: ChatTokens, intervention: Intervention, layer: int) -> Hashable:
    below = tuple(edit for edit in intervention.coefficients() if edit[0].layer < layer)
    reconstructed = tuple(other for other in intervention.reconstructed if other < layer)
    return prompt, intervention.scope, below, intervention.noise if below else None, reconstructed, layer


def _n_bytes(branch: Branch) -> int:
    return branch.residual.numel() * branch.residual.element_size()
