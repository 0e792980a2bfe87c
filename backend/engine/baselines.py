"""What is computed once and resumed from: the shared prefix under an intervention, and each prompt without one.

Why it is exact. Attention looks back only, so what happens on the prefix depends on the prefix and the intervention,
not on the prompt. And a zero, scale or noise edit of a silent feature changes nothing: if none of the features in S
minus E is active on the prefix while E is ablated, then ablating S there is ablating E (by induction over layers). So
the many sets of a greedy search share a handful of prefix states.
"""

from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
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
from backend.engine.planner import Work, merged_starts, pack
from backend.subjects.language_model import ChatTokens, LanguageModel, PositionClass
from backend.subjects.sparse_autoencoder import FeatureId, SparseAutoencoder

PREFIX_CLASSES: tuple[PositionClass, ...] = ("sink", "system")
FROM_TOKENS = -1  # the layer of a row that must start at the embedding
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

    def active_among(self, features: Collection[FeatureId], classes: Iterable[PositionClass]) -> frozenset[FeatureId]:
        """Those of `features` that are active in any of some position classes."""
        return active_among(features, self.active, classes) if features else frozenset()


@dataclass(frozen=True)
class _Row:
    """Tokens to run."""

    ids: tuple[int, ...]
    classes: tuple[PositionClass, ...]
    intervention: Intervention = NO_INTERVENTION
    before: State | None = None  # the same tokens with fewer edits, which an edited prefix starts from; None: with none


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
        pass_tokens: int,
        between_batches: BetweenBatches = go_on,
    ) -> None:
        """max_tokens, pass_tokens: see `EngineSettings`."""
        self._model, self._saes, self._between_batches = model, saes, between_batches
        self._budget, self._max_tokens, self._pass_tokens = budget_bytes // 2, max_tokens, pass_tokens
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
        states = self._run(rows, prefix, FROM_TOKENS, keep_cache=False)
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
            states = self._prefix_states(
                [_prefix_row(prompts[i], _effective(interventions[i], ablated[i]), found[i]) for i in going]
            )
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
        (bare,) = self._prefix_states([_prefix_row(prompt)])
        return bool(bare.active_among(intervention.features, touched))

    def _prefix_states(self, rows: Sequence[_Row]) -> list[State]:
        """States of prefixes under interventions as they are, in the order asked."""
        keys = [_key(row) for row in rows]
        found: dict[Hashable, State] = {}
        missing: dict[tuple[int, ...], dict[Hashable, _Row]] = {}
        for key, row in zip(keys, rows, strict=True):
            kept = self._store(row.intervention).get(key)
            if kept is not None:
                found[key] = kept
            elif _edits_nothing(row.intervention):
                (state,) = self._run([row], None, FROM_TOKENS, keep_cache=True)
                found[key] = self._unedited.put(key, state)
            else:
                missing.setdefault(row.ids, {})[key] = row
        for alike in missing.values():
            for key, state in zip(alike, self._run_edited(list(alike.values())), strict=True):
                found[key] = self._edited.put(key, state)
        return [found[key] for key in keys]

    def _run_edited(self, rows: Sequence[_Row]) -> list[State]:
        """Rows of one prefix, each from the highest audited layer up to which it is as before."""
        (bare,) = self._prefix_states([replace(rows[0], intervention=NO_INTERVENTION, before=None)])
        rows = [row if row.before is not None else replace(row, before=bare) for row in rows]
        blocks = [_first_difference(row, self._saes) + 1 for row in rows]
        work = [Work(block, len(row.ids), highest_free=block) for block, row in zip(blocks, rows, strict=True)]
        starts = merged_starts(work, self._model.n_layers, self._max_tokens, self._pass_tokens)
        work = [one._replace(first_block=start) for one, start in zip(work, starts, strict=True)]
        states: dict[int, State] = {}
        for batch in pack(work, self._max_tokens):
            layer = work[batch[0]].first_block - 1
            states.update(zip(batch, self._run([rows[i] for i in batch], None, layer, keep_cache=True), strict=True))
        return [states[i] for i in range(len(rows))]

    def _store(self, intervention: Intervention) -> _Store:
        return self._unedited if _edits_nothing(intervention) else self._edited

    def _run(self, rows: Sequence[_Row], prefix: State | None, layer: int, *, keep_cache: bool) -> list[State]:
        """Some rows of tokens, from the first or all after the same prefix.

        layer: the audited layer whose residual before the edit there all rows start from, as it was before; or
        FROM_TOKENS. Rows whose caches are kept are of one length.
        """
        device = self._model.device
        edits = BatchEdits(self._saes, [row.intervention for row in rows], device, capture=list(self._saes))
        in_scope = [[float(c in row.intervention.scope.classes) for c in row.classes] for row in rows]
        edits.scope_mask = _padded(in_scope, device)
        befores = [row.before for row in rows if row.before is not None]
        if layer == FROM_TOKENS:
            start = _padded([row.ids for row in rows], device)
        else:
            start = edits.apply(layer, torch.stack([before.residuals[layer] for before in befores]))
        cache = self._model.new_cache() if prefix is None else resumed_cache(self._model, [prefix.cache] * len(rows), 0)
        self._between_batches()
        final = self._model.run(start, first_block=layer + 1, edits=edits.callables(layer + 1), cache=cache)
        edited = edits.edited()
        states = []
        for i, row in enumerate(rows):
            # Copies: a view would keep the whole batch.
            own = {at: captured[i, : len(row.ids)].clone() for at, captured in edits.captured.items()}
            last, changed, below = final[i, : len(row.ids)].clone(), edited[i], None
            if layer != FROM_TOKENS:
                below = befores[i].cache
                own = {**{at: x for at, x in befores[i].residuals.items() if at < layer}, **own}
                changed |= {feature for feature in befores[i].edited if feature.layer < layer}
            kept = row_of_cache(self._model, cache, i, below, layer + 1) if keep_cache else None
            n_bytes = sum(t.numel() * t.element_size() for t in [last, *own.values()])
            if kept is not None:
                n_bytes += sum(2 * one.keys.numel() * one.keys.element_size() for one in kept.layers)
            states.append(State(own, last, row.classes, self._saes, frozenset(changed), kept, n_bytes))
        return states


