"""Searches that each ask little at a time, run side by side so that what they ask for shares batches.

A forward pass over a few tokens costs nearly what one over a few hundred does: it is the weights that have to be moved.
Each search runs in a thread of its own; once every one of them waits for an answer, all that is asked is evaluated
together, in the caller's thread. So what shares a batch depends on the searches alone, not on which thread was quicker.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import chain
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar, cast

import torch
from torch import Tensor

from backend.audit.interventions import Scope
from backend.engine.protocol import Evaluator, Observation, Pair, Score

T = TypeVar("T")


def side_by_side(
    evaluator: Evaluator, searches: Sequence[Callable[[Evaluator], T]], told: Callable[[int], None] = lambda n: None
) -> list[T]:
    """The results of some searches, each given an evaluator to ask.

    told: called before each round of answers and at the end with how many have ended. What a search, the evaluator or
    `told` raises ends them all.
    """
    sides = [_Side(evaluator, search) for search in searches]
    results: dict[_Side[T], T] = {}
    going: Sequence[_Side[T]] = sides
    try:
        for side in sides:
            side.thread.start()
        while going:
            said = {side: side.says.get() for side in going}
            asked: dict[_Side[T], _Question] = {}
            for side, one in said.items():
                if isinstance(one, _Failure):
                    raise one.error
                if isinstance(one, _Result):
                    results[side] = one.value
                else:
                    asked[side] = one
            told(len(results))
            _answer(evaluator, asked)
            going = list(asked)
    finally:
        for side in sides:
            side.leave()
    return [results[side] for side in sides]


@dataclass(frozen=True)
class _Question:
    """A method of an evaluator, called as method(rows[0], *shared, *rows[1:])."""

    method: str
    rows: tuple[Any, ...]  # sequences or tensors, each with one of something for every result
    shared: tuple[Hashable, ...]


@dataclass(frozen=True)
class _Result:
    value: Any


@dataclass(frozen=True)
class _Failure:
    error: BaseException


class _Left(Exception):
    """Raised in a search that nobody waits for any more."""


class _Side(Generic[T]):
    """One search in its thread."""

    def __init__(self, evaluator: Evaluator, search: Callable[[Evaluator], T]) -> None:
        self.says: SimpleQueue[_Question | _Result | _Failure] = SimpleQueue()
        self.hears: SimpleQueue[Any] = SimpleQueue()
        self.thread = Thread(target=self._run, args=(_Asking(evaluator, self._ask), search), daemon=True)

    def leave(self) -> None:
        """End the search where it next asks, if it goes on."""
        self.hears.put(_Left())
        if self.thread.ident is not None:
            self.thread.join()

    def _run(self, asking: Evaluator, search: Callable[[Evaluator], T]) -> None:
        try:
            self.says.put(_Result(search(asking)))
        except BaseException as error:  # raised again where it is waited for
            self.says.put(_Failure(error))

    def _ask(self, question: _Question) -> Any:
        self.says.put(question)
        answer = self.hears.get()
        if isinstance(answer, BaseException):
            raise answer
        return answer


class _Asking:
    """The evaluator that a search is given."""

    def __init__(self, evaluator: Evaluator, ask: Callable[[_Question], Any]) -> None:
        self.saes, self.n_layers, self._ask = evaluator.saes, evaluator.n_layers, ask

    def score(self, pairs: Sequence[Pair], onset_ids: Sequence[int]) -> list[Score]:
        return cast(list[Score], self._ask(_Question("score", (pairs,), (tuple(onset_ids),))))

    def observe(self, pairs: Sequence[Pair], onset_ids: Sequence[int], scope: Scope) -> list[Observation]:
        return cast(list[Observation], self._ask(_Question("observe", (pairs,), (tuple(onset_ids), scope))))

    def final_residuals(self, pairs: Sequence[Pair]) -> Tensor:
        return cast(Tensor, self._ask(_Question("final_residuals", (pairs,), ())))

    def score_residuals(
        self, residuals: Tensor, onset_ids: Sequence[int], frozen_scale_of: Tensor | None = None
    ) -> list[float]:
        rows = (residuals,) if frozen_scale_of is None else (residuals, frozen_scale_of)
        return cast(list[float], self._ask(_Question("score_residuals", rows, (tuple(onset_ids),))))


def _answer(evaluator: Evaluator, asked: dict[_Side[T], _Question]) -> None:
    """Evaluate all that is asked, what is alike in one call; answer when all of it is done."""
    alike: dict[Hashable, list[_Side[T]]] = {}
    answers: dict[_Side[T], Any] = {}
    for side, question in asked.items():
        alike.setdefault((question.method, len(question.rows), question.shared), []).append(side)
    for sides in alike.values():
        questions = [asked[side] for side in sides]
        columns = [_end_to_end(parts) for parts in zip(*(question.rows for question in questions), strict=True)]
        answer = getattr(evaluator, questions[0].method)(columns[0], *questions[0].shared, *columns[1:])
        start = 0
        for side, question in zip(sides, questions, strict=True):
            stop = start + len(question.rows[0])
            answers[side] = answer[start:stop]
            start = stop
    for side, answer in answers.items():
        side.hears.put(answer)


def _end_to_end(parts: Sequence[Any]) -> Any:
    return torch.cat(list(parts)) if isinstance(parts[0], Tensor) else list(chain.from_iterable(parts))
