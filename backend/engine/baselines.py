"""What is computed once and resumed from: the shared prefix under an intervention, and each prompt without one.

Why it is exact. Attention looks back only, so what happens on the prefix depends on the prefix and the intervention,
not on the prompt. And a zero, scale or noise edit of a silent feature changes nothing: if none of the features in S
minus E is active on the prefix while E is ablated, then ablating S there is ablating E (by induction over layers). So
the many sets of a greedy search share a handful of prefix states.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from backend.audit.interventions import NO_INTERVENTION, Intervention
from backend.engine.caches import resumed_cache
from backend.engine.encode import Activity, active_among, activity
from backend.engine.hooks import BatchEdits
from backend.engine.pauses import BetweenBatches, go_on
from backend.subjects.language_model import ChatTokens, LanguageModel, PositionClass
from backend.subjects.sparse_autoencoder import FeatureId, SparseAutoencoder

PREFIX_CLASSES: tuple[PositionClass, ...] = ("sink", "system")


@dataclass(frozen=True)
class State:
    """Some tokens run to the end: what later work resumes from."""

    residuals: dict[int, Tensor]  # audited layer -> [tokens, d_model], as found before any edit there
    final: Tensor  # [tokens, d_model], before the final norm
    active: Activity
    edited: frozenset[FeatureId] = frozenset()
    cache: Any = None  # key-value cache of these tokens, batch of one; kept for prefixes only
    n_bytes: int = 0


@dataclass
class _Store:
    """Least recently used states go when the byte budget is passed."""

    budget: int
    states: "OrderedDict[Hashable, State]" = field(default_factory=OrderedDict)
    held: int = 0

    def get(self, key: Hashable) -> State | None:
        if key in self.states:
            self.states.move_to_end(key)
        return self.states.get(key)

    def put(self, key: Hashable, state: State) -> State:
        replaced = self.states.pop(key, None)  # work between batches may have found the same state
        self.states[key] = state
        self.held += state.n_bytes - (replaced.n_bytes if replaced is not None else 0)
        while self.held > self.budget and len(self.states) > 1:
            _, dropped = self.states.popitem(last=False)
            self.held -= dropped.n_bytes
        return state


class Baselines:
    """Prefix states by intervention and prompt states without one, computed on demand, one at a time.

    One at a time, so that a state's last bits do not depend on what else was asked for: a resumed audit computes the
    same numbers as an undisturbed one.
    """

    def __init__(
        self,
        model: LanguageModel,
        saes: dict[int, SparseAutoencoder],
        budget_bytes: int,
        between_batches: BetweenBatches = go_on,
    ) -> None:
        self._model, self._saes, self._between_batches = model, saes, between_batches
        self._prefixes, self._prompts = _Store(budget_bytes // 2), _Store(budget_bytes // 2)

    def prompt(self, prompt: ChatTokens) -> State:
        """The tokens after the prefix, with no intervention."""
        found = self._prompts.get(prompt)
        if found is not None:
            return found
        prefix = self.prefix(prompt, NO_INTERVENTION)
        state = self._run(prompt, NO_INTERVENTION, prompt.prefix_length, len(prompt.ids), prefix, keep_cache=False)
        return self._prompts.put(prompt, state)

    def prefix(self, prompt: ChatTokens, intervention: Intervention) -> State | None:
        """The shared prefix of this prompt under an intervention; None when the prompt has no prefix."""
        if prompt.prefix_length == 0:
            return None
        touched = [c for c in PREFIX_CLASSES if c in intervention.scope.classes]
        if not touched:
            return self._prefix_state(prompt, NO_INTERVENTION)
        if not intervention.keeps_silence:
            return self._prefix_state(prompt, intervention)
        effective: frozenset[FeatureId] = frozenset()
        while True:
            # Modes with target values come here with targets of 0 only: zero.
            mode = "zero" if intervention.values else intervention.mode
            reduced = replace(intervention, features=tuple(effective), mode=mode, values=())
            state = self._prefix_state(prompt, reduced)
            waking = active_among(intervention.features, state.active, touched) - effective
            if not waking:
                return state
            lowest = min(feature.layer for feature in waking)
            effective |= {feature for feature in waking if feature.layer == lowest}

    def edits_prefix(self, prompt: ChatTokens, intervention: Intervention) -> bool:
        """Whether the shared prefix is another under this intervention."""
        touched = [c for c in PREFIX_CLASSES if c in intervention.scope.classes]
        if prompt.prefix_length == 0 or not touched:
            return False
        if intervention.direction is not None or intervention.reconstructed:
            return True
        if intervention.features and not intervention.keeps_silence:
            return True
        bare = self._prefix_state(prompt, NO_INTERVENTION)
        return bool(active_among(intervention.features, bare.active, touched))

    def _prefix_state(self, prompt: ChatTokens, intervention: Intervention) -> State:
        ids = prompt.ids[: prompt.prefix_length]
        direction, reconstructed = intervention.direction, intervention.reconstructed
        # A prefix that nothing edits is one state, whatever the scope said.
        bare = not intervention.features and not reconstructed and direction is None
        edits = tuple(intervention.coefficients())
        noise = intervention.noise if edits else None
        key = (ids,) if bare else (ids, edits, noise, reconstructed, intervention.scope, direction)
        found = self._prefixes.get(key)
        if found is None:
            found = self._prefixes.put(key, self._run(prompt, intervention, 0, len(ids), None, keep_cache=True))
        return found

    def _run(
        self,
        prompt: ChatTokens,
        intervention: Intervention,
        start: int,
        stop: int,
        prefix: State | None,
        *,
        keep_cache: bool,
    ) -> State:
        device = self._model.device
        classes = prompt.classes[start:stop]
        edits = BatchEdits(self._saes, [intervention], device, capture=list(self._saes))
        edits.scope_mask = torch.tensor([[float(c in intervention.scope.classes) for c in classes]], device=device)
        cache = self._model.new_cache() if prefix is None else resumed_cache(self._model, [prefix.cache], 0)
        ids = torch.tensor([prompt.ids[start:stop]], device=device)
        self._between_batches()
        final = self._model.run(ids, edits=edits.callables(), cache=cache)[0]
        residuals = {layer: captured[0] for layer, captured in edits.captured.items()}
        active = activity(self._saes, residuals, classes)
        n_bytes = sum(t.numel() * t.element_size() for t in [final, *residuals.values()])
        if keep_cache:
            n_bytes += sum(2 * layer.keys.numel() * layer.keys.element_size() for layer in cache.layers)
        return State(residuals, final, active, frozenset(edits.edited()[0]), cache if keep_cache else None, n_bytes)
