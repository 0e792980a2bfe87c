"""Stages 2 and 4 for refused prompts: each is searched by score alone; completions then confirm all at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue

from backend.audit.content import asked, fingerprint
from backend.audit.control_sets import ControlSets
from backend.audit.feature_sets import FeatureSet
from backend.audit.fitted import Fitted
from backend.audit.interventions import Scope, ablate
from backend.audit.progress import Progress, Step, kept_in_groups
from backend.audit.refusal.respond import TokenIds
from backend.audit.responder import Responder
from backend.audit.results import (
    BaselinePrompt,
    Cascade,
    Controls,
    LayerCascade,
    PromptResult,
    Restored,
    SelfRepair,
)
from backend.audit.seeds import generator
from backend.audit.side_by_side import side_by_side
from backend.audit.spec import AuditedPrompt, AuditSettings
from backend.audit.stages.cascade import ablate_singly, run_cascade
from backend.audit.stages.controls import Challenger, Trial, Tried, confirm_arms, score_challengers
from backend.audit.stages.direction import ablate_everywhere
from backend.audit.stages.greedy import Search, ablation_curve, find_minimal_sets
from backend.audit.stages.interactions import extended_set
from backend.audit.stages.layer_cascade import run_layer_cascade
from backend.audit.stages.self_repair import measure_self_repair
from backend.engine.protocol import Engine, Evaluator, Pair

SEARCH_PARTS = 6  # of one prompt's search, as it tells of them


@dataclass(frozen=True)
class Searched:
    """One prompt's work by score, as it is checkpointed."""

    search: Search
    challenger_scores: dict[str, float]
    cascade: Cascade
    self_repair: SelfRepair | None
    single_effects: tuple[Restored, ...]
    ablation_curve: tuple[Restored, ...]
    layer_cascade: LayerCascade


def audit_prompts(
    engine: Engine,
    answer: Responder,
    prompts: Sequence[AuditedPrompt],
    scored: Sequence[BaselinePrompt],
    refused: Sequence[AuditedPrompt],
    fitted: Fitted,
    settings: AuditSettings,
    token_ids: TokenIds,
) -> list[PromptResult]:
    """Every own prompt's result. refused: harmful ones to work on. They are searched in fixed groups, then confirmed
    together; each finished group and batch of completions is kept."""
    amounts = settings.amounts
    known = fingerprint(
        [
            replace(fitted, screen=0.0),  # which only completions depend on
            [settings.scope, settings.seed, settings.include_sink, amounts.k_sweep, amounts.removal_orders],
            [amounts.single_effects, amounts.cascade_rounds, amounts.cascade_random_draws, amounts.woken_tried],
            [amounts.backup_draws],
        ]
    )
    searched = _search_all(engine, refused, fitted, settings, known, answer)
    confirmed = _confirm_all(engine, refused, searched, fitted, settings, known, answer)
    results = []
    for audited, baseline in zip(prompts, scored, strict=True):
        name = audited.prompt.id
        if name in confirmed:
            token_ids.update(confirmed[name].token_ids)
            results.append(prompt_result(audited, baseline, searched[name], confirmed[name]))
        elif not audited.prompt.borrowed:
            results.append(unaudited(audited, baseline))
    return results


def _search_all(
    engine: Engine,
    refused: Sequence[AuditedPrompt],
    fitted: Fitted,
    settings: AuditSettings,
    known: str,
    answer: Responder,
) -> dict[str, Searched]:
    """By prompt id."""

    def search(group: Sequence[AuditedPrompt], before: int) -> list[Searched]:
        told = partial(_tell, answer.progress, group, before, len(refused))
        return search_prompts(engine, group, fitted, settings, told)

    keys = [answer.keys.stage("search", known, asked([audited])) for audited in refused]
    searched = kept_in_groups(answer.checkpoint, refused, keys, Searched, search)
    answer.progress(Step("prompts", len(refused), len(refused)))
    return {audited.prompt.id: one for audited, one in zip(refused, searched, strict=True)}


def _confirm_all(
    engine: Engine,
    refused: Sequence[AuditedPrompt],
    searched: dict[str, Searched],
    fitted: Fitted,
    settings: AuditSettings,
    known: str,
    answer: Responder,
) -> dict[str, Tried]:
    """Completions and verdicts under every arm, by prompt id."""
    engine.forget()
    trials = [_trial(engine, audited, searched[audited.prompt.id], fitted, settings) for audited in refused]
    scopes = _random_scopes(settings)
    sets = ControlSets(
        engine,
        {name: one.search for name, one in searched.items()},
        fitted,
        settings,
        scopes,
        known,
        answer.keys,
        answer.checkpoint,
        answer.progress,
    )
    tried = confirm_arms(
        answer.stage("completions"),
        answer.stage("stronger completions"),
        answer.stage("random completions"),
        trials,
        scopes,
        fitted.screen,
        sets.strengthen,
        sets.draw_random,
    )
    return {audited.prompt.id: one for audited, one in zip(refused, tried, strict=True)}


def _tell(
    progress: Progress, group: Sequence[AuditedPrompt], before: int, total: int, ended: int, under_way: float
) -> None:
    first, last = group[0].prompt.id, group[-1].prompt.id
    progress(Step("prompts", before + ended, total, f"{first} to {last}" if first != last else first, under_way))


