"""Rows of the store -> wire types. Pure; knows no session."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter

from backend.api import schemas as wire
from backend.audit.comparison_results import CELLS, Comparison, FlipTable, Matching
from backend.audit.results import Feature, PromptResult
from backend.reports.cascade_graph import CascadeGraph, CascadeStory, cascade_graph
from backend.store import tables
from backend.store.distributions import Distributions
from backend.store.features import Context, FeaturePrompt
from backend.store.human_verdicts import CountPair
from backend.store.stories import Perturbed

_STORY: TypeAdapter[PromptResult] = TypeAdapter(PromptResult)
_FEATURE: TypeAdapter[Feature] = TypeAdapter(Feature)
NEURONPEDIA = "https://www.neuronpedia.org/"
MOST_COMPARED, MOST_LEFT_OUT = 200, 50  # features, and ids of prompts left out, of a comparison that are given out


def worker_state(row: tables.WorkerRow, now: float) -> wire.WorkerState:
    return wire.WorkerState(
        id=row.id,
        device=row.device,
        subject=row.subject,
        job_id=row.job_id,
        seen_seconds_ago=round(max(0.0, now - row.seen), 1),
    )


def subject(row: tables.SubjectRow, problem: str | None, n_audits: int) -> wire.Subject:
    """problem: what keeps its files from being here, if anything does."""
    return wire.Subject(
        id=row.id,
        kind=row.kind,
        description=row.description,
        ready=problem is None,
        problem=problem,
        layers=row.layers,
        check=row.check,
        n_audits=n_audits,
    )


def prompt_set(row: tables.PromptSetRow) -> wire.PromptSet:
    return _of(wire.PromptSet, row)


def prompt_text(row: tables.PromptRow) -> wire.PromptText:
    return _of(wire.PromptText, row)


def job(row: tables.JobRow) -> wire.Job:
    """Without the words of a reveal: those are given to the one who asked, once."""
    result = None if row.kind == "reveal" or row.result is None else _public(row.result)
    return _of(wire.Job, row, result=result)


def _public(result: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "token_ids"}


def audit_summary(row: tables.AuditRow, job_row: tables.JobRow | None) -> wire.AuditSummary:
    """job_row: of the job that works on it, whose progress is shown until it has ended."""
    card = row.summary["report_card"] if row.summary is not None else None
    flipped = card["flipped"] if card is not None else {}
    working = job_row if row.state in ("queued", "running") else None
    return _of(
        wire.AuditSummary,
        row,
        subject=row.subject_id,
        effort=row.spec["effort"],
        progress=working.progress if working is not None else None,
        refusal_rate=card and card["refusal_rate"],
        over_refusal_rate=card and card["over_refusal_rate"],
        minimal_set_size=card and card["minimal_set_size"],
        flipped_minimal=flipped.get("minimal"),
        flipped_random=flipped.get("random"),
        flipped_direction=flipped.get("direction"),
    )


def audit_detail(row: tables.AuditRow, job_row: tables.JobRow | None, *, read_only: bool) -> wire.AuditDetail:
    return wire.AuditDetail(
        audit=audit_summary(row, job_row),
        spec=wire.AuditSpec.model_validate(row.spec),
        has_completions=row.completions_sha256 is not None,
        read_only=read_only,
        **(row.summary or {}),
    )


def distributions(value: Distributions) -> wire.Distributions:
    return wire.Distributions(
        set_sizes=value.set_sizes,
        depths=value.depths,
        slices=[wire.Slice(**vars(one)) for one in value.slices],
        layers=[wire.LayerUse(**vars(one)) for one in value.layers],
        never_flipped=list(value.never_flipped),
    )


def prompt_line(row: tables.PromptResultRow) -> wire.PromptLine:
    return _of(wire.PromptLine, row, id=row.prompt_id)


def prompt_detail(row: tables.PromptResultRow, previous: str | None, following: str | None) -> wire.PromptDetail:
    story = _STORY.validate_python(row.story)
    graph = None
    if story.cascade is not None:
        graph = cascade_graph([CascadeStory(story.baseline.score, story.cascade, story.single_effects)])
    return wire.PromptDetail(
        line=prompt_line(row),
        story=story,
        previous=previous,
        next=following,
        cascade_graph=graph and summed_cascades(graph),
    )


def summed_cascades(value: CascadeGraph) -> wire.CascadeGraph:
    return wire.CascadeGraph.model_validate(asdict(value))


def perturbed_line(value: Perturbed) -> wire.PerturbedLine:
    one = value.result
    return wire.PerturbedLine(
        prompt_id=value.prompt_id,
        split=value.split,
        perturbation=one.perturbation,
        verdict=one.response.verdict if one.response is not None else None,
        score=one.score,
        score_change=one.score - value.baseline_score,
        jaccard=one.jaccard,
        n_lost=len(one.lost),
        set_flips=one.set_flips,
    )


def feature_line(row: tables.FeatureRow) -> wire.FeatureLine:
    return _of(wire.FeatureLine, row, id=row.feature, index=row.number)


def feature_detail(row: tables.FeatureRow, contexts: list[Context], categories: dict[str, float]) -> wire.FeatureDetail:
    feature = _FEATURE.validate_python(row.record)
    return wire.FeatureDetail(
        feature=feature,
        layer=row.layer,
        index=row.number,
        contexts=[wire.Context(**vars(context)) for context in contexts],
        categories=categories,
        neuronpedia_url=neuronpedia_url(feature.neuronpedia_id),
    )


def neuronpedia_url(identity: str | None) -> str | None:
    """The id comes from whoever made the SAE: whatever it holds, the address stays on that site."""
    return None if identity is None else NEURONPEDIA + quote(identity, safe="/")


def feature_prompt(value: FeaturePrompt) -> wire.FeaturePrompt:
    return wire.FeaturePrompt(**vars(value))


def saved_set(row: tables.SavedSetRow) -> wire.SavedSet:
    return _of(wire.SavedSet, row)


def reveal(row: tables.RevealRow) -> wire.Reveal:
    return _of(wire.Reveal, row)


def human_verdict(row: tables.HumanVerdictRow) -> wire.HumanVerdict:
    return _of(wire.HumanVerdict, row)


def disagreement(
    found: tuple[tables.JudgeDisagreementRow, tables.HumanVerdictRow | None],
) -> wire.DisagreementRow:
    row, person = found
    return wire.DisagreementRow(
        position=row.position,
        prompt_id=row.prompt_id,
        arm=row.arm,
        completion=row.completion,
        verdicts=row.verdicts,
        person=None if person is None else human_verdict(person),
    )


def corrected_count(path: str, counts: CountPair) -> wire.CorrectedCount:
    return wire.CorrectedCount(path=path, **vars(counts))


def link(row: tables.LinkRow) -> wire.Link:
    return _of(wire.Link, row)


def compared_audit(value: Comparison, outcome: wire.ComparedOutcome, audit: wire.AuditSummary) -> wire.ComparedAudit:
    features = replace(value.features, pairs=value.features.pairs[:MOST_COMPARED])
    return wire.ComparedAudit(
        audit=audit,
        n_prompts=value.matching.n,
        n_test=value.matching.n_test,
        left_out=_left_out(value.matching),
        cautions=list(value.cautions),
        test=_flip_counts(value.table(outcome, "test")),
        everything=_flip_counts(value.table(outcome, "all")),
        figures=list(value.figures),
        n_compared=value.n_compared,
        counts=list(value.counts),
        statements=list(value.statements),
        features=features,
        n_features=len(value.features.pairs),
        connections=value.connections,
    )


def _flip_counts(table: FlipTable) -> wire.FlipCounts:
    return wire.FlipCounts(
        prompts=table.prompts,
        n=table.n,
        counts={cell: len(table.cell(cell)) for cell in CELLS},
        untried_a=len(table.untried_a),
        untried_b=len(table.untried_b),
        rate_a=table.rate_a,
        rate_b=table.rate_b,
        difference=table.difference,
        p=table.p,
        detectable=table.detectable,
        power=table.power,
    )


def _left_out(matching: Matching) -> list[wire.LeftOut]:
    reasons = {
        "in the reference only": matching.only_a,
        "in the other audit only": matching.only_b,
        "the same id with other words": matching.other_text,
        "the same words under another label": matching.other_label,
        "in another split, so in no test table": matching.other_split,
    }
    return [wire.LeftOut(why=why, n=len(ids), ids=list(ids[:MOST_LEFT_OUT])) for why, ids in reasons.items() if ids]


def _of(kind: type[wire.Wire], row: tables.Table, **given: Any) -> Any:
    """Fields of the wire type from the row's columns of the same name, but for those given."""
    return kind(**{name: given[name] if name in given else getattr(row, name) for name in kind.model_fields})
