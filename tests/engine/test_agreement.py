"""The fast engine gives what the slow, obvious one gives, to 1e-4 in float32, on everything an intervention can be."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from backend.audit.interventions import DEFAULT_SCOPE, SCOPE_WITH_SINK, Scope
from backend.engine.engine import EngineSettings, ResidualEngine
from backend.engine.protocol import Engine, Pair
from backend.engine.reference import ReferenceEngine
from backend.subjects.language_model import LanguageModel
from backend.subjects.planted.prompts import planted_prompts
from backend.subjects.planted.subject import PlantedSubject
from backend.subjects.sparse_autoencoder import FeatureId, SparseAutoencoder
from tests.engine.strategies import batches, examples, scopes
from tests.engine.subjects import KINDS, Subjects

TEXTS = ("a", "hello", "how do i", "tell me all of it", "")
SMALL = EngineSettings(max_tokens=64, max_sequences=3)  # so that a handful of pairs is more than one batch


def agree_on_scores(engine: Engine, reference: ReferenceEngine, pairs: Sequence[Pair], onset: Sequence[int]) -> None:
    fast = [score.value for score in engine.score(pairs, onset)]
    close(torch.tensor(fast), torch.tensor(reference.score(pairs, onset)))


def agree_on_activations(
    engine: Engine, reference: ReferenceEngine, pairs: Sequence[Pair], features: Sequence[FeatureId]
) -> None:
    for pair, table in zip(pairs, engine.token_activations(pairs, features), strict=True):
        expected = reference.token_activations(pair, features)
        # Within rounding of its threshold a feature may fire in one engine alone: not on more than one token of one.
        on_the_edge = (table == 0) != (expected == 0)
        assert on_the_edge.sum() <= 1
        close(table[~on_the_edge], expected[~on_the_edge])


def agree_on_tokens(engine: Engine, reference: ReferenceEngine, pairs: Sequence[Pair], most: int) -> None:
    assert engine.generate(pairs, most) == reference.generate(pairs, most)


def agree_on_responses(engine: Engine, reference: ReferenceEngine, pairs: Sequence[Pair], most: int) -> None:
    """What is read along a given response, and that greedy tokens are what reading them along finds likeliest."""
    ids = [i % reference.model.vocab_size for i in (10, 65, 200, 7, 65)]
    fixed = [ids[: 1 + i % 5] for i in range(len(pairs))]
    expected = reference.response_log_probabilities(pairs, fixed)
    for rows, wanted in zip(engine.response_log_probabilities(pairs, fixed), expected, strict=True):
        close(rows, wanted)
    greedy = [(pair, c.ids) for pair, c in zip(pairs, engine.generate(pairs, most), strict=True) if c.ids]
    read = engine.response_log_probabilities([pair for pair, _ in greedy], [ids for _, ids in greedy])
    assert [rows.argmax(-1).tolist() for rows in read] == [list(ids) for _, ids in greedy]


def agree_on_observations(
    engine: Engine,
    reference: ReferenceEngine,
    pairs: Sequence[Pair],
    onset: Sequence[int],
    scope: Scope,
    features: Sequence[FeatureId],
) -> None:
    observed = engine.observe(pairs, onset, scope)
    scores, finals = engine.score(pairs, onset), engine.final_residuals(pairs)
    for pair, observation, score, final in zip(pairs, observed, scores, finals, strict=True):
        table = reference.token_activations(pair, features)
        in_scope = torch.tensor([c in scope.classes for c in pair.prompt.classes])
        everything = torch.where(in_scope[:, None], table, 0.0)
        columns = (everything > 0).any(0).nonzero().flatten().tolist()
        assert set(observation.active) == {features[c] for c in columns}
        found = [observation.active[features[c]] for c in columns]
        values = everything[:, columns]
        counts = (values > 0).sum(0).tolist()
        assert [a.n_positions for a in found] == counts
        assert [a.position_class for a in found] == [pair.prompt.classes[a.position] for a in found]
        assert all(in_scope[a.position] for a in found)
        if columns:
            maxima = values.amax(0)
            at_position = values[[a.position for a in found], range(len(found))]
            close(torch.tensor([a.maximum for a in found]), maxima)
            close(at_position, maxima)
            close(torch.tensor([a.mean for a in found]), values.sum(0) / in_scope.sum())
        assert observation.score.edited == score.edited
        close(torch.tensor(observation.score.value), torch.tensor(score.value))
        close(observation.final, final)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
class TestRandomNetworks:
    @examples(24)
    @given(data=st.data())
    def test_scores(self, tiny: Subjects, kind: str, data: st.DataObject) -> None:
        subject = tiny(kind)
        pairs = data.draw(self.pairs(subject.model, subject.features, most=8))
        engine, reference = engines(subject.model, subject.saes)
        agree_on_scores(engine, reference, pairs, subject.onset_ids)

    @examples(8)
    @given(data=st.data())
    def test_activations(self, tiny: Subjects, kind: str, data: st.DataObject) -> None:
        subject = tiny(kind)
        pairs = data.draw(self.pairs(subject.model, subject.features))
        engine, reference = engines(subject.model, subject.saes)
        agree_on_activations(engine, reference, pairs, subject.features)
        agree_on_observations(engine, reference, pairs, subject.onset_ids, data.draw(scopes()), subject.features)

    @examples(8)
    @given(data=st.data(), most=st.integers(0, 7))
    def test_tokens(self, tiny: Subjects, kind: str, data: st.DataObject, most: int) -> None:
        subject = tiny(kind)
        pairs = data.draw(self.pairs(subject.model, subject.features))
        agree_on_tokens(*engines(subject.model, subject.saes), pairs, most)

    @examples(8)
    @given(data=st.data())
    def test_responses(self, tiny: Subjects, kind: str, data: st.DataObject) -> None:
        subject = tiny(kind)
        pairs = data.draw(self.pairs(subject.model, subject.features))
        agree_on_responses(*engines(subject.model, subject.saes), pairs, 5)

    @staticmethod
    def pairs(model: LanguageModel, features: Sequence[FeatureId], most: int = 5) -> st.SearchStrategy[list[Pair]]:
        prompts = [model.encode_chat(text) for text in TEXTS]
        return batches(prompts, features, model.n_layers, model.d_model, most)


class TestPlanted:
    @examples(12)
    @given(data=st.data())
    def test_everything(self, planted: PlantedSubject, data: st.DataObject) -> None:
        model, saes = planted.model, planted.saes
        texts = [prompt.text for prompt in planted_prompts().prompts[::9]]
        features = [FeatureId(layer, i) for layer, sae in saes.items() for i in range(sae.d_sae)]
        meant = [*planted.truth.refusal_features.values(), *planted.truth.decoys] * 8
        prompts = [model.encode_chat(text) for text in texts]
        pairs = data.draw(batches(prompts, [*features, *meant], model.n_layers, model.d_model))
        onset = [model.tokenizer.convert_tokens_to_ids(text) for text in planted.truth.refusal_onset]
        engine, reference = engines(model, saes)
        agree_on_scores(engine, reference, pairs, onset)
        agree_on_activations(engine, reference, pairs, features)
        agree_on_tokens(engine, reference, pairs, 4)
        agree_on_responses(engine, reference, pairs, 4)


def engines(model: LanguageModel, saes: dict[int, SparseAutoencoder]) -> tuple[ResidualEngine, ReferenceEngine]:
    return ResidualEngine(model, saes, SMALL), ReferenceEngine(model, saes)


@pytest.mark.parametrize("kind", KINDS)
def test_firing_is_what_observing_each_prompt_gives(tiny: Subjects, kind: str) -> None:
    subject = tiny(kind)
    engine = ResidualEngine(subject.model, subject.saes)
    prompts = [subject.model.encode_chat(text) for text in ("hello", "how do i")]
    for scope in (DEFAULT_SCOPE, SCOPE_WITH_SINK):
        observed = engine.observe([Pair(p) for p in prompts], subject.onset_ids, scope)
        for firing, observation in zip(engine.firing(prompts, scope), observed, strict=True):
            active = {(f.layer, f.index): a for f, a in observation.active.items()}
            fires = {(layer, i) for layer, one in firing.items() for i in one.maximum.nonzero().flatten().tolist()}
            assert fires == set(active)
            for (layer, index), activation in active.items():
                assert float(firing[layer].maximum[index]) == pytest.approx(activation.maximum, abs=1e-5)
                assert float(firing[layer].mean[index]) == pytest.approx(activation.mean, abs=1e-5)
                assert int(firing[layer].n_positions[index]) == activation.n_positions
