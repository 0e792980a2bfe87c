"""The least that the engine's evaluations could cost: the library's own forward passes over the same batches.

Bare minimal forward: the same padded batches of tokens or resumed residuals with ready-made key-value caches, through
the same blocks, with no SAE, no hook and no planning; then the final norm and unembedding of one position a row.
Full forward: every token of the same prompts through every block, as many rows at once, unembedding one position.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Pair
from backend.subjects.language_model import LanguageModel
from backend.subjects.subject import Subject
from benchmarks.workload import Workload, by_prompt

FULL_FORWARD_TOKENS = 1024  # padded tokens of one batch, as the engine's


@dataclass(frozen=True)
class Batch:
    """One forward pass, ready to be run again."""

    start: Tensor
    first_block: int
    cache_layers: list[Any] | None


@dataclass
class RecordingModel:
    """A LanguageModel that keeps the inputs of its forward passes."""

    model: LanguageModel
    batches: list[Batch] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def run(self, start: Tensor, *, first_block: int = 0, cache: Any = None, **options: Any) -> Tensor:
        # The library replaces the tensors of a cache layer as it grows: shallow copies keep what stood there before.
        layers = None if cache is None else [copy(layer) for layer in cache.layers]
        self.batches.append(Batch(start, first_block, layers))
        return self.model.run(start, first_block=first_block, cache=cache, **options)


@dataclass(frozen=True)
class Bare:
    """All that the engine ran for a workload."""

    batches: list[Batch]
    rows_unembedded: list[int]


def record(subject: Subject, workload: Workload) -> Bare:
    """The forward passes of an engine that starts with nothing cached."""
    recording = RecordingModel(subject.model)
    engine = ResidualEngine(recording, dict(subject.saes))
    for pairs in workload.rounds:
        engine.score(pairs, workload.onset_ids)
    return Bare(recording.batches, [len(pairs) for pairs in workload.rounds])


def time_bare(model: LanguageModel, bare: Bare) -> float:
    """Seconds of the forward passes alone; caches are set up outside the clock."""
    seconds = 0.0
    for batch in bare.batches:
        cache = None
        if batch.cache_layers is not None:
            cache = model.new_cache()
            cache.layers = [copy(layer) for layer in batch.cache_layers]
        begun = perf_counter()
        model.run(batch.start, first_block=batch.first_block, cache=cache)
        seconds += perf_counter() - begun
    for rows in bare.rows_unembedded:
        residual = torch.ones(rows, model.d_model, dtype=model.dtype, device=model.device)
        begun = perf_counter()
        model.unembed(residual)
        seconds += perf_counter() - begun
    return seconds


def time_full_forward(model: LanguageModel, pairs: Sequence[Pair]) -> float:
    """Seconds of plain batched forward passes over whole prompts, one row an evaluation."""
    begun = perf_counter()
    for positions in by_prompt(pairs):
        prompt = pairs[positions[0]].prompt.ids
        most = max(1, FULL_FORWARD_TOKENS // len(prompt))
        for start in range(0, len(positions), most):
            ids = torch.tensor([prompt] * len(positions[start : start + most]), device=model.device)
            model.unembed(model.run(ids)[:, -1])
    return perf_counter() - begun
