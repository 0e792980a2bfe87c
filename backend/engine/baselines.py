"""What is computed once and resumed from: the shared prefix under an intervention, and each prompt without one.

Why it is exact. Attention looks back only, so what happens on the prefix depends on the prefix and the intervention,
not on the prompt. And a zero, scale or noise edit of a silent feature changes nothing: if none of the features in S
minus E is active on the prefix while E is ablated, then ablating S there is ablating E (by induction over layers). So
the many sets of a greedy search share a handful of prefix states.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from backend.audit.interventions import NO_INTERVENTION, Intervention
from backend.engine.caches import resumed_cache, row_of_cache
from backend.engine.encode import Activity, active_among, activity
from backend.engine.hooks import BatchEdits
from backend.engine.pauses import BetweenBatches, go_on
from backend.subjects.language_model import ChatTokens, LanguageModel, PositionClass
from backend.subjects.sparse_autoencoder import FeatureId, SparseAutoencoder

PREFIX_CLASSES: tuple[PositionClass, ...] = ("sink", "system")
GROUPS_IN_A_BATCH = 4  # a group of prompts is so much smaller than a batch: one alone may be asked for


@dataclass(frozen=True)
class State:
    """Some tokens run to the end: what later work resumes from."""

    residuals: dict[int, Tensor]  # audited layer -> [tokens, d_model], as found before any edit there
    final: Tensor  # [tokens, d_model], before the final norm
    classes: tuple[PositionClass, ...]  # one a token
    saes: dict[int, SparseAutoencoder]
    edited: frozenset[FeatureId] = frozenset()
    cache: Any = None  # key-value cache of these tokens, batch of one; kept for prefixes only
    n_bytes: int = 0

    @cached_property
    def active(self) -> Activity:
        """Which features are active, found when first asked for: edits of a direction never ask."""
        return activity(self.saes, self.residuals, self.classes)


@dataclass(frozen=True)
class _Row:
    """Tokens to run."""

    ids: tuple[int, ...]
    classes: tuple[PositionClass, ...]
    intervention: Intervention = NO_INTERVENTION


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

    def drop(self, key: Hashable) -> None:
        dropped = self.states.pop(key, None)
        self.held -= dropped.n_bytes if dropped is not None else 0


class Baselines:
    """Prefix states by intervention and prompt states without one, computed on demand.

    A resumed audit computes the same numbers as an undisturbed one, to the last bit. So what nothing edits is computed
    one at a time, or always in the same group of prompts that were expected together, whatever else was asked for. And
    edited prefixes asked for together are computed together, but forgotten before each piece of work.
    """

    def __init__(
        self,
        model: LanguageModel,
        saes: dict[int, SparseAutoencoder],
        budget_bytes: int,
        max_tokens: int,
        between_batches: BetweenBatches = go_on,
    ) -> None:
        self._model, self._saes, self._between_batches = model, saes, between_batches
        self._budget, self._max_tokens = budget_bytes // 2, max_tokens
        self._edited, self._unedited = _Store(self._budget), _Store(self._budget)
        self._group: dict[ChatTokens, tuple[ChatTokens, ...]] = {}

    def forget(self) -> None:
        """Drop the edited prefixes."""
        self._edited = _Store(self._budget)

    def expect(self, prompts: Sequence[ChatTokens]) -> None:
        """From now on each of these is computed with its neighbours, those of groups that were made before excepted."""
        new = [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._group]
        for group in _neighbours(new, max(1, self._max_tokens // GROUPS_IN_A_BATCH)):
            for prompt in group:
                self._group[prompt] = group
                self._unedited.drop(prompt)

    def prompt(self, prompt: ChatTokens) -> State:
        """The tokens after the prefix, with no intervention."""
        found = self._unedited.get(prompt)
        if found is not None:
            return found
        group = self._group.get(prompt, (prompt,))
        prefix = self.prefix(prompt, NO_INTERVENTION)
        own = [slice(one.prefix_length, len(one.ids)) for one in group]
        rows = [_Row(one.ids[place], one.classes[place]) for one, place in zip(group, own, strict=True)]
        states = self._run(rows, prefix, keep_cache=False)
        for one, state in zip(group, states, strict=True):
            self._unedited.put(one, state)
        return states[group.index(prompt)]

    def prefix(self, prompt: ChatTokens, intervention: Intervention) -> State | None:
        """The shared prefix of this prompt under an intervention; None when the prompt has no prefix."""
        return self.prefixes([prompt], [intervention])[0]

    def prefixes(self, prompts: Sequence[ChatTokens], interventions: Sequence[Intervention]) -> list[State | None]:
        """Each prompt's shared prefix under its intervention. What is missing is run together."""
        found: list[State | None] = [None] * len(prompts)
        ablated: list[frozenset[FeatureId]] = [frozenset()] * len(prompts)
        going = [i for i, prompt in enumerate(prompts) if prompt.prefix_length]
        while going:
            states = self._prefix_states([(prompts[i], _effective(interventions[i], ablated[i])) for i in going])
            waking = [_waking(interventions[i], state, ablated[i]) for i, state in zip(going, states, strict=True)]
            for i, state, features in zip(going, states, waking, strict=True):
                found[i] = state
                lowest = min((feature.layer for feature in features), default=None)
                ablated[i] |= {feature for feature in features if feature.layer == lowest}
            going = [i for i, features in zip(going, waking, strict=True) if features]
        return found

    def edits_prefix(self, prompt: ChatTokens, intervention: Intervention) -> bool:
        """Whether the shared prefix is another under this intervention."""
        touched = _touched(intervention)
        if prompt.prefix_length == 0 or not touched:
            return False
        if intervention.direction is not None or intervention.reconstructed:
            return True
        if intervention.features and not intervention.keeps_silence:
            return True
        (bare,) = self._prefix_states([(prompt, NO_INTERVENTION)])
        return bool(active_among(intervention.features, bare.active, touched))

    def _prefix_states(self, asked: Sequence[tuple[ChatTokens, Intervention]]) -> list[State]:
        """States of prefixes under interventions as they are, in the order asked."""
        keys = [_key(prompt, intervention) for prompt, intervention in asked]
        found: dict[Hashable, State] = {}
        missing: dict[tuple[int, ...], dict[Hashable, tuple[ChatTokens, Intervention]]] = {}
        for key, (prompt, intervention) in zip(keys, asked, strict=True):
            kept = self._store(intervention).get(key)
            if kept is not None:
                found[key] = kept
            elif _edits_nothing(intervention):
                (state,) = self._run([_prefix_row(prompt, intervention)], None, keep_cache=True)
                found[key] = self._unedited.put(key, state)
            else:
                missing.setdefault(prompt.ids[: prompt.prefix_length], {})[key] = prompt, intervention
        for ids, alike in missing.items():
            most = max(1, self._max_tokens // len(ids))
            left = list(alike)
            for some in (left[start : start + most] for start in range(0, len(left), most)):
                states = self._run([_prefix_row(*alike[key]) for key in some], None, keep_cache=True)
                found.update({key: self._edited.put(key, state) for key, state in zip(some, states, strict=True)})
        return [found[key] for key in keys]

    def _store(self, intervention: Intervention) -> _Store:
        return self._unedited if _edits_nothing(intervention) else self._edited

    def _run(self, rows: Sequence[_Row], prefix: State | None, *, keep_cache: bool) -> list[State]:
        """Some rows of tokens, from the first or all after the same prefix. Those whose caches are kept are of one
        length."""
        device = self._model.device
        edits = BatchEdits(self._saes, [row.intervention for row in rows], device, capture=list(self._saes))
        in_scope = [[float(c in row.intervention.scope.classes) for c in row.classes] for row in rows]
        edits.scope_mask = _padded(in_scope, device)
        cache = self._model.new_cache() if prefix is None else resumed_cache(self._model, [prefix.cache] * len(rows), 0)
        self._between_batches()
        final = self._model.run(_padded([row.ids for row in rows], device), edits=edits.callables(), cache=cache)
        edited = edits.edited()
        states = []
        for i, row in enumerate(rows):
            # Copies: a view would keep the whole batch.
            own = {layer: captured[i, : len(row.ids)].clone() for layer, captured in edits.captured.items()}
            last = final[i, : len(row.ids)].clone()
            kept = row_of_cache(self._model, cache, i) if keep_cache else None
            n_bytes = sum(t.numel() * t.element_size() for t in [last, *own.values()])
            if kept is not None:
                n_bytes += sum(2 * layer.keys.numel() * layer.keys.element_size() for layer in kept.layers)
            states.append(State(own, last, row.classes, self._saes, frozenset(edited[i]), kept, n_bytes))
        return states


def _prefix_row(prompt: ChatTokens, intervention: Intervention) -> _Row:
    return _Row(prompt.ids[: prompt.prefix_length], prompt.classes[: prompt.prefix_length], intervention)


def _neighbours(prompts: Sequence[ChatTokens], most: int) -> Iterator[tuple[ChatTokens, ...]]:
    """In the order given, those of one prefix together, as many as come to `most` padded tokens. Prompts are mostly
    asked for in their order, so that of a group that has gone from the store all are needed again soon."""
    group: list[ChatTokens] = []
    for prompt in prompts:
        together = [*group, prompt]
        prefixes = {one.ids[: one.prefix_length] for one in together}
        if group and (len(prefixes) > 1 or len(together) * max(one.n_own for one in together) > most):
            yield tuple(group)
            together = [prompt]
        group = together
    if group:
        yield tuple(group)


def _padded(rows: Sequence[Sequence[float]], device: torch.device) -> Tensor:
    """[rows, longest], with zeros at the end of what is shorter, where nothing sees them."""
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True).to(device)


