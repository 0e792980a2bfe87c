"""Stage 2: greedy filtering of one prompt's candidates to minimal sets, with certificates.

Works on the refusal score with threshold 0; generation confirms afterwards. Knows the engine by protocol.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.audit.candidates import Candidates
from backend.audit.feature_sets import FeatureSet, FoundSet, ScoreSets, certificate
from backend.audit.interventions import Scope, ablate
from backend.audit.results import Restored, SweepStep
from backend.engine.protocol import Evaluator, Pair, Reuse
from backend.subjects.language_model import ChatTokens
from backend.subjects.sparse_autoencoder import FeatureId

COARSE_ABOVE = 12  # sets larger than this are first thinned several features at a time


@dataclass(frozen=True)
class Search:
    """What greedy filtering found for one prompt."""

    sweep: tuple[SweepStep, ...]
    k: int | None  # smallest K whose joint ablation flips; None within none
    widest: FeatureSet  # the active features of the last K tried
    found: tuple[FoundSet, ...]  # least effect first gave the first
    n_evaluations: int


class _Scores:
    """Scores of ablated sets of one prompt, each computed once."""

    def __init__(self, engine: Evaluator, prompt: ChatTokens, onset_ids: Sequence[int], scope: Scope) -> None:
        self._engine, self._prompt, self._onset_ids, self._scope = engine, prompt, onset_ids, scope
        self._known: dict[FeatureSet, float] = {}
        self._edited: dict[FeatureSet, FeatureSet] = {}

    def __call__(self, sets: Sequence[FeatureSet]) -> list[float]:
        wanted = list(dict.fromkeys(s for s in sets if s not in self._known))
        if wanted:
            pairs = [Pair(self._prompt, ablate(s, self._scope), _reuse(s)) for s in wanted]
            for features, score in zip(wanted, self._engine.score(pairs, self._onset_ids), strict=True):
                self._known[features], self._edited[features] = score.value, score.edited
        return [self._known[s] for s in sets]

    def active_part(self, features: FeatureSet) -> FeatureSet:
        """The features whose ablation did something; ablating these alone is the same intervention."""
        self([features])
        part = self._edited[features]
        self._known.setdefault(part, self._known[features])
        self._edited.setdefault(part, part)
        return part

    @property
    def count(self) -> int:
        return len(self._known)


def find_minimal_sets(
    engine: Evaluator,
    prompt: ChatTokens,
    candidates: Candidates,
    onset_ids: Sequence[int],
    scope: Scope,
    k_sweep: Sequence[int],
    orders: int,
    random: np.random.Generator,
) -> Search:
    """Sweep K until the joint ablation flips the score, then thin that set in several removal orders.

    The first order removes the feature of least effect first; the others are random. Distinct minimal sets are
    redundancy: other sets of equal power.
    """
    scores = _Scores(engine, prompt, onset_ids, scope)
    sweep: list[SweepStep] = []
    widest: FeatureSet = frozenset()
    flipping_k: int | None = None
    for k in k_sweep:
        chosen = frozenset(candidates.top(k))
        score = scores([chosen])[0]
        widest = scores.active_part(chosen)
        sweep.append(SweepStep(k, len(widest), score))
        if score < 0:
            flipping_k = k
            break
    if flipping_k is None:
        return Search(tuple(sweep), None, widest, (), scores.count)

    first = _least_effect_first(scores, widest)
    removal_orders = [first] + [[sorted(widest)[i] for i in random.permutation(len(widest))] for _ in range(orders - 1)]
    ends = [path[-1] for path in _thin_all(scores, [_Thinning(widest, order) for order in removal_orders])]
    _restore_each(scores, ends)
    sets = tuple(
        FoundSet(features, scores([features])[0], certificate(scores, features), count)
        for features, count in Counter(ends).items()
    )
    return Search(tuple(sweep), flipping_k, widest, sets, scores.count)


def stronger_sets(
    engine: Evaluator,
    prompt: ChatTokens,
    candidates: Candidates,
    onset_ids: Sequence[int],
    scope: Scope,
    k_sweep: Sequence[int],
    margins: Sequence[float],
) -> tuple[FoundSet, ...]:
    """For each margin in turn a set that is 1-minimal for s < -margin, from the smallest K whose joint ablation reaches
    it; up to the first margin that none does.

    k_sweep: those that may reach one. margins: ascending. A score just below 0 leaves nearly half of the probability
    on refusal, and greedy decoding may still refuse.
    """
    scores, thinnings = _Scores(engine, prompt, onset_ids, scope), list[_Thinning]()
    for margin in margins:
        starts = (scores.active_part(frozenset(candidates.top(k))) for k in k_sweep)
        start = next((start for start in starts if scores([start])[0] < -margin), None)
        if start is None:
            break
        least_aligned_first = sorted(start, key=lambda f: (candidates.cosine(f), f))
        thinnings.append(_Thinning(start, least_aligned_first, -margin))
    ends = [path[-1] for path in _thin_all(scores, thinnings)]
    _restore_each(scores, ends)
    return tuple(
        FoundSet(features, scores([features])[0], certificate(scores, features), 1, margin)
        for features, margin in zip(ends, margins, strict=False)
    )


def ablation_curve(
    engine: Evaluator, prompt: ChatTokens, found: FoundSet, onset_ids: Sequence[int], scope: Scope
) -> tuple[Restored, ...]:
    """The score as a set's features are ablated one after another, the ones it can least do without first."""
    ordered = sorted(found.certificate, key=lambda restored: (-restored.score, restored.feature))
    sets = [frozenset(FeatureId.parse(r.feature) for r in ordered[: i + 1]) for i in range(len(ordered))]
    scores = _Scores(engine, prompt, onset_ids, scope)(sets)
    return tuple(Restored(r.feature, score) for r, score in zip(ordered, scores, strict=True))


