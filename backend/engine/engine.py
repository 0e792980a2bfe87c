"""The fast path: many (prompt, intervention) pairs in; scores, activations or completions out.

Knows models and SAEs by protocol. What makes it fast: pairs packed by length; the shared prefix, the layers below the
first one that an edit changes, and those below the first one where it differs from an earlier evaluation of the prompt
are computed once and resumed from; only the onset position is unembedded.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from backend.audit.interventions import Scope
from backend.audit.refusal.score import refusal_score
from backend.engine.active_features import ActiveFeatures
from backend.engine.baselines import FROM_TOKENS, Baselines, State
from backend.engine.branches import Branch, Branches
from backend.engine.caches import attention_window, resumed_cache
from backend.engine.disturbed import DisturbedModel
from backend.engine.encode import encode_each, encode_features
from backend.engine.generation import generate_batch, own_ids, read_batch, scope_mask
from backend.engine.hooks import BatchEdits
from backend.engine.pauses import BetweenBatches, go_on, in_normal_mode
from backend.engine.planner import Work, merged_starts, pack
from backend.engine.protocol import Completion, Firing, Observation, Pair, Score, Told, tell_nobody
from backend.subjects.language_model import ChatTokens, Disturbance, LanguageModel
from backend.subjects.sparse_autoencoder import FeatureId, SparseAutoencoder

UNEMBED_ROWS = 256  # rows of the vocabulary-wide logits held at once


@dataclass(frozen=True)
class EngineSettings:
    """How much is done at once. The defaults suit the device; results do not depend on them beyond rounding."""

    max_tokens: int = 1024  # padded tokens of one batch
    max_sequences: int = 128  # rows generated together
    pass_tokens: int = (
        70  # a block costs the time of so many, however few run: measured 63 to 73, 3300 to 5600 on a GPU
    )
    cache_bytes: int = 512 * 2**20  # for prefix and prompt states, and as much again for branches

    @classmethod
    def for_device(cls, device: torch.device) -> "EngineSettings":
        if device.type == "cpu":
            return cls()
        return cls(max_tokens=32_768, max_sequences=256, pass_tokens=4096, cache_bytes=4 * 2**30)


@dataclass(frozen=True)
class _Plan:
    """How one pair is resumed."""

    prefix: State | None
    prompt: State
    resume_layer: int | None  # audited layer whose residual it starts from, or FROM_TOKENS; None: nothing changes
    first_change: int = FROM_TOKENS  # the highest such layer up to which it is the prompt without intervention
    branch: Branch | None = None  # an earlier evaluation to start from; None: the prompt without intervention


@dataclass(frozen=True)
class _Outcome:
    """One pair run to the end, tokens after the prefix only."""

    final: Tensor  # [d_model] at the onset position
    residuals: dict[int, Tensor]  # audited layer -> [tokens after the prefix, d_model], before the edit
    edited: frozenset[FeatureId]
    prefix: State | None


class ResidualEngine:
    """Implements `backend.engine.protocol.Engine`."""

    _baselines: Baselines
    _branches: Branches

    def __init__(
        self,
        model: LanguageModel,
        saes: dict[int, SparseAutoencoder],
        settings: EngineSettings | None = None,
        between_batches: BetweenBatches = go_on,
    ) -> None:
        self.model, self.saes = model, dict(sorted(saes.items()))
        self.settings = settings or EngineSettings.for_device(model.device)
        self._between_batches = in_normal_mode(between_batches)
        self._begin_anew(model)

    @property
    def rows(self) -> int:
        return self.settings.max_sequences

    @property
    def n_layers(self) -> int:
        return self.model.n_layers

    def begin(self, prompts: Sequence[ChatTokens]) -> None:
        self._begin_anew(self.model)
        self.expect(prompts)

    def expect(self, prompts: Sequence[ChatTokens]) -> None:
        self._baselines.expect(prompts)

    def forget(self) -> None:
        self._branches.forget()
        self._baselines.forget()

    @contextmanager
    def disturbed(self, disturbance: Disturbance) -> Iterator[None]:
        undisturbed = self.model, self._baselines, self._branches
        self._begin_anew(DisturbedModel(self.model, disturbance))
        try:
            yield
        finally:
            self.model, self._baselines, self._branches = undisturbed

    @torch.inference_mode()
    def score(self, pairs: Sequence[Pair], onset_ids: Sequence[int]) -> list[Score]:
        outcomes = self._run([self._with_own_prefix(pair) for pair in pairs])
        values = self.score_residuals(_stack([o.final for o in outcomes]), onset_ids)
        return [Score(value, outcome.edited) for value, outcome in zip(values, outcomes, strict=True)]

    @torch.inference_mode()
    def log_probabilities(self, pairs: Sequence[Pair]) -> Tensor:
        return self.residual_log_probabilities(self.final_residuals(pairs))

    @torch.inference_mode()
    def response_log_probabilities(self, pairs: Sequence[Pair], responses: Sequence[Sequence[int]]) -> list[Tensor]:
        if not all(responses):
            raise ValueError("responses: each needs at least one token")
        pairs = [self._with_own_prefix(pair) for pair in pairs]
        work = [
            Work(0, pair.prompt.n_own + len(response) - 1, pair.prompt.prefix_length)
            for pair, response in zip(pairs, responses, strict=True)
        ]
        done: dict[int, Tensor] = {}
        for batch in pack(work, self.settings.max_tokens):
            prefixes = self._prefixes([pairs[i] for i in batch])
            asked, ids = [pairs[i] for i in batch], [responses[i] for i in batch]
            read = read_batch(self.model, self.saes, asked, ids, prefixes, self._between_batches)
            done.update({i: self.residual_log_probabilities(rows) for i, rows in zip(batch, read, strict=True)})
        return [done[i] for i in range(len(pairs))]

    @torch.inference_mode()
    def residual_log_probabilities(self, residuals: Tensor) -> Tensor:
        parts = torch.split(residuals.to(self.model.device), UNEMBED_ROWS)
        return torch.cat([torch.log_softmax(self.model.unembed(rows), -1).cpu() for rows in parts])

    @torch.inference_mode()
    def generate(self, pairs: Sequence[Pair], max_new_tokens: int, told: Told = tell_nobody) -> list[Completion]:
        done: dict[int, Completion] = {}
        told = in_normal_mode(told)
        for batch in self._generation_batches(pairs, max_new_tokens):
            asked = [pairs[i] for i in batch]
            told_of_batch = partial(_tell_share_of, told, len(done), len(batch), len(pairs))
            completions = generate_batch(
                self.model,
                self.saes,
                asked,
                self._prefixes(asked),
                max_new_tokens,
                self.settings.max_tokens,
                self._between_batches,
                told_of_batch,
            )
            done.update(zip(batch, completions, strict=True))
        return [done[i] for i in range(len(pairs))]

    @torch.inference_mode()
    def observe(self, pairs: Sequence[Pair], onset_ids: Sequence[int], scope: Scope) -> list[Observation]:
        pairs = [self._with_own_prefix(pair) for pair in pairs]
        outcomes = self._run(pairs, capture=True)
        values = self.score_residuals(_stack([outcome.final for outcome in outcomes]), onset_ids)
        found = [ActiveFeatures(pair.prompt.classes, scope) for pair in pairs]
        for layer, sae in self.saes.items():
            activations = self._activations(layer, outcomes)
            for outcome, everywhere, of_pair in zip(outcomes, activations, found, strict=True):
                _, unit_size = sae.preprocess(outcome.residuals[layer][-1:])
                of_pair.note(layer, everywhere, unit_size[0])
        return [
            Observation(Score(value, outcome.edited), of_pair, outcome.final.float().cpu())
            for outcome, value, of_pair in zip(outcomes, values, found, strict=True)
        ]

    @torch.inference_mode()
    def firing(self, prompts: Sequence[ChatTokens], scope: Scope) -> list[dict[int, Firing]]:
        outcomes = self._run([Pair(prompt) for prompt in prompts], capture=True)
        found: list[dict[int, Firing]] = [{} for _ in prompts]
        for layer in self.saes:
            activations = self._activations(layer, outcomes)
            for prompt, everywhere, by_layer in zip(prompts, activations, found, strict=True):
                in_scope = [i for i, c in enumerate(prompt.classes) if c in scope.classes]
                active = everywhere[in_scope] if in_scope else torch.zeros_like(everywhere[:1])
                by_layer[layer] = Firing(active.amax(0).cpu(), active.mean(0).cpu(), (active > 0).sum(0).cpu())
        return found

    @torch.inference_mode()
    def token_activations(self, pairs: Sequence[Pair], features: Sequence[FeatureId]) -> list[Tensor]:
        results = []
        for pair, outcome in zip(pairs, self._run(pairs, capture=True), strict=True):
            residuals = _with_prefix(outcome)
            table = torch.zeros(len(pair.prompt.ids), len(features))
            for layer, residual in residuals.items():
                columns = [c for c, feature in enumerate(features) if feature.layer == layer]
                if columns:
                    indices = torch.tensor([features[c].index for c in columns], device=residual.device)
                    table[:, columns] = encode_features(self.saes[layer], residual, indices).cpu()
            results.append(table)
        return results

    @torch.inference_mode()
    def residuals(self, prompts: Sequence[ChatTokens], positions: Sequence[int]) -> Tensor:
        rows = [_with_prefix(outcome) for outcome in self._run([Pair(prompt) for prompt in prompts], capture=True)]
        return torch.stack([torch.stack([x[list(positions)].float().cpu() for x in row.values()]) for row in rows])

    @torch.inference_mode()
    def final_residuals(self, pairs: Sequence[Pair]) -> Tensor:
        return _stack([outcome.final for outcome in self._run(pairs)])

    @torch.inference_mode()
    def score_residuals(
        self, residuals: Tensor, onset_ids: Sequence[int], frozen_scale_of: Tensor | None = None
    ) -> list[float]:
        scores: list[float] = []
        for start in range(0, len(residuals), UNEMBED_ROWS):
            rows = residuals[start : start + UNEMBED_ROWS].to(self.model.device)
            scale = None
            if frozen_scale_of is not None:
                scale = self.model.norm_scale(frozen_scale_of[start : start + UNEMBED_ROWS].to(self.model.device))
            scores += refusal_score(self.model.unembed(rows, scale), onset_ids).tolist()
        return scores

    # -- inside ------------------------------------------------------------------------------------------------

    def _begin_anew(self, model: LanguageModel) -> None:
        self.model = model
        self._baselines = Baselines(
            model,
            self.saes,
            self.settings.cache_bytes,
            self.settings.max_tokens,
            self.settings.pass_tokens,
            self._between_batches,
        )
        self._branches = Branches(self.settings.cache_bytes)

    def _generation_batches(self, pairs: Sequence[Pair], max_new_tokens: int) -> list[list[int]]:
        """Similar lengths together; equal ones only where padding could push a token out of a sliding window."""
        lengths = [len(pair.prompt.ids) for pair in pairs]
        window = attention_window(self.model)
        fits = window is None or max(lengths, default=0) + max_new_tokens <= window
        batches: list[list[int]] = []
        for i in sorted(range(len(pairs)), key=lambda i: (lengths[i], i)):
            room = batches and len(batches[-1]) < self.settings.max_sequences
            if room and (fits or lengths[batches[-1][0]] == lengths[i]):
                batches[-1].append(i)
            else:
                batches.append([i])
        return batches

    def _with_own_prefix(self, pair: Pair) -> Pair:
        """A pair whose edited prefix is not worth keeping runs it with the prompt, as one with no shared prefix."""
        if pair.reuse == "prefix" or not self._baselines.edits_prefix(pair.prompt, pair.intervention):
            return pair
        return _whole(pair)

    def _prefixes(self, pairs: Sequence[Pair]) -> list[State | None]:
        return self._baselines.prefixes([pair.prompt for pair in pairs], [pair.intervention for pair in pairs])

    def _run(self, pairs: Sequence[Pair], *, capture: bool = False) -> list[_Outcome]:
        prefixes = self._prefixes(pairs)
        plans = [self._plan(pair, prefix, branch=not capture) for pair, prefix in zip(pairs, prefixes, strict=True)]
        outcomes: dict[int, _Outcome] = {}
        pending: list[int] = []
        work: list[Work] = []
        for i, (pair, plan) in enumerate(zip(pairs, plans, strict=True)):
            if plan.resume_layer is None:
                outcomes[i] = _Outcome(plan.prompt.final[-1], plan.prompt.residuals, frozenset(), plan.prefix)
            else:
                pending.append(i)
                free = plan.first_change + 1
                work.append(Work(plan.resume_layer + 1, pair.prompt.n_own, pair.prompt.prefix_length, free))
        starts = merged_starts(work, self.n_layers, self.settings.max_tokens, self.settings.pass_tokens)
        for place, start in enumerate(starts):
            if start < work[place].first_block:
                work[place] = work[place]._replace(first_block=start)
                plans[pending[place]] = replace(plans[pending[place]], resume_layer=start - 1, branch=None)
        for batch in pack(work, self.settings.max_tokens):
            rows = [pending[b] for b in batch]
            ran = self._run_batch([pairs[i] for i in rows], [plans[i] for i in rows], capture)
            outcomes.update(zip(rows, ran, strict=True))
        return [outcomes[i] for i in range(len(pairs))]

    def _plan(self, pair: Pair, prefix: State | None, *, branch: bool) -> _Plan:
        """Where to resume: below the first layer that the edit changes, a pair is its prompt without intervention.

        branch: higher still, where an earlier evaluation with the same edits so far has been.
        """
        intervention, prompt = pair.intervention, pair.prompt
        state = self._baselines.prompt(prompt)
        layers = [feature.layer for feature in prefix.edited] if prefix is not None else []
        if intervention.direction is not None:
            layers += intervention.direction.layers
        layers += intervention.reconstructed
        features = frozenset(intervention.features)
        if intervention.keeps_silence:
            features = state.active_among(features, intervention.scope.classes)
        layers += [feature.layer for feature in features]
        if not layers:
            return _Plan(prefix, state, None)
        below = [layer for layer in self.saes if layer <= min(layers)]
        resume_layer = max(below, default=FROM_TOKENS)
        if branch and _branches_off(pair):
            above = [layer for layer in self.saes if layer > resume_layer]
            found = self._branches.highest(prompt, intervention, above)
            if found is not None:
                return _Plan(prefix, state, found.layer, resume_layer, found)
        return _Plan(prefix, state, resume_layer, resume_layer)

    def _activations(self, layer: int, outcomes: Sequence[_Outcome]) -> Iterator[Tensor]:
        """Of each in turn the activations [all prompt tokens, d_sae] at a layer; a prefix that several share is encoded
        once."""
        sae = self.saes[layer]
        prefixes = {id(outcome.prefix): outcome.prefix for outcome in outcomes if outcome.prefix is not None}
        encoded = encode_each(sae, [prefix.residuals[layer] for prefix in prefixes.values()])
        before = dict(zip(prefixes, encoded, strict=True))
        own = encode_each(sae, [outcome.residuals[layer] for outcome in outcomes])
        for outcome, after in zip(outcomes, own, strict=True):
            yield after if outcome.prefix is None else torch.cat([before[id(outcome.prefix)], after])

    def _run_batch(self, pairs: list[Pair], plans: list[_Plan], capture: bool) -> list[_Outcome]:
        device = self.model.device
        resume_layer = plans[0].resume_layer
        assert resume_layer is not None
        above = [layer for layer in self.saes if layer > resume_layer]
        edits = BatchEdits(self.saes, [pair.intervention for pair in pairs], device, capture=above)
        lengths = [pair.prompt.n_own for pair in pairs]
        edits.scope_mask = scope_mask(pairs, device)
        if resume_layer == FROM_TOKENS:
            start = own_ids(pairs, device)
        else:
            cached = [p.branch.residual if p.branch else p.prompt.residuals[resume_layer] for p in plans]
            start = edits.apply(resume_layer, pad_sequence(cached, batch_first=True))
        prefixes = [plan.prefix.cache for plan in plans if plan.prefix is not None]
        self._between_batches()
        final = self.model.run(
            start,
            first_block=resume_layer + 1,
            edits=edits.callables(resume_layer + 1),
            cache=resumed_cache(self.model, prefixes, resume_layer + 1) if prefixes else None,
        )
        edited = edits.edited()
        outcomes = []
        for row, (pair, plan, length) in enumerate(zip(pairs, plans, lengths, strict=True)):
            own = {layer: edits.captured[layer][row, :length] for layer in above}
            changed = frozenset(edited[row]) | (plan.branch.edited if plan.branch is not None else frozenset())
            if _branches_off(pair):
                for layer, residual in own.items():
                    below = frozenset(feature for feature in changed if feature.layer < layer)
                    self._branches.keep(pair.prompt, pair.intervention, Branch(layer, residual, below))
            residuals = {**plan.prompt.residuals, **own} if capture else {}
            before = plan.prefix.edited if plan.prefix is not None else frozenset()
            outcomes.append(_Outcome(final[row, length - 1], residuals, before | changed, plan.prefix))
        return outcomes


def _tell_share_of(told: Told, before: int, here: int, total: int, share: float) -> None:
    told((before + share * here) / total)


def _branches_off(pair: Pair) -> bool:
    """Others like it will come: a set of features that is asked for in the course of a search."""
    return pair.reuse != "nothing" and bool(pair.intervention.features) and pair.intervention.direction is None


def _with_prefix(outcome: _Outcome) -> dict[int, Tensor]:
    """Audited layer -> [all prompt tokens, d_model], before the edit there."""
    if outcome.prefix is None:
        return outcome.residuals
    return {layer: torch.cat([outcome.prefix.residuals[layer], own]) for layer, own in outcome.residuals.items()}


def _whole(pair: Pair) -> Pair:
    """The pair with no shared prefix: all of its prompt is run."""
    return replace(pair, prompt=replace(pair.prompt, prefix_length=0))


def _stack(rows: list[Tensor]) -> Tensor:
    return torch.stack([row.float().cpu() for row in rows]) if rows else torch.zeros(0, 0)
