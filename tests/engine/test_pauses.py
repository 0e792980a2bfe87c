"""Between two forward passes: called before each, and whatever is worked out there changes nothing."""

from collections.abc import Callable, Sequence

import pytest
import torch

from backend.audit.interventions import DEFAULT_SCOPE, SCOPE_WITH_SINK, Intervention, ablate
from backend.engine.engine import EngineSettings, ResidualEngine
from backend.engine.pauses import BetweenBatches, go_on
from backend.engine.protocol import Pair, Reuse
from tests.engine.counting import CountingModel
from tests.engine.subjects import Subjects, TinySubject

KINDS = ("llama", "gemma2", "topk")


def pairs_of(subject: TinySubject) -> list[Pair]:
    """On three prompts, three interventions in both ways to reuse."""
    features = tuple(subject.features[::5])
    prompts = [subject.model.encode_chat(text) for text in ("hello", "how do i", "tell me more of it")]
    interventions = [
        ablate(features[:3]),
        ablate(features, SCOPE_WITH_SINK),
        Intervention(features[:2], "mean", values=(0.5, 0.25)),
    ]
    reuses: tuple[Reuse, ...] = ("prefix", "layers")
    return [Pair(prompt, one, reuse) for prompt in prompts for one in interventions for reuse in reuses]


WORK: dict[str, Callable[[ResidualEngine, TinySubject, Sequence[Pair]], object]] = {
    "score": lambda engine, subject, pairs: engine.score(pairs, subject.onset_ids),
    "generate": lambda engine, subject, pairs: engine.generate(pairs, 6),
    "read": lambda engine, subject, pairs: [
        rows.tolist() for rows in engine.response_log_probabilities(pairs, [(65, 66)] * len(pairs))
    ],
    "observe": lambda engine, subject, pairs: [
        (one.score, one.active, one.final.tolist()) for one in engine.observe(pairs, subject.onset_ids, DEFAULT_SCOPE)
    ],
}


@pytest.mark.parametrize("work", WORK)
def test_what_goes_on_there_may_train(work: str, tiny: Subjects) -> None:
    """A worker that makes ready what the next question needs lets a whole audit go first."""
    slopes: list[float] = []

    def train() -> None:
        weight = torch.ones(2, requires_grad=True)
        (3.0 * weight).sum().backward()
        assert weight.grad is not None
        slopes.extend(weight.grad.tolist())

    subject = tiny("llama")
    WORK[work](ResidualEngine(subject.model, subject.saes, between_batches=train), subject, pairs_of(subject))
    assert set(slopes) == {3.0}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("work", WORK)
def test_it_is_called_before_every_forward_pass(kind: str, work: str, tiny: Subjects) -> None:
    subject = tiny(kind)
    counting = CountingModel(subject.model)
    seen: list[int] = []  # forward passes done when it was called
    engine = ResidualEngine(counting, subject.saes, between_batches=lambda: seen.append(len(counting.runs)))
    WORK[work](engine, subject, pairs_of(subject))
    assert seen == list(range(len(counting.runs)))
    assert len(seen) > 3


@pytest.mark.parametrize(
    ("kind", "work", "inside"),
    [(kind, work, inside) for kind in KINDS for work in WORK for inside in WORK if kind == "llama" or inside == work],
)
def test_work_done_inside_it_changes_nothing(kind: str, work: str, inside: str, tiny: Subjects) -> None:
    subject = tiny(kind)
    undisturbed = WORK[work](ResidualEngine(subject.model, subject.saes), subject, pairs_of(subject))
    few = pairs_of(subject)[-3:]
    asked = WORK[inside](ResidualEngine(subject.model, subject.saes), subject, few)
    other = ResidualEngine(subject.model, subject.saes)
    answers: list[object] = []
    engine = ResidualEngine(
        subject.model, subject.saes, between_batches=lambda: answers.append(WORK[inside](other, subject, few))
    )
    assert WORK[work](engine, subject, pairs_of(subject)) == undisturbed
    assert answers
    assert all(answer == asked for answer in answers)


@pytest.mark.parametrize("work", WORK)
def test_the_same_engine_may_be_asked_inside_it(work: str, tiny: Subjects) -> None:
    subject = tiny("llama")
    undisturbed = WORK[work](ResidualEngine(subject.model, subject.saes), subject, pairs_of(subject))
    deep = [0]

    def ask_again() -> None:
        if deep[0] == 0:
            deep[0] = 1
            assert WORK[work](engine, subject, pairs_of(subject)) == undisturbed
            deep[0] = 0

    engine = ResidualEngine(subject.model, subject.saes, between_batches=ask_again)
    assert WORK[work](engine, subject, pairs_of(subject)) == undisturbed


@pytest.mark.parametrize("work", WORK)
def test_what_it_raises_ends_the_work_and_the_engine_goes_on(work: str, tiny: Subjects) -> None:
    subject = tiny("llama")
    undisturbed = WORK[work](ResidualEngine(subject.model, subject.saes), subject, pairs_of(subject))
    before = len(list(subject.model.model.modules()))
    calls = [0]

    def stop() -> None:
        calls[0] += 1
        if calls[0] == 4:
            raise InterruptedError

    pause: list[BetweenBatches] = [stop]
    engine = ResidualEngine(subject.model, subject.saes, between_batches=lambda: pause[0]())
    with pytest.raises(InterruptedError):
        WORK[work](engine, subject, pairs_of(subject))
    assert len(list(subject.model.model.modules())) == before
    pause[0] = go_on
    assert WORK[work](engine, subject, pairs_of(subject)) == undisturbed


@pytest.mark.parametrize("max_sequences", [128, 5])
def test_generating_tells_what_share_is_done(max_sequences: int, tiny: Subjects) -> None:
    subject, told = tiny("llama"), list[float]()
    engine = ResidualEngine(subject.model, subject.saes, EngineSettings(max_sequences=max_sequences))
    completions = engine.generate(pairs_of(subject), 6, told.append)
    assert completions == ResidualEngine(subject.model, subject.saes).generate(pairs_of(subject), 6)
    assert told == sorted(told)
    assert 0 < told[0] <= 1 / 6
    assert told[-1] == pytest.approx(5 / 6 if max_sequences == 128 else 1 - 3 / 18 / 6)  # the last of 18 rows: 3


def test_who_is_told_may_end_the_generating(tiny: Subjects) -> None:
    def stop(share: float) -> None:
        if share >= 0.5:
            raise InterruptedError

    subject = tiny("llama")
    engine = ResidualEngine(subject.model, subject.saes)
    with pytest.raises(InterruptedError):
        engine.generate(pairs_of(subject), 6, stop)
    assert engine.generate(pairs_of(subject), 6) == engine.generate(pairs_of(subject), 6, lambda share: None)
