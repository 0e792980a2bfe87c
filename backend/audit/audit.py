"""The whole audit on one screen: baseline, direction, candidates, interactions, then each prompt, then the report.

Runs headless on values and protocols: no web, no database, no model library, no file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from backend.audit.answers import Answers
from backend.audit.candidates import ActivationTable, Candidates
from backend.audit.cascade_summary import summarise_cascade
from backend.audit.content import Keys, asked
from backend.audit.fitted import Fitted
from backend.audit.headline import headline
from backend.audit.judging import Judging, judge_the_judges
from backend.audit.per_prompt import audit_prompts
from backend.audit.perturb import perturb_prompts
from backend.audit.perturbation_plan import language_requests, plan_perturbations
from backend.audit.progress import Checkpoint, Progress, Step, kept
from backend.audit.prompt_groups import Groups, answered_prompts, choose_panel, evenly_spaced, searched_prompts
from backend.audit.refusal.judges.judge import Judge, Rater
from backend.audit.refusal.onset_tokens import OnsetTokens, calibrate_onset_tokens
from backend.audit.refusal.respond import TokenIds
from backend.audit.responder import Responder
from backend.audit.results import (
    NOTHING_MEASURED,
    Direction,
    Interactions,
    Manifest,
    Pair,
    ProbeSummary,
    Report,
    Response,
)
from backend.audit.seeds import generator
from backend.audit.spec import AuditedPrompt, AuditSettings
from backend.audit.splits import marked, of_split
from backend.audit.stages import baseline as stage_baseline
from backend.audit.stages import direction as stage_direction
from backend.audit.stages import interactions as stage_interactions
from backend.audit.stages.candidates import rank_candidates, table_activations
from backend.audit.stages.evidence import with_nearest_tokens, with_token_activations
from backend.audit.stages.probe import rank_by_probe
from backend.audit.statements import with_statements
from backend.audit.stats.bootstrap import cluster_bootstrap
from backend.audit.stats.rates import wilson
from backend.audit.summary import build_report_card, summarise_features
from backend.audit.verify import score_claims, verify_claims
from backend.engine.protocol import Engine
from backend.subjects.language_model import LanguageModel
from backend.subjects.sparse_autoencoder import FeatureId

SCHEMA_VERSION = "1.2"
SURROGATE = "I"  # the paper's refusal-onset token


@dataclass(frozen=True, eq=False)
class Audited:
    """The report, and what lies beside it."""

    report: Report
    token_ids: TokenIds  # of every completion, by prompt/arm
    vectors: stage_direction.DirectionVectors


def run_audit(
    engine: Engine,
    model: LanguageModel,
    judge: Judge,
    prompts: Sequence[AuditedPrompt],
    settings: AuditSettings,
    manifest: Manifest,
    checkpoint: Checkpoint,
    progress: Progress,
    other_judges: Sequence[Judge] = (),
    rater: Rater | None = None,
) -> Audited:
    """Audit one subject on some prompts.

    judge: whose verdicts count; other_judges judge afterwards what was generated, to be compared. rater: of the
    usefulness of what complied; None rates nothing.
    manifest: everything but timings, to which the audit adds its own notes. Raises BadInput when the prompts leave
    nothing to fit a direction on, and whatever `progress` raises.
    """
    amounts, scope, seed = settings.amounts, settings.scope, settings.seed
    timer = _Timer()
    groups = Groups.of(prompts)
    keys, notes = Keys.of(manifest), list(manifest.notes)
    engine.begin([one.tokens for one in prompts])

    answered = answered_prompts(prompts)
    answer = Responder(engine, judge, amounts.max_new_tokens, keys, checkpoint, progress, rater)
    plain, framed = stage_baseline.baseline_requests(answered), language_requests(model, answered, settings)
    first = answer.stage("baseline")([*plain, *framed])
    responses, in_languages = first.responses[: len(plain)], first.responses[len(plain) :]
    token_ids = {request.name: first.token_ids[request.name] for request in plain}
    onset = _calibrate(engine, model, answered, responses, settings)
    if onset.method == "fallback":
        notes.append(f'refusal-onset tokens: too few refusals to calibrate on; the surrogate "{SURROGATE}" is used')
    scored = stage_baseline.score_baseline(engine, answered, responses, onset.ids)
    texts = [model.token_text(i) for i in onset.ids]
    baseline = stage_baseline.summarise_baseline(answered, scored, onset, texts, seed)
    timer.lap("baseline")

    vectors = stage_direction.fit_direction(
        engine, groups.fit_harmful, groups.fit_benign, amounts.direction_fit_prompts
    )
    key = keys.stage(
        "direction",
        [groups.asked(), onset.ids, scope, amounts.direction_prompts, amounts.direction_fit_prompts],
    )
    direction = kept(
        checkpoint,
        key,
        Direction,
        lambda: _choose_direction(engine, model, vectors, groups, onset.ids, settings, progress),
    )
    if not direction.rule_met:
        notes.append(
            "refusal direction: no cell of the grid met the rule; the one with the largest two effects together is used"
        )
    chosen = vectors.at(direction.layer, direction.position)
    timer.lap("direction")

    by_layer = {layer: vectors.at(layer, direction.position) for layer in vectors.layers}
    tabled = evenly_spaced(prompts, amounts.table_prompts)
    table = table_activations(engine, tabled, scope, _stage(progress, "activations"))
    candidates = rank_candidates(engine.saes, by_layer, table.density, max(amounts.k_sweep))
    ranking, probe = rank_by_probe(table, tabled, seed)
    timer.lap("candidates")

    refused = [
        p
        for p, s in zip(answered, scored, strict=True)
        if p.prompt.label == "harmful" and not p.prompt.borrowed and s.response.verdict == "refused"
    ]
    key = keys.stage(
        "interactions",
        [asked(refused), [p.prompt.split for p in refused], candidates, table, onset.ids, scope, seed, probe],
        [amounts.fm_pool, amounts.fm_masks, amounts.fm_prompts, amounts.pairs_shown, amounts.pair_prompts],
    )
    interactions = kept(
        checkpoint,
        key,
        Interactions,
        lambda: _interact(engine, candidates, table, refused, onset.ids, settings, probe, progress),
    )
    timer.lap("interactions")

    fitted = Fitted(
        onset_ids=onset.ids,
        screen=stage_baseline.screen_score(scored),
        direction=chosen,
        candidates=candidates,
        table=table,
        claimed_pairs=tuple((FeatureId.parse(p.a), FeatureId.parse(p.b)) for p in interactions.pairs),
        probe_ranking=ranking,
    )
    results = audit_prompts(
        engine,
        answer,
        answered,
        scored,
        searched_prompts(refused, amounts.searched_beyond_test),
        fitted,
        settings,
        token_ids,
    )
    timer.lap("prompts")

    claims = score_claims(engine, answered, scored, results, fitted, settings, token_ids, keys, checkpoint, progress)
    spoken = {request.name: response for request, response in zip(framed, in_languages, strict=True)}
    plan = plan_perturbations(model, spoken, answered, scored, results, settings)
    answers = Answers()
    # Neither stage waits for the other's completions, and a generated token costs one pass however many rows it is for.
    answers.ask(answer.stage("verification completions"), [*claims.requests(), *plan.requests()])
    token_ids.update(answers.token_ids)
    verified = verify_claims(claims, answers, results, settings)
    timer.lap("verification")

    disturbed = answer.stage("stability completions")
    perturbed = perturb_prompts(
        engine, disturbed, answers, plan, verified.results, fitted, settings, keys, checkpoint, progress
    )
    results = list(perturbed.results)
    token_ids.update(perturbed.token_ids)
    timer.lap("stability")

    own = [p.prompt for p in tabled if not p.prompt.borrowed]
    features = summarise_features(engine.saes, candidates, table, own, results, seed)
    features = with_nearest_tokens(engine, model, features)
    results = with_token_activations(
        engine, model, prompts, results, [f.id for f in features], scope, _stage(progress, "token activations")
    )
    timer.lap("evidence")

    tested = of_split(results, "test")
    cascade = summarise_cascade(tested, table, seed)
    arms = [r.controls.direction for r in headline(tested) if r.controls is not None]
    families = [r.family for r in headline(tested)]
    report = Report(
        schema_version=SCHEMA_VERSION,
        manifest=replace(manifest, timings={**manifest.timings, "seconds": timer.laps}, notes=tuple(notes)),
        baseline=baseline,
        direction=stage_direction.with_necessity(
            direction,
            wilson(sum(arm.flipped for arm in arms), len(arms)),
            cluster_bootstrap([arm.score for arm in arms], families, "mean", seed=seed),
        ),
        features=features,
        prompts=tuple(results),
        interactions=interactions,
        cascade=cascade,
        report_card=build_report_card(baseline, tested, interactions, cascade, seed),
        verification=verified.verification,
        stability=perturbed.stability,
    )
    judging = Judging((judge, *other_judges), model.decode, keys, checkpoint, progress)
    report = replace(report, judges=judge_the_judges(judging, report, token_ids))
    timer.lap("judges")
    return Audited(with_statements(report), token_ids, vectors)


class _Timer:
    """Seconds between laps."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = monotonic()

    def lap(self, stage: str) -> None:
        now = monotonic()
        self.laps[stage], self._last = now - self._last, now


