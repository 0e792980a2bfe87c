"""Stage 5 as far as scores go, piece by piece: each piece starts from nothing computed before it, and is kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from backend.audit.benign_values import MOST_BENIGN, Sampling
from backend.audit.claimed_sets import Claim
from backend.audit.content import Keys, asked, fingerprint
from backend.audit.feature_sets import FeatureSet
from backend.audit.fitted import Fitted
from backend.audit.interventions import Intervention
from backend.audit.progress import Checkpoint, Progress, Step, kept
from backend.audit.prompt_groups import evenly_spaced
from backend.audit.results import MinimalSet
from backend.audit.seeds import generator
from backend.audit.spec import AuditedPrompt, AuditSettings
from backend.audit.stages.verification.arms import ScoredArms, score_arms
from backend.audit.stages.verification.side_effects import Drift, measure_drift
from backend.audit.stages.verification.sufficiency import Added, add_set
from backend.audit.stages.verification.transfer import BLOCK, MOST, Scores, score_sets, share_flipped
from backend.engine.protocol import Engine
from backend.subjects.sparse_autoencoder import FeatureId

STAGE = "verification"  # as progress names it

T = TypeVar("T")


@dataclass
class Scoring:
    """Gives each part of the stage its scores. total: pieces expected, for the progress."""

    engine: Engine
    fitted: Fitted
    settings: AuditSettings
    keys: Keys
    checkpoint: Checkpoint
    progress: Progress
    total: int
    done: int = 0
    known: str = field(init=False)  # what every piece depends on

    def __post_init__(self) -> None:
        self.known = fingerprint([replace(self.fitted, screen=0.0), self.settings.scope, self.settings.seed])

    def arms(
        self, claims: Sequence[Claim], by_id: Mapping[str, AuditedPrompt], benign: Sequence[AuditedPrompt]
    ) -> list[ScoredArms]:
        """benign: prompts whose activations are what mean and resample put in."""
        sample, amounts = evenly_spaced(benign, MOST_BENIGN), self.settings.amounts
        sampling = Sampling(sample)
        return [
            self._kept(
                "arms",
                ScoredArms,
                partial(self._score_arms, by_id[result.id], claimed, sampling),
                [asked([by_id[result.id], *sample]), claimed, amounts.noise_draws],
                result.id,
            )
            for result, claimed in claims
        ]

    def added(
        self,
        claims: Sequence[Claim],
        benign: Sequence[AuditedPrompt],
        harmful: Sequence[AuditedPrompt],
        avoid: FeatureSet,
    ) -> list[Added]:
        """harmful: prompts that say how strongly a feature fires on harm. avoid: features no random set may hold."""
        table, scope, onset = self.fitted.table, self.settings.scope, self.fitted.onset_ids
        places = {name: row for row, name in enumerate(table.ids)}
        rows = [places[p.prompt.id] for p in harmful if p.prompt.id in places]
        found = []
        for _, claimed in claims if benign else ():
            features = parsed(claimed.features)
            random = generator(self.settings.seed, "sufficiency control", *claimed.features)
            work = partial(add_set, self.engine, features, benign, table, rows, avoid, onset, scope, random)
            found.append(self._kept("sufficiency", Added, work, [asked(benign), asked(harmful), features, avoid]))
        return found

    def drift(
        self,
        benign: Sequence[AuditedPrompt],
        completions: Mapping[str, Sequence[int]],
        ablations: Mapping[str, Intervention],
    ) -> dict[str, Drift]:
        """By prompt id. completions: the subject's own, each with at least one token."""
        found = {}
        for audited in benign:
            name = audited.prompt.id
            work = partial(measure_drift, self.engine, audited, completions[name], ablations)
            parts = [asked([audited]), completions[name], dict(ablations)]
            found[name] = self._kept("side effects", Drift, work, parts, name)
        return found

    def transferred(self, claims: Sequence[Claim], prompts: Sequence[AuditedPrompt]) -> list[tuple[float, ...]]:
        """Scores of the prompts with each claimed set ablated."""
        return [self._scores([parsed(claimed.features)], prompts)[0] for _, claimed in claims if prompts]

    def pooled(self, pool: Sequence[FeatureId], prompts: Sequence[AuditedPrompt]) -> list[tuple[float, ...]]:
        """Scores of the prompts with the first 1, 2, ... features of the pool ablated, until most are flipped."""
        curve: list[tuple[float, ...]] = []
        for start in range(0, len(pool) if prompts else 0, BLOCK):
            sets = [pool[:n] for n in range(start + 1, min(start + BLOCK, len(pool)) + 1)]
            for scores in self._scores(sets, prompts):
                curve.append(scores)
                if (share_flipped(scores).value or 0.0) >= MOST:
                    return curve
        return curve

    def end(self) -> None:
        """A pooled curve that ends early leaves less to do than expected."""
        self.progress(Step(STAGE, self.total, self.total))

    # -- inside ------------------------------------------------------------------------------------------------

    def _score_arms(self, audited: AuditedPrompt, claimed: MinimalSet, sampling: Sampling) -> ScoredArms:
        settings = self.settings
        return score_arms(
            self.engine,
            audited,
            parsed(claimed.features),
            claimed.score,
            sampling.values(self.engine),
            self.fitted.onset_ids,
            settings.scope,
            settings.amounts.noise_draws,
            generator(settings.seed, "verification arms", audited.prompt.id),
        )

    def _scores(
        self, sets: Sequence[Sequence[FeatureId]], prompts: Sequence[AuditedPrompt]
    ) -> tuple[tuple[float, ...], ...]:
        scope, onset = self.settings.scope, self.fitted.onset_ids
        work = partial(score_sets, self.engine, prompts, sets, onset, scope)
        return self._kept("transfer", Scores, work, [asked(prompts), sets], pieces=len(sets)).rows

    def _kept(
        self, name: str, kind: type[T], work: Callable[[], T], parts: Sequence[Any], detail: str = "", pieces: int = 1
    ) -> T:
        def afresh() -> T:
            self.engine.forget()
            return work()

        self.progress(Step(STAGE, self.done, self.total, detail))
        self.done += pieces
        return kept(self.checkpoint, self.keys.stage(STAGE, name, self.known, *parts), kind, afresh)


def parsed(names: Sequence[str]) -> tuple[FeatureId, ...]:
    return tuple(map(FeatureId.parse, names))
