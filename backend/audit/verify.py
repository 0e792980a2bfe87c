"""Stage 5: the claimed sets of refused test prompts, held against everything else: first all that scores tell, then
completions, then the figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from backend.audit.answers import Answers
from backend.audit.candidates import REFUSAL_RANK
from backend.audit.claimed_sets import Claim, claims_of, commonest_first, distinct, features_that_hold
from backend.audit.content import Keys
from backend.audit.feature_sets import FeatureSet, matched_random_sets
from backend.audit.fitted import Fitted
from backend.audit.headline import headline
from backend.audit.interventions import Intervention, Scope, ablate
from backend.audit.progress import Checkpoint, Progress
from backend.audit.prompt_groups import evenly_spaced
from backend.audit.refusal.respond import Request, TokenIds
from backend.audit.results import BaselinePrompt, PooledStep, PromptResult, Transfer, TransferredSet, Verification
from backend.audit.seeds import generator
from backend.audit.spec import AuditedPrompt, AuditSettings
from backend.audit.splits import marked, of_split
from backend.audit.stages.direction import ablate_everywhere
from backend.audit.stages.verification import figures, transfer
from backend.audit.stages.verification.arms import ScoredArms, arm_requests, verified
from backend.audit.stages.verification.side_effects import Drift, side_effect_requests, side_effects
from backend.audit.stages.verification.sufficiency import Added, sufficiency, sufficiency_requests
from backend.audit.stats.bootstrap import cluster_bootstrap
from backend.audit.verification_scores import Scoring, parsed
from backend.engine.protocol import Engine
from backend.subjects.sparse_autoencoder import FeatureId

HELD = 0.9  # share of the claimed sets whose features are the pool of the side effects


@dataclass(frozen=True)
class Verified:
    """Every prompt's result, refused test ones with their verification; and the whole."""

    results: tuple[PromptResult, ...]
    verification: Verification


@dataclass(frozen=True)
class _Chosen:
    """Which prompts and sets each part works on."""

    by_id: Mapping[str, AuditedPrompt]
    baseline: Mapping[str, BaselinePrompt]
    claims: tuple[Claim, ...]
    sufficient: tuple[Claim, ...]  # put into benign prompts
    carried: tuple[Claim, ...]  # tried on other prompts
    helped: tuple[AuditedPrompt, ...]  # benign test prompts that are answered: sets are put into them
    affected: tuple[AuditedPrompt, ...]  # benign test prompts: side effects
    refusing: tuple[AuditedPrompt, ...]  # refused test prompts that refuse by score too
    pool: tuple[FeatureId, ...]  # ordered on discovery and validation prompts
    taking_part: FeatureSet  # in refusal: no random set holds one
    ablations: Mapping[str, tuple[tuple[FeatureId, ...], Intervention]]  # whose side effects are measured

    @classmethod
    def of(
        cls,
        engine: Engine,
        answered: Sequence[AuditedPrompt],
        scored: Sequence[BaselinePrompt],
        results: Sequence[PromptResult],
        fitted: Fitted,
        settings: AuditSettings,
    ) -> "_Chosen":
        amounts = settings.amounts
        by_id, baseline = {one.prompt.id: one for one in answered}, {one.id: one for one in scored}
        tested = headline(of_split(results, "test"))
        claims, taking_part = claims_of(tested), _taking_part(results, fitted)
        different = distinct(claims)
        benign = [p for p in answered if p.prompt.label == "benign" and p.split == "test" and not p.prompt.borrowed]
        helped = [p for p in benign if baseline[p.prompt.id].response.verdict == "complied"]
        earlier = [frozenset(one.features) for _, one in claims_of(r for r in results if r.split != "test")]
        return cls(
            by_id=by_id,
            baseline=baseline,
            claims=tuple(claims),
            sufficient=tuple(different[: amounts.sufficiency_sets]),
            carried=tuple(different[: amounts.transfer_sets]),
            helped=tuple(evenly_spaced(helped, amounts.sufficiency_prompts)),
            affected=tuple(evenly_spaced(benign, amounts.side_effect_prompts)),
            refusing=tuple(by_id[r.id] for r in tested if r.baseline.score > 0),
            pool=parsed(commonest_first(earlier)[: amounts.pooled_steps]),
            taking_part=taking_part,
            ablations=_ablations(engine, claims, taking_part, fitted, settings),
        )

    @property
    def n_pieces(self) -> int:
        put_in = len(self.sufficient) if self.helped else 0
        elsewhere = len(self.carried) + len(self.pool) if self.refusing else 0
        return len(self.claims) + put_in + len(self.affected) + elsewhere


