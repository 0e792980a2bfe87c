"""Disturbed weights: what is run inside is the disturbed model, nothing else sees it, and nothing of it stays."""

import pytest
import torch

from backend.audit.interventions import ablate
from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Pair
from backend.engine.reference import ReferenceEngine
from backend.subjects.language_model import Disturbance
from tests.engine.counting import fingerprint
from tests.engine.subjects import Subjects, TinySubject

DISTURBANCES = (Disturbance("noise", 0.1, 3), Disturbance("int8"))


def pairs_of(subject: TinySubject) -> list[Pair]:
    always = tuple(f for f in subject.features if f.index in (0, 1))
    return [Pair(subject.model.encode_chat(text), ablate(always)) for text in ("hello", "how do i")]


def scores(engine: ResidualEngine, subject: TinySubject) -> list[float]:
    return [score.value for score in engine.score(pairs_of(subject), subject.onset_ids)]


@pytest.mark.parametrize("disturbance", DISTURBANCES)
@pytest.mark.parametrize("kind", ["llama", "gemma2"])
def test_inside_it_is_the_disturbed_model_that_is_run(tiny: Subjects, kind: str, disturbance: Disturbance) -> None:
    subject = tiny(kind)
    engine, reference = ResidualEngine(subject.model, subject.saes), ReferenceEngine(subject.model, subject.saes)
    before = scores(engine, subject)
    completions = engine.generate(pairs_of(subject), 4)
    with engine.disturbed(disturbance):
        inside = scores(engine, subject)
        generated = engine.generate(pairs_of(subject), 4)
    with subject.model.disturbed(disturbance):
        assert inside == pytest.approx(reference.score(pairs_of(subject), subject.onset_ids), abs=1e-4)
        assert generated == reference.generate(pairs_of(subject), 4)
    assert inside != before
    assert scores(engine, subject) == before
    assert engine.generate(pairs_of(subject), 4) == completions


def test_nothing_computed_on_one_side_is_used_on_the_other(tiny: Subjects) -> None:
    subject, disturbance = tiny("llama"), DISTURBANCES[0]
    fresh = ResidualEngine(subject.model, subject.saes)
    with fresh.disturbed(disturbance):
        expected = scores(fresh, subject)
    used = ResidualEngine(subject.model, subject.saes)
    before = scores(used, subject)
    for _ in range(2):
        with used.disturbed(disturbance):
            assert scores(used, subject) == expected
        assert scores(used, subject) == before


def test_work_between_two_passes_sees_the_weights_as_they_came(tiny: Subjects) -> None:
    """A question that is answered while an audit disturbs the model."""
    subject = tiny("llama")
    other = ResidualEngine(subject.model, subject.saes)
    expected, answers = scores(ResidualEngine(subject.model, subject.saes), subject), []
    engine = ResidualEngine(subject.model, subject.saes, between_batches=lambda: answers.append(scores(other, subject)))
    with engine.disturbed(DISTURBANCES[0]):
        assert scores(other, subject) == expected
        engine.generate(pairs_of(subject), 3)
    assert len(answers) > 3
    assert all(answer == expected for answer in answers)


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_every_bit_is_put_back_after_an_exception_too(tiny: Subjects, disturbance: Disturbance) -> None:
    subject = tiny("llama")
    engine = ResidualEngine(subject.model, subject.saes)
    before = fingerprint(subject.model.model)
    calls = [0]

    def stop() -> None:
        calls[0] += 1
        if calls[0] == 3:
            raise InterruptedError

    interrupted = ResidualEngine(subject.model, subject.saes, between_batches=stop)
    with pytest.raises(InterruptedError), interrupted.disturbed(disturbance):
        interrupted.generate(pairs_of(subject), 5)
    with pytest.raises(KeyError), subject.model.disturbed(disturbance):
        raise KeyError
    modules, weights = fingerprint(subject.model.model)
    assert modules == before[0]
    assert all(torch.equal(weights[name], tensor) for name, tensor in before[1].items())
    assert scores(interrupted, subject) == scores(engine, subject)