def search_prompts(
    engine: Engine,
    prompts: Sequence[AuditedPrompt],
    fitted: Fitted,
    settings: AuditSettings,
    told: Callable[[int, float], None],
) -> list[Searched]:
    """Some refused prompts searched side by side. told: how many have ended, and how many the work on others comes
    to."""
    engine.forget()
    parts: SimpleQueue[None] = SimpleQueue()  # one for each that is done, put there by the searches' threads

    def tell(ended: int) -> None:
        told(ended, parts.qsize() / SEARCH_PARTS - ended)

    part_done = partial(parts.put, None)
    searches = [
        partial(search_prompt, audited=one, fitted=fitted, settings=settings, part_done=part_done) for one in prompts
    ]
    return side_by_side(engine, searches, tell)


def search_prompt(
    engine: Evaluator,
    audited: AuditedPrompt,
    fitted: Fitted,
    settings: AuditSettings,
    part_done: Callable[[], None],
) -> Searched:
    """Everything about one refused prompt that scores and activations tell. part_done: called SEARCH_PARTS times, in
    this search's thread."""
    amounts, scope, seed = settings.amounts, settings.scope, settings.seed
    prompt, prompt_id, onset = audited.tokens, audited.prompt.id, fitted.onset_ids
    plain = engine.observe([Pair(prompt)], onset, scope)[0]
    search = find_minimal_sets(
        engine,
        prompt,
        fitted.candidates,
        onset,
        scope,
        amounts.k_sweep,
        amounts.removal_orders,
        generator(seed, "removal orders", prompt_id),
    )
    part_done()
    first = search.found[0].features if search.found else frozenset()
    challengers = _challengers(engine, search, fitted, settings)
    challenger_scores = score_challengers(engine, prompt, challengers, onset)
    part_done()
    singles = ablate_singly(engine, prompt, plain, fitted.candidates, onset, scope, amounts.single_effects)
    part_done()
    cascade = run_cascade(
        engine,
        prompt,
        plain,
        singles,
        fitted.candidates,
        fitted.table,
        onset,
        scope,
        amounts,
        generator(seed, "cascade", prompt_id),
    )
    part_done()
    repair = measure_self_repair(engine, prompt, plain, first, onset, scope) if first else None
    curve = ablation_curve(engine, prompt, search.found[0], onset, scope) if search.found else ()
    part_done()
    by_layer = run_layer_cascade(engine, prompt, plain, fitted.candidates, onset, scope)
    part_done()
    return Searched(search, challenger_scores, cascade, repair, singles.effects(), curve, by_layer)


def _trial(
    engine: Evaluator, audited: AuditedPrompt, searched: Searched, fitted: Fitted, settings: AuditSettings
) -> Trial:
    return Trial(
        audited,
        searched.search.found,
        tuple(_challengers(engine, searched.search, fitted, settings)),
        searched.challenger_scores,
        random=settings.amounts.random_on == "all" or audited.prompt.split == "test",
    )


def unaudited(audited: AuditedPrompt, baseline: BaselinePrompt) -> PromptResult:
    """The result of a prompt that later stages leave alone: not harmful, not refused, or not searched."""
    p = audited.prompt
    return PromptResult(p.id, p.text, p.label, p.category, p.family, p.split, baseline)


def prompt_result(audited: AuditedPrompt, baseline: BaselinePrompt, searched: Searched, tried: Tried) -> PromptResult:
    """One refused prompt's whole story."""
    p, search = audited.prompt, searched.search
    return PromptResult(
        id=p.id,
        text=p.text,
        label=p.label,
        category=p.category,
        family=p.family,
        split=p.split,
        baseline=baseline,
        sweep=search.sweep,
        k=search.k,
        minimal_sets=tried.minimal_sets,
        n_evaluations=search.n_evaluations,
        controls=Controls(
            random=tried.random.get("default"),
            direction=tried.arms["direction"],
            fm_extended=tried.arms.get("fm_extended"),
            linear_probe=tried.arms.get("linear_probe"),
            with_sink=tried.arms.get("with_sink"),
            random_with_sink=tried.random.get("with_sink"),
        ),
        cascade=searched.cascade,
        self_repair=searched.self_repair,
        single_effects=searched.single_effects,
        ablation_curve=searched.ablation_curve,
        layer_cascade=searched.layer_cascade,
    )


def _random_scopes(settings: AuditSettings) -> dict[str, Scope]:
    scopes = {"default": settings.scope}
    if settings.include_sink:
        scopes["with_sink"] = settings.sink_scope
    return scopes


def _challengers(engine: Evaluator, search: Search, fitted: Fitted, settings: AuditSettings) -> list[Challenger]:
    """The direction, the FM-extended set, the linear probe's set of the same size, and the set with the sink.

    They stand beside the first minimal set, or where nothing flipped beside the widest set tried, so that every
    refused prompt gives every arm a chance.
    """
    features: FeatureSet = search.found[0].features if search.found else search.widest
    extended = tuple(sorted(extended_set(features, fitted.claimed_pairs)))
    probe = tuple(sorted(fitted.probe_ranking[: len(features)]))
    arms = [
        Challenger("direction", (), ablate_everywhere(engine, fitted.direction, settings.scope)),
        Challenger("fm_extended", extended, ablate(extended, settings.scope)),
        Challenger("linear_probe", probe, ablate(probe, settings.scope)),
    ]
    if settings.include_sink:
        arms.append(Challenger("with_sink", tuple(sorted(features)), ablate(features, settings.sink_scope)))
    return arms