def _reuse(features: FeatureSet) -> Reuse:
    """A large set rarely leaves the prefix as another set left it."""
    return "prefix" if len(features) <= COARSE_ABOVE else "layers"


def _least_effect_first(scores: ScoreSets, features: FeatureSet) -> list[FeatureId]:
    ordered = sorted(features)
    restored = dict(zip(ordered, scores([features - {f} for f in ordered]), strict=True))
    return sorted(ordered, key=lambda f: (restored[f], f))


def _restore_each(scores: _Scores, sets: Sequence[FeatureSet]) -> None:
    """Ask at once for all that the sets' certificates will ask for."""
    scores([features - {feature} for features in sets for feature in features])


def _thin_all(scores: ScoreSets, thinnings: Sequence["_Thinning"]) -> list[tuple[FeatureSet, ...]]:
    """The sets that each thinning passes through. They advance together, so that their trials share batches."""
    while True:
        trials = {thinning: thinning.trial for thinning in thinnings if thinning.trial is not None}
        if not trials:
            return [tuple(thinning.path) for thinning in thinnings]
        for thinning, score in zip(trials, scores(list(trials.values())), strict=True):
            thinning.decide(score)


class _Thinning:
    """Thins a set in one removal order. A removal is kept while the score stays below the threshold; passes repeat
    until none is."""

    def __init__(self, start: FeatureSet, order: Sequence[FeatureId], threshold: float = 0.0) -> None:
        self.path = [start]
        self._order, self._threshold = tuple(order), threshold
        self._step = max(1, len(start) // 4) if len(start) > COARSE_ABOVE else 1
        self._at, self._removed_any = 0, False
        self.trial: FeatureSet | None = None
        self._next()

    def decide(self, score: float) -> None:
        """Take or leave the removal on trial, whose score this is, and set up the next."""
        assert self.trial is not None
        if score < self._threshold:
            self.path.append(self.trial)
            self._removed_any = True
        self._at += self._step
        self._next()

    def _next(self) -> None:
        kept = self.path[-1]
        while True:
            if self._at >= len(self._order):
                if self._step == 1 and not self._removed_any:
                    self.trial = None
                    return
                # A pass of single removals that changed something is repeated: an earlier refusal may not hold now.
                self._step = max(1, self._step // 2)
                self._order = tuple(f for f in self._order if f in kept)
                self._at, self._removed_any = 0, False
            removal = frozenset(self._order[self._at : self._at + self._step]) & kept
            if removal and removal != kept:
                self.trial = kept - removal
                return
            self._at += self._step