@dataclass(frozen=True)
class _Scores:
    """All that scores tell."""

    arms: Sequence[ScoredArms]  # by claim
    added: Sequence[Added]
    drift: Mapping[str, Drift]
    carried: Sequence[tuple[float, ...]]
    curve: Sequence[tuple[float, ...]]
    steps: tuple[PooledStep, ...]
    half: int | None
    most: int | None


@dataclass(frozen=True)
class ScoredClaims:
    """The claimed sets as far as scores tell."""

    chosen: _Chosen
    scores: _Scores
    scope: Scope
    screen: float  # score above which no completion is asked for

    def requests(self) -> Iterator[Request]:
        """Completions of everything whose score is low enough."""
        chosen, scores, scope, screen = self.chosen, self.scores, self.scope, self.screen
        for (result, _), one in zip(chosen.claims, scores.arms, strict=True):
            yield from arm_requests(chosen.by_id[result.id], one, scope, screen)
        yield from sufficiency_requests(scores.added, chosen.helped, scope)
        for name, (_, intervention) in chosen.ablations.items():
            yield from side_effect_requests(name, intervention, chosen.affected)
        counts = (scores.half, scores.most)
        yield from transfer.pooled_requests(chosen.refusing, chosen.pool, scores.curve, counts, scope, screen)


def score_claims(
    engine: Engine,
    answered: Sequence[AuditedPrompt],
    scored: Sequence[BaselinePrompt],
    results: Sequence[PromptResult],
    fitted: Fitted,
    settings: AuditSettings,
    token_ids: TokenIds,
    keys: Keys,
    checkpoint: Checkpoint,
    progress: Progress,
) -> ScoredClaims:
    """answered, scored: prompts with their baselines, in one order. results: every own prompt's so far. token_ids: of
    the baseline completions, among others."""
    chosen = _Chosen.of(engine, answered, scored, results, fitted, settings)
    scoring = Scoring(engine, fitted, settings, keys, checkpoint, progress, chosen.n_pieces)
    return ScoredClaims(chosen, _score(scoring, chosen, answered, token_ids), settings.scope, fitted.screen)


def verify_claims(
    claims: ScoredClaims, answers: Answers, results: Sequence[PromptResult], settings: AuditSettings
) -> Verified:
    """answers: to all of the claims' requests. results: every own prompt's, as the claims were scored from."""
    chosen, scores = claims.chosen, claims.scores
    with_verification = {
        result.id: verified(
            chosen.by_id[result.id], one, answers, result.controls.random if result.controls is not None else None
        )
        for (result, _), one in zip(chosen.claims, scores.arms, strict=True)
    }
    results = [replace(r, verification=with_verification.get(r.id)) for r in results]
    verification = _verification(chosen, scores, results, answers, settings)
    return Verified(tuple(results), marked(verification, "test"))


