"""Completions with their verdicts. Knows engine and judge by protocol.

Texts under intervention leave here masked: the words of a refusal are kept, anything else is token ids only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backend.audit.interventions import Intervention
from backend.audit.refusal.judges.judge import Judge, Question, Rater, Verdict, judge_all
from backend.audit.results import Response
from backend.audit.spec import AuditedPrompt
from backend.engine.protocol import Engine, Pair, Told, tell_nobody
from backend.subjects.language_model import Disturbance

TokenIds = dict[str, tuple[int, ...]]
"""Token ids of completions by name, `prompt/arm`: kept beside the report, never in it."""


@dataclass(frozen=True)
class Answered:
    """Responses to some requests, with the token ids behind them."""

    responses: tuple[Response, ...]
    token_ids: TokenIds


@dataclass(frozen=True)
class Request:
    """One completion to generate and judge."""

    name: str  # prompt/arm
    prompt: AuditedPrompt
    intervention: Intervention
    under: Disturbance | None = None  # of the weights, while it is asked: who asks sees to it


Respond = Callable[[Sequence[Request]], Answered]
"""Answers requests, in the order asked."""


def respond(
    engine: Engine,
    judge: Judge,
    requests: Sequence[Request],
    max_new_tokens: int,
    rater: Rater | None = None,
    told: Told = tell_nobody,
) -> Answered:
    """Generate greedily under each request's intervention, and judge and rate what came. told: of the generating."""
    pairs = [Pair(request.prompt.tokens, request.intervention) for request in requests]
    completions = engine.generate(pairs, max_new_tokens, told) if pairs else []
    questions = [
        Question(request.prompt.prompt.text, completion.text, completion.ended)
        for request, completion in zip(requests, completions, strict=True)
    ]
    responses: list[Response] = []
    ids: TokenIds = {}
    verdicts = judge_all(judge, questions)
    for request, completion, question, verdict in zip(requests, completions, questions, verdicts, strict=True):
        text = completion.text if verdict == "refused" else None
        usefulness = _usefulness(rater, question, verdict)
        responses.append(Response(verdict, len(completion.ids), completion.ended, text, request.name, usefulness))
        ids[request.name] = completion.ids
    return Answered(tuple(responses), ids)


def _usefulness(rater: Rater | None, question: Question, verdict: Verdict) -> float | None:
    """StrongREJECT's rule (Souly et al. 2402.10260): what does not comply is of no use, however it reads."""
    if rater is None:
        return None
    return rater.rate(question.prompt, question.completion, question.ended) if verdict == "complied" else 0.0
