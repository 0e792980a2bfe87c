"""Reports with texts that would run as code if anything took them for markup, for the tests of several folders."""

from dataclasses import replace

from backend.audit.results import NOTHING_MEASURED, PromptResult, Report, TokenWeight
from tests.hostile_texts import HOSTILE


def hostile_report(report: Report) -> Report:
    """The same report with hostile texts wherever a report holds text."""
    texts = [HOSTILE[i % len(HOSTILE)] for i in range(max(len(report.prompts), len(HOSTILE)))]
    prompts = tuple(_hostile_prompt(p, text) for p, text in zip(report.prompts, texts, strict=False))
    features = tuple(
        replace(f, promoted=tuple(TokenWeight(t, 1.0) for t in HOSTILE), neuronpedia_id=HOSTILE[0])
        for f in report.features
    )
    everything = " ".join(HOSTILE)
    manifest = replace(
        report.manifest,
        subject={"id": everything, "n_layers": 6},
        prompts={"name": everything},
        command=everything,
        notes=HOSTILE,
        timings={"started": everything},
    )
    cell = replace(report.direction.grid[0], token=everything, reason=everything, admissible=False)
    direction = replace(report.direction, rule=everything, grid=(cell, *report.direction.grid[1:]))
    onset = replace(
        report.baseline.onset, tokens=tuple(replace(t, text=everything) for t in report.baseline.onset.tokens)
    )
    rates = dict.fromkeys(HOSTILE, report.baseline.refusal_rate)
    baseline = replace(report.baseline, onset=onset, refusal_rate_by_category=rates)
    report = _hostile_evidence(report, everything)
    return replace(
        report, manifest=manifest, baseline=baseline, direction=direction, features=features, prompts=prompts
    )


def _hostile_prompt(prompt: PromptResult, text: str) -> PromptResult:
    response = replace(prompt.baseline.response, verdict="refused", text=text)
    return replace(
        prompt, id=text, text=text, category=text, family=text, baseline=replace(prompt.baseline, response=response)
    )


def _hostile_evidence(report: Report, everything: str) -> Report:
    """What judges, perturbations and statements are called, where the report has any."""
    stability, judges = report.stability, report.judges
    if stability is not None:
        named = [replace(one, name=everything, description=everything) for one in stability.perturbations]
        skipped = [replace(one, skipped=everything) for one in named[:1]]
        stability = replace(stability, perturbations=(*named[1:], *skipped))
    if judges is not None:
        quality = tuple(replace(one, judge=everything, yardstick=everything) for one in judges.quality)
        judges = replace(
            judges, primary=everything, quality=quality, corrected=dict.fromkeys(HOSTILE, NOTHING_MEASURED)
        )
    card = report.report_card
    said = tuple(replace(one, question=everything, text=everything, rule=everything) for one in card.statements)
    return replace(report, stability=stability, judges=judges, report_card=replace(card, statements=said))
