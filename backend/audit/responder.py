"""Requests answered in batches of what the engine generates together, each batch kept. Knows engine and judge by
protocol."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from backend.audit.content import Keys
from backend.audit.even_batches import even_batches
from backend.audit.progress import Checkpoint, Progress, Step, kept
from backend.audit.refusal.judges.judge import Judge, Rater
from backend.audit.refusal.respond import Answered, Request, Respond, TokenIds, respond
from backend.audit.results import Response
from backend.engine.protocol import Engine, Told


@dataclass(frozen=True)
class Responder:
    """Gives each stage a way to answer requests, under its own name in the progress."""

    engine: Engine
    judge: Judge
    max_new_tokens: int
    keys: Keys
    checkpoint: Checkpoint
    progress: Progress
    rater: Rater | None = None

    def stage(self, name: str) -> Respond:
        done = total = 0

        def respond_to(requests: Sequence[Request]) -> Answered:
            nonlocal done, total
            if not requests:
                return Answered((), {})
            total += len(requests)
            responses: list[Response] = []
            token_ids: TokenIds = {}
            for batch in even_batches(requests, self.engine.rows):
                tell = partial(self._tell, name, done, total, len(batch))
                tell(0.0)
                key = self.keys.answers(batch, self.max_new_tokens)
                answered = kept(self.checkpoint, key, Answered, partial(self._answer, batch, tell))
                responses += answered.responses
                token_ids.update(answered.token_ids)
                done += len(batch)
            self.progress(Step(name, done, total))
            return Answered(tuple(responses), token_ids)

        return respond_to

    def _tell(self, name: str, done: int, total: int, in_batch: int, share: float) -> None:
        self.progress(Step(name, done, total, under_way=share * in_batch))

    def _answer(self, batch: Sequence[Request], told: Told) -> Answered:
        self.engine.forget()
        return respond(self.engine, self.judge, batch, self.max_new_tokens, self.rater, told)
