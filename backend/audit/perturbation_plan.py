"""What stage 6 will do: which refused test prompts are perturbed, how, and which of it is answered by a completion."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backend.audit.claimed_sets import claimed_set
from backend.audit.feature_sets import FeatureSet
from backend.audit.headline import headline
from backend.audit.prompt_groups import evenly_spaced
from backend.audit.refusal.respond import Request
from backend.audit.results import BaselinePrompt, PromptResult, Response
from backend.audit.spec import AuditedPrompt, AuditSettings
from backend.audit.splits import of_split
from backend.audit.stability_summary import Tried
from backend.audit.stages.stability import (
    CORE_WEIGHTS,
    SPOKEN_PROMPTS,
    WEIGHTS,
    WeightPerturbation,
    request,
    request_name,
    versions,
    why_not_spoken,
)
from backend.prompts.perturbations.perturbation import TextPerturbation
from backend.prompts.perturbations.registry import ALL, CORE
from backend.subjects.language_model import LanguageModel
from backend.subjects.sparse_autoencoder import FeatureId

ONE_DICTIONARY = Tried(
    "other_dictionary", "dictionary", "another SAE of the same layers", "the subject has one dictionary"
)


@dataclass(frozen=True)
class Plan:
    """Prompts, and what is asked of each."""

    prompts: tuple[AuditedPrompt, ...]
    originals: tuple[FeatureSet | None, ...]  # of each prompt, its smallest confirmed minimal set
    versions: tuple[dict[str, AuditedPrompt], ...]  # of each prompt, by perturbation of the text
    weights: tuple[WeightPerturbation, ...]
    completed: frozenset[str]  # perturbations whose prompts are answered by a completion
    tried: tuple[Tried, ...]  # every perturbation in the report's order, with why it is not run

    def requests(self) -> Iterator[Request]:
        """Completions of the prompts as perturbations of their text ask them."""
        for of_prompt in self.versions:
            yield from (request(one, name) for name, one in of_prompt.items() if name in self.completed)


def language_requests(
    model: LanguageModel, answered: Sequence[AuditedPrompt], settings: AuditSettings
) -> list[Request]:
    """A few benign prompts in a frame of each other language: whether the subject follows it decides on its use."""
    few = evenly_spaced([one for one in answered if one.prompt.label == "benign"], SPOKEN_PROMPTS)
    languages, room = _languages(_perturbations(settings)[0]), settings.amounts.max_new_tokens
    framed = [versions(model, audited, languages, settings.seed, room) for audited in few]
    return [request(one, name) for of_prompt in framed for name, one in of_prompt.items()]


def plan_perturbations(
    model: LanguageModel,
    framed: Mapping[str, Response],
    answered: Sequence[AuditedPrompt],
    scored: Sequence[BaselinePrompt],
    results: Sequence[PromptResult],
    settings: AuditSettings,
) -> Plan:
    """Evenly spaced refused test prompts under every perturbation of the effort that applies to them.

    answered, scored: prompts with their baselines, in one order. framed: responses to the language requests, by name.
    """
    amounts, seed = settings.amounts, settings.seed
    texts, weights = _perturbations(settings)
    every: list[TextPerturbation | WeightPerturbation] = [*texts, *weights]
    chosen = evenly_spaced(headline(of_split(results, "test")), amounts.stability_prompts)
    by_id = {one.prompt.id: one for one in answered}
    prompts = tuple(by_id[result.id] for result in chosen)
    if not prompts:
        reason = "no refused test prompt to perturb"
        tried = [Tried(one.name, one.kind, one.description, reason) for one in every]
        return Plan((), (), (), (), frozenset(), (*tried, ONE_DICTIONARY))

    skipped = _unspoken_languages(_languages(texts), framed, answered, scored)
    usable = [one for one in texts if one.name not in skipped]
    asked_as = tuple(versions(model, one, usable, seed, amounts.max_new_tokens) for one in prompts)
    sizes = {one.name: sum(one.name in of_prompt for of_prompt in asked_as) for one in usable}
    skipped |= {name: "it applies to none of these prompts" for name, n in sizes.items() if not n}
    sizes |= {one.name: len(prompts) for one in weights}
    planned = [(one.name, one.kind, sizes.get(one.name, 0)) for one in every]
    tried = [Tried(one.name, one.kind, one.description, skipped.get(one.name, "")) for one in every]
    return Plan(
        prompts,
        tuple(_claimed(result) for result in chosen),
        asked_as,
        weights,
        answered_perturbations(planned, amounts.stability_completions),
        (*tried, ONE_DICTIONARY),
    )


def answered_perturbations(planned: Sequence[tuple[str, str, int]], most: int) -> frozenset[str]:
    """Perturbations whose prompts are all answered by a completion: as many as fit into `most` completions, wrappers
    first, for they are what changes verdicts. planned: name, kind and number of prompts of each."""
    names, left = set(), most
    for name, _, n in sorted(planned, key=lambda one: one[1] != "wrapper"):
        if n <= left:
            names.add(name)
            left -= n
    return frozenset(names)


def _unspoken_languages(
    languages: Sequence[TextPerturbation],
    framed: Mapping[str, Response],
    answered: Sequence[AuditedPrompt],
    scored: Sequence[BaselinePrompt],
) -> dict[str, str]:
    """Languages the subject does not follow, with why we say so."""
    benign = [
        one.prompt.id
        for one, baseline in zip(answered, scored, strict=True)
        if one.prompt.label == "benign" and baseline.response.verdict == "complied"
    ]
    names = {one.name: [request_name(prompt_id, one.name) for prompt_id in benign] for one in languages}
    reasons = {name: why_not_spoken([framed[one] for one in asked if one in framed]) for name, asked in names.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def _perturbations(settings: AuditSettings) -> tuple[tuple[TextPerturbation, ...], tuple[WeightPerturbation, ...]]:
    """Of the effort: of the text and of the weights."""
    return (ALL, WEIGHTS) if settings.amounts.stability_perturbations == "all" else (CORE, CORE_WEIGHTS)


def _languages(perturbations: Sequence[TextPerturbation]) -> list[TextPerturbation]:
    return [one for one in perturbations if one.kind == "language"]


def _claimed(result: PromptResult) -> FeatureSet | None:
    claimed = claimed_set(result)
    return frozenset(map(FeatureId.parse, claimed.features)) if claimed is not None else None
