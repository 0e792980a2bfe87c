"""What must not change a result: order, company, history, caches, settings; and what a pass leaves behind."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.interventions import ablate
from backend.engine.engine import EngineSettings, ResidualEngine
from backend.engine.protocol import Pair, Score
from tests.engine.counting import FailingSae, fingerprint
from tests.engine.strategies import batches, examples, scopes
from tests.engine.subjects import Subjects, TinySubject

KINDS = ("llama", "gemma2", "topk")  # TopK couples features; Gemma-2 couples positions by its window
TEXTS = ("a", "hello", "how do i", "tell me all of it")


def drawn_pairs(data: st.DataObject, subject: TinySubject, most: int = 6) -> list[Pair]:
    prompts = [subject.model.encode_chat(text) for text in TEXTS]
    return data.draw(batches(prompts, subject.features, subject.model.n_layers, subject.model.d_model, most))


def same(found: Sequence[Score], expected: Sequence[Score]) -> None:
    values = [torch.tensor([score.value for score in scores]) for scores in (found, expected)]
    torch.testing.assert_close(*values, rtol=1e-5, atol=1e-5)
    assert [score.edited for score in found] == [score.edited for score in expected]


def fresh(subject: TinySubject, **settings: int) -> ResidualEngine:
    return ResidualEngine(subject.model, subject.saes, EngineSettings(**settings))


@pytest.mark.parametrize("kind", KINDS)
class TestScores:
    @examples(7)
    @given(data=st.data())
    def test_order_does_not_matter(self, tiny: Subjects, kind: str, data: st.DataObject) -> None:
        subject = tiny(kind)
        pairs = drawn_pairs(data, subject)
        order = data.draw(st.permutations(range(len(pairs))))
        scores = fresh(subject).score(pairs, subject.onset_ids)
        same(fresh(subject).score([pairs[i] for i in order], subject.onset_ids), [scores[i] for i in order])

    @examples(7)
    @given(data=st.data())
    def test_company_does_not_matter(self, tiny: Subjects, kind: str, data: st.DataObject) -> None:
        subject = tiny(kind)
        pairs = drawn_pairs(data, subject)
        together = fresh(subject).score(pairs, subject.onset_ids)
        engine = fresh(subject)
        same([engine.score([pair], subject.onset_ids)[0] for pair in pairs], together)

    @examples(7)
    @given(data=st.data())
    def test_history_does_not_matter_to_the_last_bit(self, tiny: Subjects, kind: str, data: st.DataObject) -> None:
        """A resumed audit asks the same things after others: it must get the same numbers."""
        subject = tiny(kind)
        earlier, pairs = drawn_pairs(data, subject), drawn_pairs(data, subject)
        expected = fresh(subject).score(pairs, subject.onset_ids)
        engine = fresh(subject)
        engine.score(earlier, subject.onset_ids)
        engine.generate(earlier[:2], 2)
        engine.forget()
        assert engine.score(pairs, subject.onset_ids) == expected

    @examples(7)
    @given(data=st.data())
    def test_settings_do_not_matter(self, tiny: Subjects, kind: str, data: st.DataObject) -> None:
        subject = tiny(kind)
        pairs = drawn_pairs(data, subject)
        expected = fresh(subject).score(pairs, subject.onset_ids)
        same(fresh(subject, cache_bytes=0).score(pairs, subject.onset_ids), expected)
        for max_tokens in (1, 50):
            same(fresh(subject, max_tokens=max_tokens).score(pairs, subject.onset_ids), expected)
        tokens = fresh(subject).generate(pairs, 3)
        assert fresh(subject, max_sequences=1).generate(pairs, 3) == tokens
        assert fresh(subject, max_sequences=2, cache_bytes=0).generate(pairs, 3) == tokens
        for max_tokens in (1, 30):  # prompts read in pieces, that then go on as one
            assert fresh(subject, max_tokens=max_tokens).generate(pairs, 3) == tokens

    @examples(10)
    @given(data=st.data())
    def test_the_edited_features_are_the_whole_intervention(
        self, tiny: Subjects, kind: str, data: st.DataObject
    ) -> None:
        subject = tiny(kind)
        features = data.draw(st.lists(st.sampled_from(subject.features), min_size=5, max_size=30))
        scope = data.draw(scopes())
        prompt = subject.model.encode_chat("how do i")
        engine = fresh(subject)
        whole = engine.score([Pair(prompt, ablate(tuple(features), scope))], subject.onset_ids)[0]
        assert whole.edited <= set(features)
        part = engine.score([Pair(prompt, ablate(whole.edited, scope))], subject.onset_ids)[0]
        same([part], [whole])


class TestTheModelIsLeftAsItCame:
    def test_after_everything(self, tiny: Subjects) -> None:
        subject = tiny("llama")
        prompt = subject.model.encode_chat("hello")
        pair = Pair(prompt, ablate(tuple(subject.features)))
        before = fingerprint(subject.model.model)
        engine = fresh(subject)
        engine.score([pair], subject.onset_ids)
        engine.observe([pair], subject.onset_ids, pair.intervention.scope)
        engine.generate([pair], 3)
        unchanged(subject, before)

    @pytest.mark.parametrize("resumed", [False, True])
    def test_after_an_exception_in_the_middle_of_a_pass(self, tiny: Subjects, resumed: bool) -> None:
        subject = tiny("llama")
        prompt = subject.model.encode_chat("hello")
        last = max(subject.saes)
        saes = {**subject.saes, last: FailingSae(subject.saes[last])}
        engine = ResidualEngine(subject.model, saes)
        if resumed:  # blocks below are replaced by stand-ins while it breaks
            engine.score([Pair(prompt)], subject.onset_ids)
        features = tuple(f for f in subject.features if f.layer in (2, last))
        before = fingerprint(subject.model.model)
        with pytest.raises(RuntimeError, match="out of memory"):
            engine.score([Pair(prompt, ablate(features))], subject.onset_ids)
        unchanged(subject, before)
        with pytest.raises(RuntimeError, match="out of memory"):
            engine.generate([Pair(prompt, ablate(features))], 3)
        unchanged(subject, before)


def unchanged(subject: TinySubject, before: tuple) -> None:
    modules, weights = fingerprint(subject.model.model)
    assert modules == before[0]
    assert weights.keys() == before[1].keys()
    assert all(torch.equal(weights[name], tensor) for name, tensor in before[1].items())


def test_nothing_asked_nothing_given(tiny: Subjects) -> None:
    subject = tiny("llama")
    engine = fresh(subject)
    assert engine.score([], subject.onset_ids) == []
    assert engine.generate([], 5) == []
    assert engine.observe([], subject.onset_ids, ablate(()).scope) == []
