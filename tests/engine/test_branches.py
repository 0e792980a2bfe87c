"""Evaluations that start from earlier ones give what the slow engine gives, in whatever order they come."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.audit.interventions import DEFAULT_SCOPE, Intervention, ablate
from backend.engine.branches import Branch, Branches
from backend.engine.engine import EngineSettings, ResidualEngine
from backend.engine.protocol import Pair
from backend.engine.reference import ReferenceEngine
from backend.subjects.language_model import ChatTokens
from backend.subjects.sparse_autoencoder import FeatureId
from tests.engine.subjects import Subjects

PROMPT = ChatTokens((1, 2, 3), ("sink", "instruction", "post_instruction"), 1)
NONE: frozenset[FeatureId] = frozenset()


def at(layer: int, size: int = 1) -> Branch:
    return Branch(layer, torch.zeros(size), NONE)


def test_sets_share_a_branch_where_they_agree_below() -> None:
    branches = Branches(1000)
    kept = at(4)
    branches.keep(PROMPT, ablate((FeatureId(2, 0), FeatureId(5, 0))), kept)
    for other in [(FeatureId(2, 0),), (FeatureId(2, 0), FeatureId(4, 7)), (FeatureId(2, 0), FeatureId(9, 1))]:
        assert branches.highest(PROMPT, ablate(other), [3, 4]) is kept
    for other in [(FeatureId(2, 1),), (FeatureId(2, 0), FeatureId(3, 0)), ()]:
        assert branches.highest(PROMPT, ablate(other), [3, 4]) is None
    other_scope = Intervention((FeatureId(2, 0),), scope=type(DEFAULT_SCOPE)(frozenset({"instruction"})))
    assert branches.highest(PROMPT, other_scope, [4]) is None
    assert branches.highest(PROMPT, Intervention((FeatureId(2, 0),), "scale", 0.5), [4]) is None
    assert branches.highest(PROMPT, Intervention((FeatureId(2, 0),), "noise"), [4]) is None
    assert branches.highest(PROMPT, Intervention((FeatureId(2, 0),), reconstructed=(3,)), [4]) is None
    assert branches.highest(PROMPT, Intervention((FeatureId(2, 0),), reconstructed=(4,)), [4]) is kept


def test_the_least_recently_used_go_first() -> None:
    branches = Branches(8 * 4)  # bytes: eight numbers
    one, two, three = (ablate((FeatureId(0, i),)) for i in range(3))
    branches.keep(PROMPT, one, at(1, 4))
    branches.keep(PROMPT, two, at(1, 4))
    assert branches.highest(PROMPT, one, [1]) is not None
    branches.keep(PROMPT, three, at(1, 4))
    assert branches.highest(PROMPT, two, [1]) is None
    assert branches.highest(PROMPT, one, [1]) is not None
    branches.forget()
    assert branches.highest(PROMPT, one, [1]) is None


@pytest.mark.parametrize("name", ["llama", "gemma2"])
@pytest.mark.parametrize("cache_bytes", [1, 2**20])
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_related_sets_one_after_another(tiny: Subjects, name: str, cache_bytes: int, data: st.DataObject) -> None:
    subject = tiny(name)
    prompt = subject.model.encode_chat(data.draw(st.sampled_from(["hello", "how do i", "tell me"])))
    whole = data.draw(st.lists(st.sampled_from(subject.features), min_size=2, max_size=5, unique=True))
    sets = data.draw(st.lists(st.sets(st.sampled_from(whole), min_size=1), min_size=2, max_size=6))
    pairs = []
    for features in sets:  # one after another, so that what one left is met by another mode of the same set
        mode = data.draw(st.sampled_from(["zero", "scale", "noise"]))
        scale, noise_seed = (-1.0 if mode == "scale" else 0.0), (data.draw(st.integers(0, 1)) if mode == "noise" else 0)
        rebuilt = data.draw(st.sampled_from([(), (), (2,), (1, 4)]))
        pairs.append(
            Pair(prompt, Intervention(tuple(features), mode, scale, noise_seed=noise_seed, reconstructed=rebuilt))
        )
    engine = ResidualEngine(subject.model, subject.saes, EngineSettings(cache_bytes=cache_bytes))
    expected = ReferenceEngine(subject.model, subject.saes).score(pairs, subject.onset_ids)
    for pair, value in zip(pairs, expected, strict=True):
        alone = ResidualEngine(subject.model, subject.saes).score([pair], subject.onset_ids)[0]
        found = engine.score([pair], subject.onset_ids)[0]
        assert found.value == pytest.approx(value, abs=1e-4)
        assert found.edited == alone.edited
