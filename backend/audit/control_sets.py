"""Stronger sets and matched random sets for searched prompts, by score; a few prompts at a time, each group kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from backend.audit.content import Keys, asked
from backend.audit.feature_sets import FoundSet, distinct_random_sets
from backend.audit.fitted import Fitted
from backend.audit.interventions import Scope
from backend.audit.progress import Checkpoint, Progress, Step, kept_in_groups
from backend.audit.results import MinimalSet
from backend.audit.seeds import generator
from backend.audit.side_by_side import side_by_side
from backend.audit.spec import AuditSettings
from backend.audit.stages.controls import MARGINS, Drawn, Trial, score_random_sets
from backend.audit.stages.greedy import Search, stronger_sets
from backend.engine.protocol import Engine, Evaluator, Pair
from backend.subjects.sparse_autoencoder import FeatureId


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
        search = partial(self._search, len(disagreeing))
        found = kept_in_groups(self.checkpoint, disagreeing, keys, Stronger, search)
        self._tell("stronger sets", len(disagreeing), len(disagreeing))
        return [one.sets for one in found]

    def draw_random(self, matched: Sequence[tuple[Trial, MinimalSet]]) -> list[Drawn]:
        """See `controls.DrawRandom`."""
        draws = self.settings.amounts.random_draws
        keys = [self._key("random", trial, one.features, draws, self.scopes) for trial, one in matched]
        drawn = kept_in_groups(self.checkpoint, matched, keys, Drawn, partial(self._draw, len(matched)))
        self._tell("random sets", len(matched), len(matched))
        return drawn

    def _key(self, name: str, trial: Trial, *parts: object) -> str:
        return self.keys.stage(name, self.known, asked([trial.audited]), *parts)

    def _tell(self, stage: str, total: int, done: int) -> None:
        if total:
            self.progress(Step(stage, done, total))

    def _search(self, total: int, trials: Sequence[Trial], before: int) -> list[Stronger]:
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

        searches = [partial(search, trial=trial) for trial in trials]
        return side_by_side(self.engine, searches, lambda ended: self._tell("stronger sets", total, before + ended))

    def _draw(self, total: int, matched: Sequence[tuple[Trial, MinimalSet]], before: int) -> list[Drawn]:
        self._tell("random sets", total, before)
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