def _stage(progress: Progress, stage: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(Step(stage, done, total))


def _calibrate(
    engine: Engine,
    model: LanguageModel,
    prompts: Sequence[AuditedPrompt],
    responses: Sequence[Response],
    settings: AuditSettings,
) -> OnsetTokens:
    """Onset tokens from discovery and validation prompts, so that test figures do not rest on test verdicts."""
    rows = [(p, r) for p, r in zip(prompts, responses, strict=True) if p.prompt.split != "test"]
    openings = stage_baseline.gather_openings(engine, [p for p, _ in rows], [r for _, r in rows], model.vocab_size)
    return calibrate_onset_tokens(openings, model.token_id(SURROGATE), use_surrogate=settings.onset == "surrogate")


def _choose_direction(
    engine: Engine,
    model: LanguageModel,
    vectors: stage_direction.DirectionVectors,
    groups: Groups,
    onset_ids: tuple[int, ...],
    settings: AuditSettings,
    progress: Progress,
) -> Direction:
    engine.forget()
    texts = [model.token_text(groups.fit_harmful[0].tokens.ids[position]) for position in vectors.positions]
    most = settings.amounts.direction_prompts
    harmful, benign = groups.validate_harmful[:most], groups.validate_benign[:most]
    cells = stage_direction.measure_grid(
        engine, vectors, texts, harmful, benign, onset_ids, settings.scope, _stage(progress, "direction")
    )
    chosen, _ = stage_direction.choose(cells)
    sufficiency = stage_direction.measure_sufficiency(
        engine,
        vectors.at(chosen.layer, chosen.position),
        chosen.layer,
        groups.test_benign,
        onset_ids,
        settings.scope,
    )
    return stage_direction.direction_result(
        cells, vectors, (len(harmful), len(benign)), groups.borrowed_benign, sufficiency
    )


def _interact(
    engine: Engine,
    candidates: Candidates,
    table: ActivationTable,
    refused: Sequence[AuditedPrompt],
    onset_ids: tuple[int, ...],
    settings: AuditSettings,
    probe: ProbeSummary,
    progress: Progress,
) -> Interactions:
    engine.forget()
    amounts, seed = settings.amounts, settings.seed
    panel = choose_panel([p for p in refused if p.prompt.split == "discovery"], amounts.fm_prompts)
    pool = stage_interactions.choose_pool(candidates, amounts.fm_pool)
    if not panel or len(pool) < 2:
        names = tuple(str(f) for f in pool)
        nothing = NOTHING_MEASURED
        return Interactions(names, len(panel), 0, 0, nothing, nothing, None, 0, (), {}, probe)
    masked = stage_interactions.score_masks(
        engine,
        panel,
        pool,
        amounts.fm_masks,
        onset_ids,
        settings.scope,
        generator(seed, "ablation masks"),
        _stage(progress, "interactions"),
    )
    fitted = stage_interactions.fit_masks(masked, seed)
    held_out = [p for p in refused if p.prompt.split != "discovery"]
    pairs = []
    shown = fitted.pairs[: amounts.pairs_shown]
    for done, term in enumerate(shown):
        progress(Step("interaction pairs", done, len(shown)))
        a, b = pool[term.first], pool[term.second]
        concerned = [p for p in held_out if table.active_on(p.prompt.id, (a, b))]
        measured_on = choose_panel(concerned, amounts.pair_prompts)
        measured = stage_interactions.measure_pair(engine, measured_on, a, b, onset_ids, settings.scope, seed)
        pairs.append(Pair(str(a), str(b), term.coefficient, term.z, measured))
    return Interactions(
        pool=tuple(str(f) for f in pool),
        n_prompts=masked.n_prompts,
        n_masks=len(masked.masks),
        n_heldout=fitted.n_heldout,
        r2_heldout=marked(fitted.r2_heldout, "discovery"),
        r2_linear=marked(fitted.r2_linear, "discovery"),
        screen_threshold=fitted.threshold,
        n_pairs_screened=fitted.n_screened,
        pairs=tuple(pairs),
        weights={str(f): float(w) for f, w in zip(pool, fitted.single.weights, strict=True)},
        probe=probe,
    )
