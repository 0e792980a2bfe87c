"""Stronger sets and matched random sets for searched prompts, by score; a few prompts at a time, each group kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from backend.audit.content import Keys, asked
from backend.audit.even_batches import even_batches
from backend.audit.feature_sets import FoundSet, distinct_random_sets
from backend.audit.fitted import Fitted
from backend.audit.interventions import Scope
from backend.audit.progress import Checkpoint, Progress, Step, kept_together
from backend.audit.results import MinimalSet
from backend.audit.seeds import generator
from backend.audit.side_by_side import side_by_side
from backend.audit.spec import AuditSettings
from backend.audit.stages.controls import MARGINS, Drawn, Trial, score_random_sets
from backend.audit.stages.greedy import Search, stronger_sets
from backend.engine.protocol import Engine, Evaluator, Pair
from backend.subjects.sparse_autoencoder import FeatureId

TOGETHER = 8  # prompts; a kill loses at most these

T = TypeVar("T")
W = TypeVar("W")


@dataclass(frozen=True)
class Stronger:
    """One prompt's stronger sets, as they are checkpointed."""

    sets: tuple[FoundSet, ...]


@dataclass(frozen=True)
class ControlSets:
    """What `confirm_arms` asks for besides completions. searches: by prompt id; known: what they depend on."""

    engine: Engine
    searches: dict[str, Search]
    fitted: Fitted
    settings: AuditSettings
    scopes: dict[str, Scope]  # of the random sets, by name
    known: str
    keys: Keys
    checkpoint: Checkpoint
    progress: Progress

    def strengthen(self, disagreeing: Sequence[Trial]) -> list[tuple[FoundSet, ...]]:
        """See `controls.Strengthen`."""
        keys = [self._key("stronger", trial) for trial in disagreeing]
        return [found.sets for found in self._in_groups("stronger sets", disagreeing, keys, Stronger, self._search)]

    def draw_random(self, matched: Sequence[tuple[Trial, MinimalSet]]) -> list[Drawn]:
        """See `controls.DrawRandom`."""
        draws = self.settings.amounts.random_draws
        keys = [self._key("random", trial, one.features, draws, self.scopes) for trial, one in matched]
        return self._in_groups("random sets", matched, keys, Drawn, lambda group, told: self._draw(group))

    def _key(self, name: str, trial: Trial, *parts: object) -> str:
        return self.keys.stage(name, self.known, asked([trial.audited]), *parts)

    def _in_groups(
        self,
        stage: str,
        work: Sequence[W],
        keys: Sequence[str],
        kind: type[T],
        do: Callable[[Sequence[W], Callable[[int], None]], Sequence[T]],
    ) -> list[T]:
        """What `do` gives for each piece of work; it is told how many of a group have ended."""
        done: list[T] = []
        for group in even_batches(list(zip(work, keys, strict=True)), TOGETHER):
            told = partial(self._tell, stage, len(work), len(done))
            told(0)
            afresh = partial(do, [one for one, _ in group], told)
            done += kept_together(self.checkpoint, [key for _, key in group], kind, afresh)
        if work:
            self._tell(stage, len(work), len(work))
        return done

    def _tell(self, stage: str, total: int, before: int, ended: int = 0) -> None:
        self.progress(Step(stage, before + ended, total))

    def _search(self, trials: Sequence[Trial], told: Callable[[int], None]) -> list[Stronger]:
        self.engine.forget()

        def search(evaluator: Evaluator, trial: Trial) -> Stronger:
            flipping = self.searches[trial.audited.prompt.id].k
            ks = [k for k in self.settings.amounts.k_sweep if flipping is not None and k >= flipping]
            found = stronger_sets(
                evaluator,
                trial.audited.tokens,
                self.fitted.candidates,
                self.fitted.onset_ids,
                self.settings.scope,
                ks,
                MARGINS,
            )
            return Stronger(found)

        return side_by_side(self.engine, [partial(search, trial=trial) for trial in trials], told)

    def _draw(self, matched: Sequence[tuple[Trial, MinimalSet]]) -> list[Drawn]:
        self.engine.forget()
        onset, scope = self.fitted.onset_ids, self.settings.scope
        plain = self.engine.observe([Pair(trial.audited.tokens) for trial, _ in matched], onset, scope)
        drawn = []
        for (trial, claimed), observed in zip(matched, plain, strict=True):
            prompt_id = trial.audited.prompt.id
            sets = distinct_random_sets(
                [FeatureId.parse(name) for name in claimed.features],
                frozenset(observed.active),
                self.searches[prompt_id].widest,
                self.fitted.table,
                self.settings.amounts.random_draws,
                generator(self.settings.seed, "random control", prompt_id),
            )
            drawn.append((trial.audited.tokens, sets))
        return score_random_sets(self.engine, drawn, self.scopes, onset)