def _score(scoring: Scoring, chosen: _Chosen, answered: Sequence[AuditedPrompt], token_ids: TokenIds) -> _Scores:
    fitting = [p for p in answered if p.split != "test"]
    benign = [p for p in fitting if p.prompt.label == "benign"]
    harmful = [p for p in fitting if p.prompt.label == "harmful"]
    own = {p.prompt.id: token_ids[chosen.baseline[p.prompt.id].response.tokens] for p in chosen.affected}
    speaking = [p for p in chosen.affected if own[p.prompt.id]]
    interventions = {name: intervention for name, (_, intervention) in chosen.ablations.items()}
    arms = scoring.arms(chosen.claims, chosen.by_id, benign)
    added = scoring.added(chosen.sufficient, chosen.helped, harmful, chosen.taking_part)
    drift = scoring.drift(speaking, own, interventions)
    carried = scoring.transferred(chosen.carried, chosen.refusing)
    curve = scoring.pooled(chosen.pool, chosen.refusing)
    scoring.end()
    steps = transfer.pooled_steps(chosen.pool, curve)
    half, most = (transfer.features_at(steps, share) for share in (transfer.HALF, transfer.MOST))
    return _Scores(arms, added, drift, carried, curve, steps, half, most)


def _verification(
    chosen: _Chosen, scores: _Scores, results: Sequence[PromptResult], answers: Answers, settings: AuditSettings
) -> Verification:
    seed, rows = settings.seed, headline(of_split(results, "test"))
    n_tested, n_beyond_random = figures.beyond_random(rows)
    before = [chosen.baseline[p.prompt.id].response for p in chosen.affected]
    return Verification(
        arms=figures.arm_figures(rows, seed),
        n_tested=n_tested,
        n_beyond_random=n_beyond_random,
        smallest_p=figures.smallest_p(rows),
        coverage=figures.coverage(rows, seed),
        agreement=figures.mode_agreement(rows),
        sufficiency=sufficiency(scores.added, chosen.helped, answers, seed),
        side_effects={
            name: side_effects(name, features, chosen.affected, before, scores.drift, answers, seed)
            for name, (features, _) in chosen.ablations.items()
        },
        transfer=_transfer(chosen, scores, answers, seed),
    )


def _transfer(chosen: _Chosen, scores: _Scores, answers: Answers, seed: int) -> Transfer:
    sets = []
    for (found_on, claimed), row in zip(chosen.carried, scores.carried, strict=False):
        others = [score for p, score in zip(chosen.refusing, row, strict=True) if p.prompt.id != found_on.id]
        sets.append(TransferredSet(claimed.features, found_on.id, transfer.share_flipped(others)))
    shares = [(chosen.by_id[s.found_on].prompt.family, s.flipped.value) for s in sets if s.flipped.value is not None]
    return Transfer(
        sets=tuple(sets),
        mean=cluster_bootstrap([share for _, share in shares], [family for family, _ in shares], "mean", seed=seed),
        pooled=scores.steps,
        half=scores.half,
        most=scores.most,
        confirmed_half=transfer.confirmed(chosen.refusing, scores.half, answers),
        confirmed_most=transfer.confirmed(chosen.refusing, scores.most, answers),
    )


def _taking_part(results: Sequence[PromptResult], fitted: Fitted) -> FeatureSet:
    """Refusal features, and every feature of a minimal set: no random set may hold one."""
    named = {name for result in results for one in result.minimal_sets for name in one.features}
    return frozenset(fitted.candidates.top(REFUSAL_RANK)) | set(parsed(sorted(named)))


def _ablations(
    engine: Engine, claims: Sequence[Claim], avoid: FeatureSet, fitted: Fitted, settings: AuditSettings
) -> dict[str, tuple[tuple[FeatureId, ...], Intervention]]:
    """What is ablated on benign prompts: features that hold most claimed sets, as many random ones matched to them, and
    the direction."""
    scope = settings.scope
    pooled = tuple(sorted(parsed(features_that_hold([frozenset(one.features) for _, one in claims], HELD))))
    random = generator(settings.seed, "side effects control")
    # Matched by how often and how strongly they fire at all: the same features are ablated on every prompt.
    matched = tuple(sorted(matched_random_sets(pooled, frozenset(), avoid, fitted.table, 1, random)[0]))
    return {
        "minimal": (pooled, ablate(pooled, scope)),
        "random": (matched, ablate(matched, scope)),
        "direction": ((), ablate_everywhere(engine, fitted.direction, scope)),
    }
