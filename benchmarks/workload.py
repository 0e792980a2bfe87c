"""What is measured: the evaluations greedy searches ask for, in their order. Knows stages and engine; times nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from backend.audit.candidates import Candidates
from backend.audit.interventions import DEFAULT_SCOPE
from backend.audit.side_by_side import side_by_side
from backend.audit.stages.candidates import rank_candidates
from backend.audit.stages.greedy import find_minimal_sets
from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Evaluator, Pair, Score
from backend.prompts.bundled.subsets import bundled_prompts
from backend.prompts.prompt import Prompt
from backend.subjects.catalogue import PLANTED_SUBJECTS
from backend.subjects.language_model import ChatTokens
from backend.subjects.planted.prompts import planted_prompts
from backend.subjects.subject import Subject

K_SWEEP = (1, 2, 5)  # candidates per layer, ablated together
ORDERS = 3  # removal orders per prompt, as in effort quick
FIT_PROMPTS = 32  # of each label, behind the directions


@dataclass(frozen=True)
class Workload:
    """rounds: what searches side by side ask at once, one round after the other, as in an audit."""

    rounds: tuple[tuple[Pair, ...], ...]
    onset_ids: tuple[int, ...]

    @property
    def pairs(self) -> list[Pair]:
        return [pair for asked in self.rounds for pair in asked]


def by_prompt(pairs: Sequence[Pair]) -> list[list[int]]:
    """Positions of each prompt's evaluations."""
    positions: dict[tuple[int, ...], list[int]] = {}
    for position, pair in enumerate(pairs):
        positions.setdefault(tuple(pair.prompt.ids), []).append(position)
    return list(positions.values())


class _Recorder(ResidualEngine):
    """An engine that keeps what it was asked to score."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject.model, dict(subject.saes))
        self.rounds: list[tuple[Pair, ...]] = []

    def score(self, pairs: Sequence[Pair], onset_ids: Sequence[int]) -> list[Score]:
        self.rounds.append(tuple(pairs))
        return super().score(pairs, onset_ids)


def greedy_workload(subject: Subject, n_prompts: int) -> Workload:
    """Searches of up to n_prompts harmful test prompts whose score some K of K_SWEEP flips, so all go the whole way.

    Directions and onset tokens come from discovery prompts, as in an audit, only simpler: the last prompt token, and
    the likeliest first tokens of harmful prompts that no benign prompt has.
    """
    prompts = planted_prompts() if subject.id in PLANTED_SUBJECTS else bundled_prompts("all")
    recorder = _Recorder(subject)

    def encoded(chosen: Sequence[Prompt]) -> list[ChatTokens]:
        return [subject.model.encode_chat(prompt.text) for prompt in chosen]

    harmful = encoded(prompts.select("harmful", "discovery")[:FIT_PROMPTS])
    benign = encoded(prompts.select("benign", "discovery")[:FIT_PROMPTS])
    first = [
        set(recorder.log_probabilities([Pair(p) for p in group]).argmax(-1).tolist()) for group in (harmful, benign)
    ]
    onset_ids = tuple(sorted(first[0] - first[1]))
    candidates = _candidates(recorder, harmful, benign)

    def search(engine: Evaluator, prompt: ChatTokens) -> int | None:
        rng = np.random.default_rng(0)
        return find_minimal_sets(engine, prompt, candidates, onset_ids, DEFAULT_SCOPE, K_SWEEP, ORDERS, rng).k

    flipped = (p for p in encoded(prompts.select("harmful", "test")) if search(recorder, p) is not None)
    searched = list(islice(flipped, n_prompts))
    recorder.rounds.clear()
    side_by_side(recorder, [partial(search, prompt=prompt) for prompt in searched])
    return Workload(tuple(recorder.rounds), onset_ids)


def _candidates(engine: ResidualEngine, harmful: Sequence[ChatTokens], benign: Sequence[ChatTokens]) -> Candidates:
    """Best features of every layer by cosine with the difference of means at the last prompt token."""
    means = [engine.residuals(group, [-1])[:, :, 0].mean(0) for group in (harmful, benign)]
    directions = dict(zip(engine.saes, means[0] - means[1], strict=True))
    return rank_candidates(engine.saes, directions, _density(engine, benign), max(K_SWEEP))


def _density(engine: ResidualEngine, prompts: Sequence[ChatTokens]) -> dict[int, Tensor]:
    """Layer -> [d_sae]: share of the prompts' tokens where each feature is active."""
    active = {layer: torch.zeros(sae.d_sae) for layer, sae in engine.saes.items()}
    for prompt in prompts:
        residuals = engine.residuals([prompt], range(1, len(prompt.ids)))[0]
        for layer, residual in zip(engine.saes, residuals, strict=True):
            active[layer] += (engine.saes[layer].encode(residual) > 0).sum(0)
    tokens = sum(len(prompt.ids) - 1 for prompt in prompts)
    return {layer: counts / tokens for layer, counts in active.items()}
