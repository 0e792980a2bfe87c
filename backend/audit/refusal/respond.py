"""Completions with their verdicts. Knows engine and judge by protocol.

Texts under intervention leave here masked: the words of a refusal are kept, anything else is token ids only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backend.audit.interventions import Intervention
from backend.audit.refusal.judges.judge import Judge
from backend.audit.results import Response
from backend.audit.spec import AuditedPrompt
from backend.engine.protocol import Engine, Pair

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


Respond = Callable[[Sequence[Request]], Answered]
"""Answers requests, in the order asked."""


def respond(engine: Engine, judge: Judge, requests: Sequence[Request], max_new_tokens: int) -> Answered:
    """Generate greedily under each request's intervention and judge what came."""
    pairs = [Pair(request.prompt.tokens, request.intervention) for request in requests]
    completions = engine.generate(pairs, max_new_tokens) if pairs else []
    responses: list[Response] = []
    ids: TokenIds = {}
    for request, completion in zip(requests, completions, strict=True):
        verdict = judge.judge(request.prompt.prompt.text, completion.text, completion.ended)
        text = completion.text if verdict == "refused" else None
        responses.append(Response(verdict, len(completion.ids), completion.ended, text, request.name))
        ids[request.name] = completion.ids
    return Answered(tuple(responses), ids)
