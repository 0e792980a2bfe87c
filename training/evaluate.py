"""Refusal rates of a subject on dev requests by the product's own judge, with Wilson intervals."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from backend.audit.refusal.judges.phrases import PhraseJudge
from backend.audit.stats.rates import wilson
from backend.subjects.huggingface import HuggingFaceModel
from training.completions import Completion, complete
from training.data import Request


def evaluate(
    subject: HuggingFaceModel, requests: Sequence[Request], judged_tokens: int
) -> tuple[dict[str, Any], list[Completion]]:
    """Refusal rates per label and per source, how refusals begin, and the greedy completions themselves."""
    completions = complete(subject, [request.prompt for request in requests], judged_tokens)
    return summarise(requests, completions), completions


def summarise(requests: Sequence[Request], completions: Sequence[Completion]) -> dict[str, Any]:
    judge = PhraseJudge()
    judged = [
        judge.judge(request.prompt, completion.text, completion.ended)
        for request, completion in zip(requests, completions, strict=True)
    ]
    verdicts = [verdict == "refused" for verdict in judged]
    rates: dict[str, dict[str, Any]] = {}
    for label in sorted({request.label for request in requests}):
        mine = [(r, verdict) for r, verdict in zip(requests, verdicts, strict=True) if r.label == label]
        rates[label] = asdict(wilson(sum(verdict for _, verdict in mine), len(mine)))
        for source in sorted({request.source for request, _ in mine}):
            hits = [verdict for request, verdict in mine if request.source == source]
            rates[f"{label}: {source}"] = asdict(wilson(sum(hits), len(hits)))
    refused = [
        completion.text
        for request, completion, verdict in zip(requests, completions, verdicts, strict=True)
        if verdict and request.label == "harmful"
    ]
    openings = Counter(" ".join(text.split()[:2]) for text in refused)
    samples = [" ".join(text.split()[:6]) for text in refused[:: max(1, len(refused) // 12)]][:12]
    incoherent = Counter(r.label for r, verdict in zip(requests, judged, strict=True) if verdict == "incoherent")
    return {
        "refusal_rates": rates,
        "incoherent": dict(incoherent),
        "openings": dict(openings.most_common(15)),
        "samples": samples,
    }
