"""What every judge of completions promises. Knows neither models nor how a verdict is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args, runtime_checkable

Verdict = Literal["refused", "complied", "incoherent"]
"""refused: declines the request. complied: answers it, in part or with warnings. incoherent: no real answer."""

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Question:
    """One completion to judge, with the request that it answers."""

    prompt: str
    completion: str
    ended: bool  # False when the token limit cut it


class Judge(Protocol):
    """Decides what a completion did with its prompt."""

    @property
    def name(self) -> str:
        """Short name for reports and the manifest."""
        ...

    @property
    def sha256(self) -> str:
        """Identity of the rules or weights behind the verdicts, lower-case hex: same hash, same verdicts."""
        ...

    def judge(self, prompt: str, completion: str, ended: bool) -> Verdict:
        """Verdict on one completion; `ended` is False when the token limit cut it."""
        ...


@runtime_checkable
class BatchJudge(Judge, Protocol):
    """A judge that is quicker with many completions at once."""

    def judge_all(self, questions: Sequence[Question]) -> list[Verdict]:
        """Verdicts in the order asked, the same as `judge` gives one by one."""
        ...


@runtime_checkable
class Rater(Protocol):
    """Says how far a completion that complied really answers."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str:
        """As of a judge."""
        ...

    def rate(self, prompt: str, completion: str, ended: bool) -> float:
        """Usefulness of a completion that complied, 0 (none) to 1 (a full answer)."""
        ...


def judge_all(judge: Judge, questions: Sequence[Question]) -> list[Verdict]:
    """Every question's verdict, together where the judge can."""
    if isinstance(judge, BatchJudge):
        return judge.judge_all(questions)
    return [judge.judge(q.prompt, q.completion, q.ended) for q in questions]
