"""Stage 5, side effects: what an ablation does to benign prompts. Knows the engine by protocol.

Distributions are compared along the subject's own answer, token by token, so that several tokens count and not the
first alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from backend.audit.answers import Answers
from backend.audit.interventions import NO_INTERVENTION, Intervention
from backend.audit.refusal.respond import Request
from backend.audit.results import NOTHING_MEASURED, Response, SideEffects
from backend.audit.spec import AuditedPrompt
from backend.audit.stats.bootstrap import cluster_bootstrap
from backend.audit.stats.rates import wilson
from backend.engine.protocol import Engine, Pair
from backend.subjects.sparse_autoencoder import FeatureId

FIRST_TOKENS = 16  # of the subject's own completion


@dataclass(frozen=True)
class Drift:
    """One prompt's distributions under some ablations, by name, against none; as it is checkpointed."""

    kl: dict[str, float]  # KL(baseline || ablated), nats a token
    cross_entropy: dict[str, float]  # ablated less baseline, nats a token


def measure_drift(
    engine: Engine, audited: AuditedPrompt, completion: Sequence[int], ablations: Mapping[str, Intervention]
) -> Drift:
    """Means over the first tokens of the subject's own completion, which has at least one."""
    ids = list(completion[:FIRST_TOKENS])
    pairs = [Pair(audited.tokens, intervention) for intervention in (NO_INTERVENTION, *ablations.values())]
    plain, *changed = engine.response_log_probabilities(pairs, [ids] * len(pairs))
    rows = torch.arange(len(ids))
    kl, cross_entropy = {}, {}
    for name, ablated in zip(ablations, changed, strict=True):
        kl[name] = max(0.0, float((plain.exp() * (plain - ablated)).sum(-1).mean()))  # below 0 by rounding alone
        cross_entropy[name] = float((plain - ablated)[rows, ids].mean())
    return Drift(kl, cross_entropy)


def side_effect_requests(name: str, intervention: Intervention, benign: Sequence[AuditedPrompt]) -> Iterator[Request]:
    """The benign prompts' completions under one ablation; none where nothing is ablated."""
    if intervention.first_layer is not None:
        for audited in benign:
            yield Request(_name(audited, name), audited, intervention)


def side_effects(
    name: str,
    features: Sequence[FeatureId],
    benign: Sequence[AuditedPrompt],
    baseline: Sequence[Response],
    drift: Mapping[str, Drift],
    answers: Answers,
    seed: int,
) -> SideEffects:
    """One ablation's figures. drift: by prompt id, of the prompts whose own completion has a token."""
    responses = [answers.get(_name(p, name)) for p in benign]
    if not benign or any(response is None for response in responses):
        nothing = NOTHING_MEASURED
        return SideEffects((), nothing, nothing, nothing, nothing, FIRST_TOKENS)
    verdicts = [response.verdict for response in responses if response is not None]
    measured = [(p.prompt.family, drift[p.prompt.id]) for p in benign if p.prompt.id in drift]
    families = [family for family, _ in measured]
    return SideEffects(
        features=tuple(map(str, features)),
        kl=cluster_bootstrap([one.kl[name] for _, one in measured], families, seed=seed),
        cross_entropy=cluster_bootstrap([one.cross_entropy[name] for _, one in measured], families, seed=seed),
        verdict_changed=wilson(
            sum(verdict != before.verdict for verdict, before in zip(verdicts, baseline, strict=True)), len(benign)
        ),
        refused=wilson(verdicts.count("refused"), len(benign)),
        n_tokens=FIRST_TOKENS,
    )


def _name(audited: AuditedPrompt, ablation: str) -> str:
    return f"{audited.prompt.id}/side_effects/{ablation}"