def _touched(intervention: Intervention) -> list[PositionClass]:
    """Position classes of the prefix that are in scope."""
    return [c for c in PREFIX_CLASSES if c in intervention.scope.classes]


def _effective(intervention: Intervention, waking: frozenset[FeatureId]) -> Intervention:
    """What an intervention is on a prefix on which only some of its features are active."""
    if not _touched(intervention):
        return NO_INTERVENTION
    if not intervention.keeps_silence:
        return intervention
    # Modes with target values come here with targets of 0 only: zero.
    mode = "zero" if intervention.values else intervention.mode
    return replace(intervention, features=tuple(waking), mode=mode, values=())


def _waking(intervention: Intervention, state: State, ablated: frozenset[FeatureId]) -> frozenset[FeatureId]:
    """Features of an intervention that are active on a prefix on which some of them are ablated already."""
    touched = _touched(intervention)
    if not touched or not intervention.features or not intervention.keeps_silence:
        return frozenset()
    return active_among(intervention.features, state.active, touched) - ablated


def _edits_nothing(intervention: Intervention) -> bool:
    return not intervention.features and not intervention.reconstructed and intervention.direction is None


def _key(prompt: ChatTokens, intervention: Intervention) -> Hashable:
    ids = prompt.ids[: prompt.prefix_length]
    if _edits_nothing(intervention):
        return (ids,)  # one state, whatever the scope said
    edits = tuple(intervention.coefficients())
    noise = intervention.noise if edits else None
    return ids, edits, noise, intervention.reconstructed, intervention.scope, intervention.direction