def _first_difference(row: _Row, saes: Iterable[int]) -> int:
    """The highest audited layer at which a row arrives as it did before; FROM_TOKENS where it is edited below them."""
    intervention, before = row.intervention, row.before.edited if row.before is not None else frozenset()
    layers = [feature.layer for feature in intervention.features if feature not in before]
    layers += intervention.reconstructed
    layers += intervention.direction.layers if intervention.direction is not None else ()
    return max((layer for layer in saes if layer <= min(layers, default=FROM_TOKENS)), default=FROM_TOKENS)


def _prefix_row(prompt: ChatTokens, intervention: Intervention = NO_INTERVENTION, before: State | None = None) -> _Row:
    """The shared prefix of a prompt."""
    return _Row(prompt.ids[: prompt.prefix_length], prompt.classes[: prompt.prefix_length], intervention, before)


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
    if not touched or not intervention.keeps_silence:
        return frozenset()
    return state.active_among(intervention.features, touched) - ablated


def _edits_nothing(intervention: Intervention) -> bool:
    return not intervention.features and not intervention.reconstructed and intervention.direction is None


def _key(row: _Row) -> Hashable:
    ids, intervention = row.ids, row.intervention
    if _edits_nothing(intervention):
        return (ids,)  # one state, whatever the scope said
    edits = tuple(intervention.coefficients())
    noise = intervention.noise if edits else None
    return ids, edits, noise, intervention.reconstructed, intervention.scope, intervention.direction
