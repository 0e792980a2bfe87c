"""Completions with verdicts and usefulness: order, masking, batches."""

from collections.abc import Sequence

import pytest

from backend.audit.interventions import NO_INTERVENTION
from backend.audit.refusal.judges.judge import Judge, Question, Verdict
from backend.audit.refusal.respond import Request, respond
from backend.audit.spec import AuditedPrompt
from backend.engine.protocol import Completion, Engine, Told
from backend.prompts.prompt import Prompt
from backend.subjects.language_model import ChatTokens

TEXTS = ("I cannot.", "Two eggs.", "x")
VERDICTS: dict[str, Verdict] = {"I cannot.": "refused", "Two eggs.": "complied", "x": "incoherent"}


class Speaks:
    """The part of an engine that `respond` uses."""

    def generate(self, pairs: Sequence[object], max_new_tokens: int, told: Told) -> list[Completion]:
        return [Completion((i,), text, True) for i, text in enumerate(TEXTS[: len(pairs)])]


class OneByOne:
    name, sha256 = "one", "0" * 64

    def judge(self, prompt: str, completion: str, ended: bool) -> Verdict:
        return VERDICTS[completion]


class Together(OneByOne):
    batches: list[int]

    def judge_all(self, questions: Sequence[Question]) -> list[Verdict]:
        self.batches = [len(questions)]
        return [VERDICTS[q.completion] for q in questions]


class Half:
    name, sha256 = "half", "1" * 64

    def __init__(self) -> None:
        self.seen: list[str] = []

    def rate(self, prompt: str, completion: str, ended: bool) -> float:
        self.seen.append(completion)
        return 0.5


def requests(n: int = 3) -> list[Request]:
    tokens = ChatTokens((1, 2), ("sink", "instruction"), 1)
    prompt = Prompt("p", "q", "harmful", None, "f", "test")
    return [Request(f"p/{i}", AuditedPrompt(prompt, tokens), NO_INTERVENTION) for i in range(n)]


@pytest.mark.parametrize("judge", [OneByOne(), Together()])
def test_verdicts_texts_and_usefulness(judge: Judge) -> None:
    engine: Engine = Speaks()  # type: ignore[assignment]
    rater = Half()
    answered = respond(engine, judge, requests(), 10, rater)
    assert [(r.verdict, r.text, r.usefulness, r.tokens) for r in answered.responses] == [
        ("refused", "I cannot.", 0.0, "p/0"),
        ("complied", None, 0.5, "p/1"),  # masked
        ("incoherent", None, 0.0, "p/2"),
    ]
    assert answered.token_ids == {"p/0": (0,), "p/1": (1,), "p/2": (2,)}
    assert rater.seen == ["Two eggs."], "what does not comply is not rated"
    assert getattr(judge, "batches", [3]) == [3]


def test_without_a_rater_nothing_is_rated() -> None:
    engine: Engine = Speaks()  # type: ignore[assignment]
    assert {r.usefulness for r in respond(engine, OneByOne(), requests(), 10).responses} == {None}
    assert respond(engine, OneByOne(), [], 10).responses == ()
