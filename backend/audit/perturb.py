"""Stage 6 over the refused test prompts: asked otherwise, then under disturbed weights. Each prompt and each
disturbance is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from backend.audit.answers import Answers
from backend.audit.content import Keys, asked
from backend.audit.fitted import Fitted
from backend.audit.perturbation_plan import Plan
from backend.audit.progress import Checkpoint, Progress, Step, kept
from backend.audit.refusal.respond import Respond, TokenIds
from backend.audit.results import PerturbedPrompt, PromptResult, Stability
from backend.audit.spec import AuditedPrompt, AuditSettings
from backend.audit.splits import of_split
from backend.audit.stability_summary import summarise_stability
from backend.audit.stages import stability as stage
from backend.engine.protocol import Engine

STAGE = "stability"  # as progress names it


@dataclass(frozen=True)
class Perturbed:
    """Every prompt's result, with what perturbations did to it; and the whole."""

    results: tuple[PromptResult, ...]
    stability: Stability
    token_ids: TokenIds


@dataclass(frozen=True)
class Disturbed:
    """Some prompts under one disturbance of the weights, as they are checkpointed."""

    rows: tuple[PerturbedPrompt, ...]
    token_ids: TokenIds


def perturb_prompts(
    engine: Engine,
    respond: Respond,
    answers: Answers,
    plan: Plan,
    results: Sequence[PromptResult],
    fitted: Fitted,
    settings: AuditSettings,
    keys: Keys,
    checkpoint: Checkpoint,
    progress: Progress,
) -> Perturbed:
    """Ask refused test prompts otherwise, and under disturbed weights.

    respond: under disturbed weights. answers: to all of the plan's requests. results: every own prompt's so far.
    """
    total = len(plan.prompts) + len(plan.weights)

    measured: list[stage.Measured] = []
    for done, audited in enumerate(plan.prompts):
        progress(Step(STAGE, done, total, audited.prompt.id))
        measured.append(_measure_versions(engine, plan, done, fitted, settings, keys, checkpoint))
    rows = [_answered(one.rows, of_prompt, answers) for one, of_prompt in zip(measured, plan.versions, strict=True)]
    token_ids: TokenIds = {}
    actives = [one.active for one in measured]
    for done, weights in enumerate(plan.weights, len(plan.prompts)):
        progress(Step(STAGE, done, total, weights.name))
        disturbed = _disturb(engine, respond, plan, weights, actives, fitted, settings, keys, checkpoint)
        token_ids.update(disturbed.token_ids)
        for of_prompt, row in zip(rows, disturbed.rows, strict=True):
            of_prompt.append(row)
    progress(Step(STAGE, total, total))
    of_id = {one.prompt.id: tuple(of_prompt) for one, of_prompt in zip(plan.prompts, rows, strict=True)}
    finished = tuple(replace(result, perturbed=of_id.get(result.id, ())) for result in results)
    stability = summarise_stability(of_split(finished, "test"), plan.tried, settings.seed)
    return Perturbed(finished, stability, token_ids)


def _measure_versions(
    engine: Engine, plan: Plan, place: int, fitted: Fitted, settings: AuditSettings, keys: Keys, checkpoint: Checkpoint
) -> stage.Measured:
    audited, versions, original = plan.prompts[place], plan.versions[place], plan.originals[place]
    chats = [[name, one.prompt.text, one.tokens] for name, one in versions.items()]
    key = keys.stage(
        "stability", asked([audited]), chats, original, fitted.candidates, fitted.onset_ids, settings.scope
    )
    work = partial(
        stage.measure_versions, engine, audited, versions, original, fitted.candidates, fitted.onset_ids, settings.scope
    )
    return kept(checkpoint, key, stage.Measured, work)


def _answered(
    rows: Sequence[PerturbedPrompt], versions: Mapping[str, AuditedPrompt], answers: Answers
) -> list[PerturbedPrompt]:
    """One prompt's rows, with the responses that were asked for."""
    named = [(row, stage.request_name(versions[row.perturbation].prompt.id, row.perturbation)) for row in rows]
    return [replace(row, response=answers.get(name)) for row, name in named]


def _disturb(
    engine: Engine,
    respond: Respond,
    plan: Plan,
    weights: stage.WeightPerturbation,
    actives: Sequence[Sequence[str]],
    fitted: Fitted,
    settings: AuditSettings,
    keys: Keys,
    checkpoint: Checkpoint,
) -> Disturbed:
    """Every prompt under one disturbance, with completions where they are planned. actives: see `measure_disturbed`."""
    disturbance, completed = weights.seeded(settings.seed), weights.name in plan.completed
    key = keys.judged_stage(
        "stability-weights",
        [disturbance, completed, settings.amounts.max_new_tokens],
        [asked(plan.prompts), actives, plan.originals],
        [fitted.candidates, fitted.onset_ids, settings.scope],
    )

    def work() -> Disturbed:
        with engine.disturbed(disturbance):
            rows = stage.measure_disturbed(
                engine,
                weights.name,
                plan.prompts,
                actives,
                plan.originals,
                fitted.candidates,
                fitted.onset_ids,
                settings.scope,
            )
            if not completed:
                return Disturbed(tuple(rows), {})
            answers = respond([stage.request(one, weights.name, disturbance) for one in plan.prompts])
        responded = [replace(row, response=r) for row, r in zip(rows, answers.responses, strict=True)]
        return Disturbed(tuple(responded), answers.token_ids)

    return kept(checkpoint, key, Disturbed, work)
