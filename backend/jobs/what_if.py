"""A what-if: one prompt's score, and if asked its completion, under an intervention, beside the baseline and a matched
random set. Knows engine and judge by protocol; knows no job and no database.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backend.audit.benign_values import BenignValues
from backend.audit.feature_sets import FeatureSet, matched_random_sets
from backend.audit.interventions import NO_INTERVENTION, Intervention, Mode, Scope
from backend.audit.refusal.judges.judge import Judge
from backend.audit.refusal.respond import Request, TokenIds, respond
from backend.audit.results import Response
from backend.audit.spec import AuditedPrompt
from backend.engine.protocol import Engine, Pair
from backend.errors import BadInput
from backend.subjects.language_model import LanguageModel
from backend.subjects.sparse_autoencoder import FeatureId


@dataclass(frozen=True)
class WhatIf:
    """What is asked."""

    features: tuple[FeatureId, ...]
    mode: Mode
    scale: float  # c of mode scale
    scope: Scope
    random_control: bool
    max_new_tokens: int | None  # None: no completion


@dataclass(frozen=True)
class Arm:
    score: float
    edited: frozenset[FeatureId]  # features whose edit changed something
    response: Response | None


@dataclass
class KnownBaseline:
    """The completion of one prompt with nothing changed: generated with the arms of the first what-if that asks for
    completions, and known to those after it."""

    response: Response | None = None
    token_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Answer:
    arms: dict[str, Arm]  # baseline, intervened, and random where one was asked and found
    inactive: tuple[FeatureId, ...]
    token_ids: TokenIds  # by arm


def check_what_if(asked: WhatIf, model: LanguageModel, audited: AuditedPrompt, d_sae: dict[int, int]) -> None:
    """Raises BadInput naming the field; d_sae: features of the SAE of each audited layer."""
    for feature in asked.features:
        if feature.layer not in d_sae:
            layers = ", ".join(map(str, d_sae))
            raise BadInput(f"features: {feature} is of a layer that this audit has no SAE for; layers are {layers}")
        if feature.index >= d_sae[feature.layer]:
            most = d_sae[feature.layer] - 1
            raise BadInput(f"features: {feature} does not exist; layer {feature.layer} goes up to {most}")
    room = model.max_tokens - len(audited.tokens.ids)
    if asked.max_new_tokens is not None and asked.max_new_tokens > room:
        raise BadInput(f"max_new_tokens: the prompt leaves room for {room}; ask for fewer")


def answer_what_if(
    engine: Engine,
    judge: Judge,
    audited: AuditedPrompt,
    asked: WhatIf,
    onset_ids: tuple[int, ...],
    values: Callable[[], BenignValues],
    avoid: FeatureSet,
    random: np.random.Generator,
    baseline: KnownBaseline,
) -> Answer:
    """values: called only when the mode or the random set needs it. avoid: never drawn into the random set.
    baseline: of this prompt and token limit; filled in when it is not known yet.
    """
    interventions = {"baseline": NO_INTERVENTION, "intervened": _intervention(asked, asked.features, values, random)}
    if asked.random_control and asked.features:
        drawn = _draw_matched(engine, audited, asked, onset_ids, values(), avoid, random)
        if drawn:
            interventions["random"] = _intervention(asked, tuple(sorted(drawn)), values, random)
    # A random set will not come again.
    pairs = [Pair(audited.tokens, i, "nothing" if arm == "random" else "prefix") for arm, i in interventions.items()]
    scores = dict(zip(interventions, engine.score(pairs, onset_ids), strict=True))
    responses: dict[str, Response] = {}
    token_ids: TokenIds = {}
    if asked.max_new_tokens is not None:
        responses, token_ids = _complete(engine, judge, audited, interventions, asked.max_new_tokens, baseline)
    arms = {arm: Arm(score.value, score.edited, responses.get(arm)) for arm, score in scores.items()}
    inactive = tuple(sorted(set(asked.features) - arms["intervened"].edited))
    return Answer(arms, inactive, token_ids)


def _complete(
    engine: Engine,
    judge: Judge,
    audited: AuditedPrompt,
    interventions: dict[str, Intervention],
    max_new_tokens: int,
    baseline: KnownBaseline,
) -> tuple[dict[str, Response], TokenIds]:
    """Every arm's completion, all but a known baseline generated together."""
    known = {} if baseline.response is None else {"baseline": baseline.response}
    requests = [Request(arm, audited, changed) for arm, changed in interventions.items() if arm not in known]
    answered = respond(engine, judge, requests, max_new_tokens)
    responses = known | {request.name: said for request, said in zip(requests, answered.responses, strict=True)}
    token_ids = {"baseline": baseline.token_ids} | answered.token_ids
    baseline.response, baseline.token_ids = responses["baseline"], token_ids["baseline"]
    return responses, token_ids


def _intervention(
    asked: WhatIf, features: tuple[FeatureId, ...], values: Callable[[], BenignValues], random: np.random.Generator
) -> Intervention:
    if asked.mode == "mean":
        return Intervention(features, "mean", values=values().mean(features), scope=asked.scope)
    if asked.mode == "resample":
        return Intervention(features, "resample", values=values().resample(features, random), scope=asked.scope)
    return Intervention(features, asked.mode, asked.scale if asked.mode == "scale" else 0.0, scope=asked.scope)


def _draw_matched(
    engine: Engine,
    audited: AuditedPrompt,
    asked: WhatIf,
    onset_ids: tuple[int, ...],
    values: BenignValues,
    avoid: FeatureSet,
    random: np.random.Generator,
) -> FeatureSet:
    active = engine.observe([Pair(audited.tokens)], onset_ids, asked.scope)[0].active
    return matched_random_sets(asked.features, frozenset(active), avoid, values.table, 1, random)[0]
