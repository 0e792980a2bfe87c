"""Completions: rows end each in their own time and do not disturb the others."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.interventions import DEFAULT_SCOPE, NO_INTERVENTION, Scope, ablate
from backend.engine.engine import EngineSettings, ResidualEngine
from backend.engine.generation import closed_up, own_ids, scope_mask
from backend.engine.protocol import Completion, Pair
from backend.engine.reference import ReferenceEngine
from backend.subjects.huggingface import HuggingFaceModel
from backend.subjects.language_model import ChatTokens
from tests.engine.counting import CountingModel
from tests.engine.subjects import Subjects, TinySubject

TEXTS = ("a", "hello", "how do i", "tell me all of it", "why")
LONGEST = 8


@pytest.fixture
def llama(tiny: Subjects) -> TinySubject:
    return tiny("llama")


def stopping_at(subject: TinySubject, eos_ids: set[int]) -> HuggingFaceModel:
    """The same model, ending on other tokens."""
    model = HuggingFaceModel(subject.model.model, subject.model.tokenizer, "stopping")
    model.eos_ids = frozenset(eos_ids)
    return model


def pairs_of(subject: TinySubject) -> list[Pair]:
    """Prompts of different lengths, some under an intervention on what fires on every token."""
    always = tuple(f for f in subject.features if f.index in (0, 1))
    return [
        Pair(subject.model.encode_chat(text), ablate(always) if i % 2 else NO_INTERVENTION)
        for i, text in enumerate(TEXTS)
    ]


def endless(subject: TinySubject, pairs: Sequence[Pair]) -> list[Completion]:
    model = stopping_at(subject, set())
    completions = ResidualEngine(model, subject.saes).generate(pairs, LONGEST)
    assert [len(c.ids) for c in completions] == [LONGEST] * len(pairs)
    assert not any(c.ended for c in completions)
    assert len({c.ids for c in completions}) > 1
    return completions


def test_rows_that_end_are_dropped_and_the_others_go_on_the_same(llama: TinySubject) -> None:
    pairs = pairs_of(llama)
    full = endless(llama, pairs)
    # Tokens that end some rows, not all, after their first token.
    stops = {full[0].ids[2], full[1].ids[3]}
    expected = []
    for completion in full:
        ends = next((i for i, token in enumerate(completion.ids) if token in stops), None)
        expected.append((completion.ids[:ends], ends is not None))
    assert 2 <= sum(ended for _, ended in expected) < len(pairs)

    counting = CountingModel(stopping_at(llama, stops))
    found = ResidualEngine(counting, llama.saes).generate(pairs, LONGEST)
    assert [(c.ids, c.ended) for c in found] == expected
    assert not any(token in stops for c in found for token in c.ids)
    steps = [run.rows for run in counting.runs if run.tokens == 1]
    lasting = [len(ids) if ended else LONGEST - 1 for ids, ended in expected]  # the last token is not read
    assert steps == [sum(length > step for length in lasting) for step in range(max(lasting))]
    assert found == ReferenceEngine(stopping_at(llama, stops), llama.saes).generate(pairs, LONGEST)


@given(st.sets(st.integers(0, 30)))
def test_gaps_are_filled_by_the_last_rows_and_the_others_stay(rows: set[int]) -> None:
    order = closed_up(sorted(rows))
    assert sorted(order) == sorted(rows)
    assert all(row == place for place, row in enumerate(order) if row < len(rows))
    assert all(order[row] == row for row in rows if row < len(rows))


def test_ending_at_once(llama: TinySubject) -> None:
    pairs = pairs_of(llama)
    first = {c.ids[0] for c in endless(llama, pairs)}
    counting = CountingModel(stopping_at(llama, first))
    found = ResidualEngine(counting, llama.saes).generate(pairs, LONGEST)
    assert found == [Completion((), "", True)] * len(pairs)
    assert not [run for run in counting.runs if run.tokens == 1]


@pytest.mark.parametrize("most", [0, 1, 3])
def test_the_limit_is_kept(llama: TinySubject, most: int) -> None:
    pairs = pairs_of(llama)
    counting = CountingModel(stopping_at(llama, set()))
    found = ResidualEngine(counting, llama.saes).generate(pairs, most)
    assert [c.ids for c in found] == [c.ids[:most] for c in endless(llama, pairs)]
    assert not any(c.ended for c in found)
    # The last token is chosen, but nothing is run after it.
    assert sum(run.tokens == 1 for run in counting.runs) == max(0, most - 1)


def test_text_is_what_the_tokens_say(llama: TinySubject) -> None:
    for completion in endless(llama, pairs_of(llama)):
        assert completion.text == llama.model.decode(completion.ids)


def test_response_scope_alone_changes_only_what_follows_the_first_token(llama: TinySubject) -> None:
    prompt = llama.model.encode_chat("hello")
    everything = tuple(llama.features)
    later = Pair(prompt, ablate(everything, Scope(frozenset({"response"}))))
    plain, edited = endless(llama, [Pair(prompt), later])
    assert edited.ids[0] == plain.ids[0]
    assert edited.ids != plain.ids


@pytest.mark.parametrize("kind", ["llama", "gemma2"])
def test_unequal_lengths_give_what_each_gives_alone(tiny: Subjects, kind: str) -> None:
    """Gemma-2's window of 6 tokens is shorter than every prompt: padding must not push tokens out of it."""
    subject = tiny(kind)
    pairs = pairs_of(subject)
    engine = ResidualEngine(stopping_at(subject, set()), subject.saes, EngineSettings())
    assert engine.generate(pairs, LONGEST) == [engine.generate([pair], LONGEST)[0] for pair in pairs]


def test_one_batch_when_no_window_is_in_the_way(llama: TinySubject) -> None:
    pairs = pairs_of(llama)
    counting = CountingModel(stopping_at(llama, set()))
    ResidualEngine(counting, llama.saes).generate(pairs, 2)
    assert [run.rows for run in counting.runs if run.tokens == 1] == [len(pairs)]


def test_own_tokens_and_scope_by_hand() -> None:
    short = ChatTokens((1, 2, 3), ("sink", "system", "instruction"), 2)
    long = ChatTokens((1, 2, 7, 8, 9), ("sink", "system", "instruction", "post_instruction", "post_instruction"), 2)
    pairs = [Pair(short), Pair(long, ablate((), Scope(frozenset({"instruction", "sink"})))), Pair(long)]
    cpu = torch.device("cpu")
    assert own_ids(pairs, cpu)[:2, 0].tolist() == [3, 7]
    assert own_ids(pairs, cpu)[1].tolist() == [7, 8, 9]
    assert pairs[0].intervention.scope == DEFAULT_SCOPE
    assert scope_mask(pairs, cpu).tolist() == [[1, 0, 0], [1, 0, 0], [1, 1, 1]]
