"""Searches side by side: what each would find alone, in fewer evaluations, and all end when one fails."""

import threading
from collections.abc import Callable, Sequence

import pytest

from backend.audit.interventions import DEFAULT_SCOPE, Scope, ablate
from backend.audit.side_by_side import side_by_side
from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Evaluator, Observation, Pair, Score
from backend.subjects.planted.prompts import planted_prompts
from backend.subjects.planted.subject import PlantedSubject, planted_subject
from backend.subjects.sparse_autoencoder import FeatureId

ONSET = (1, 2)


@pytest.fixture(scope="module")
def planted() -> PlantedSubject:
    return planted_subject("planted")


class Noting(ResidualEngine):
    """Notes how many pairs each call had."""

    def __init__(self, planted: PlantedSubject) -> None:
        super().__init__(planted.model, dict(planted.saes))
        self.scored: list[int] = []

    def score(self, pairs: Sequence[Pair], onset_ids: Sequence[int]) -> list[Score]:
        self.scored.append(len(pairs))
        return super().score(pairs, onset_ids)


def rounds(planted: PlantedSubject, text: str, n: int) -> Callable[[Evaluator], list[float]]:
    """A search of n rounds, each of which depends on the one before."""
    tokens = planted.model.encode_chat(text)
    features = [FeatureId(layer, i) for layer in planted.saes for i in range(3)]

    def search(evaluator: Evaluator) -> list[float]:
        values: list[float] = []
        for i in range(n):
            odd = bool(values) and values[-1] > 0
            asked = [Pair(tokens, ablate(features[: i + 1 + odd])), Pair(tokens)]
            values += [score.value for score in evaluator.score(asked, ONSET)]
            observed: list[Observation] = evaluator.observe(asked[:1], ONSET, DEFAULT_SCOPE)
            final = evaluator.final_residuals(asked[:1])
            values += evaluator.score_residuals(final, ONSET)
            values += evaluator.score_residuals(final, ONSET, frozen_scale_of=2 * final)
            values.append(float(len(observed[0].active)))
        return values

    return search


def texts(n: int) -> list[str]:
    return [prompt.text for prompt in planted_prompts().prompts[:n]]


def test_each_finds_what_it_finds_alone(planted: PlantedSubject) -> None:
    searches = [rounds(planted, text, n) for text, n in zip(texts(4), (3, 1, 5, 0), strict=True)]
    told: list[int] = []
    engine = Noting(planted)
    found = side_by_side(engine, searches, told.append)
    for search, values in zip(searches, found, strict=True):
        assert values == pytest.approx(search(Noting(planted)), abs=1e-4)
    assert engine.scored == [6, 4, 4, 2, 2]  # pairs of all that go on, in one call
    assert told == sorted(told)
    assert len(told) == 1 + 5 * 5  # before every round of the longest, and at the end
    assert told[0] == 1  # the one that asks nothing
    assert told[-1] == len(searches)


def test_again_is_the_same_to_the_last_bit(planted: PlantedSubject) -> None:
    searches = [rounds(planted, text, n) for text, n in zip(texts(3), (2, 3, 1), strict=True)]
    assert side_by_side(Noting(planted), searches) == side_by_side(Noting(planted), searches)


def test_questions_that_differ_in_scope_are_asked_apart(planted: PlantedSubject) -> None:
    tokens = planted.model.encode_chat(texts(1)[0])
    narrow = Scope(frozenset({"instruction"}))
    searches = [lambda e, s=s: e.observe([Pair(tokens)], ONSET, s)[0].active for s in (DEFAULT_SCOPE, narrow)]
    wide, few = side_by_side(Noting(planted), searches)
    assert set(few) < set(wide)


def test_nothing_to_search(planted: PlantedSubject) -> None:
    assert side_by_side(Noting(planted), []) == []


def test_a_search_that_fails_ends_them_all(planted: PlantedSubject) -> None:
    def fails(evaluator: Evaluator) -> list[float]:
        evaluator.score([Pair(planted.model.encode_chat("hello"))], ONSET)
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        side_by_side(Noting(planted), [rounds(planted, texts(1)[0], 9), fails, rounds(planted, texts(2)[1], 9)])
    assert not [thread for thread in threading.enumerate() if "_run" in thread.name]


@pytest.mark.parametrize("place", ["engine", "told"])
def test_what_interrupts_an_evaluation_ends_them_all(planted: PlantedSubject, place: str) -> None:
    class Stop(Exception):
        pass

    def stop(ended: int = 0) -> None:
        raise Stop

    engine = ResidualEngine(
        planted.model, dict(planted.saes), between_batches=stop if place == "engine" else lambda: None
    )
    with pytest.raises(Stop):
        side_by_side(
            engine, [rounds(planted, text, 2) for text in texts(3)], stop if place == "told" else lambda n: None
        )
    assert not [thread for thread in threading.enumerate() if "_run" in thread.name]
