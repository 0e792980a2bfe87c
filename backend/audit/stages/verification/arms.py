"""Stage 5 on one refused prompt: its claimed set under the other ablation modes, sign-flipped, beside equal-norm noise
and beside the SAEs' reconstructions alone.

A flip is what it is for every arm: complied by generation, and no completion above the screen. Knows engine by
protocol.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backend.audit.answers import Answers, complied
from backend.audit.benign_values import BenignValues
from backend.audit.interventions import NOISE_SEEDS, Intervention, Scope
from backend.audit.refusal.respond import Request
from backend.audit.results import Arm, PromptVerification, RandomControl
from backend.audit.spec import AuditedPrompt
from backend.audit.stats.multiple import empirical_p
from backend.engine.protocol import Engine, Pair
from backend.subjects.sparse_autoencoder import FeatureId

MODES = ("mean", "resample", "clamp")  # the ways to ablate beside zero
SIGN_FLIP, CLAMP = 2.0, -1.0  # f' = c f


@dataclass(frozen=True)
class ScoredArms:
    """One claimed set's arms by score, as they are checkpointed."""

    features: tuple[FeatureId, ...]
    score: float  # with the set silenced
    active: tuple[FeatureId, ...]
    mean: tuple[float, ...]  # target of each feature
    resample: tuple[float, ...]
    scores: dict[str, float]  # by arm
    noise_seeds: tuple[int, ...]
    noise_scores: tuple[float, ...]


def score_arms(
    engine: Engine,
    audited: AuditedPrompt,
    features: Sequence[FeatureId],
    score: float,
    values: BenignValues,
    onset_ids: Sequence[int],
    scope: Scope,
    noise_draws: int,
    random: np.random.Generator,
) -> ScoredArms:
    """score: with the set silenced."""
    mean, resample = values.mean(features), values.resample(features, random)
    seeds = tuple(int(seed) for seed in random.integers(NOISE_SEEDS, size=noise_draws))
    # Active with nothing changed: features that only wake when others are silenced are not.
    active = engine.observe([Pair(audited.tokens)], onset_ids, scope)[0].active
    arms = _interventions(features, mean, resample, scope)
    noise = [_noise(features, seed, scope) for seed in seeds]
    pairs = [Pair(audited.tokens, one, reuse="nothing") for one in (*arms.values(), *noise)]
    scores = [one.value for one in engine.score(pairs, onset_ids)]
    return ScoredArms(
        features=tuple(features),
        score=score,
        active=tuple(f for f in features if f in active),
        mean=mean,
        resample=resample,
        scores=dict(zip(arms, scores, strict=False)),
        noise_seeds=seeds,
        noise_scores=tuple(scores[len(arms) :]),
    )


def arm_requests(audited: AuditedPrompt, scored: ScoredArms, scope: Scope, screen: float) -> Iterator[Request]:
    """Completions of the arms whose score is low enough that they may have flipped."""
    for name, intervention in _interventions(scored.features, scored.mean, scored.resample, scope).items():
        if scored.scores[name] <= screen:
            yield Request(_name(audited, name), audited, intervention)
    for i, (seed, score) in enumerate(zip(scored.noise_seeds, scored.noise_scores, strict=True)):
        if score <= screen:
            yield Request(_name(audited, f"noise/{i}"), audited, _noise(scored.features, seed, scope))


def verified(
    audited: AuditedPrompt, scored: ScoredArms, answers: Answers, random: RandomControl | None
) -> PromptVerification:
    """The arms with the completions that were asked for. random: sets matched to the claimed one, where drawn."""
    arms = {}
    for name, score in scored.scores.items():
        response = answers.get(_name(audited, name))
        features = () if name == "reconstruction" else _texts(scored.features)
        arms[name] = Arm(features, score, response, complied(response))
    noise = [answers.get(_name(audited, f"noise/{i}")) for i in range(len(scored.noise_seeds))]
    verdicts = [response.verdict for response in noise if response is not None]
    return PromptVerification(
        features=_texts(scored.features),
        active=_texts(scored.active),
        arms=arms,
        noise=RandomControl(
            n_draws=len(noise),
            n_generated=len(verdicts),
            n_flipped=verdicts.count("complied"),
            scores=scored.noise_scores,
            p=empirical_p(-scored.score, [-value for value in scored.noise_scores]),
            n_incoherent=verdicts.count("incoherent"),
        ),
        p=random.p if random is not None else None,
        p_draws=random.n_draws if random is not None else 0,
    )


def _interventions(
    features: Sequence[FeatureId], mean: tuple[float, ...], resample: tuple[float, ...], scope: Scope
) -> dict[str, Intervention]:
    asked = tuple(features)
    return {
        "sign_flip": Intervention(asked, "scale", SIGN_FLIP, scope=scope),
        "reconstruction": Intervention(scope=scope, reconstructed=tuple(feature.layer for feature in features)),
        "mean": Intervention(asked, "mean", values=mean, scope=scope),
        "resample": Intervention(asked, "resample", values=resample, scope=scope),
        "clamp": Intervention(asked, "scale", CLAMP, scope=scope),
    }


def _noise(features: Sequence[FeatureId], seed: int, scope: Scope) -> Intervention:
    return Intervention(tuple(features), "noise", scope=scope, noise_seed=seed)


def _name(audited: AuditedPrompt, arm: str) -> str:
    return f"{audited.prompt.id}/verification/{arm}"


def _texts(features: Sequence[FeatureId]) -> tuple[str, ...]:
    return tuple(map(str, features))
