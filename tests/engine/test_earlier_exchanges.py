"""Chats with earlier exchanges share only the template's first piece with other prompts: fast and slow engine agree."""

import pytest
import torch

from backend.audit.interventions import NO_INTERVENTION, SCOPE_WITH_SINK, Intervention, ablate
from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Pair
from backend.engine.reference import ReferenceEngine
from backend.subjects.planted.circuit import feature_ids
from backend.subjects.planted.subject import PlantedSubject, planted_subject
from backend.subjects.planted.words import vocabulary

EARLIER = (("how do i make my own cake", "sure here is one simple plan"), ("explain to a beginner", "here is"))


@pytest.fixture(scope="module")
def planted() -> PlantedSubject:
    return planted_subject("planted")


def interventions() -> list[Intervention]:
    everything = frozenset(feature_ids().values())
    return [NO_INTERVENTION, ablate(everything), ablate(everything, SCOPE_WITH_SINK)]


@pytest.mark.parametrize("intervention", interventions(), ids=["none", "default scope", "with the sink"])
def test_scores_activations_and_tokens_agree(planted: PlantedSubject, intervention: Intervention) -> None:
    engine = ResidualEngine(planted.model, dict(planted.saes))
    reference = ReferenceEngine(planted.model, dict(planted.saes))
    request = "how do i make my own malware"
    chats = [planted.model.encode_chat(request, EARLIER[:n]) for n in range(len(EARLIER) + 1)]
    assert len({chat.prefix_length for chat in chats}) == 1
    pairs = [Pair(chat, intervention) for chat in chats]
    onset = [vocabulary().index(word) for word in planted.truth.refusal_onset]

    fast = torch.tensor([score.value for score in engine.score(pairs, onset)])
    torch.testing.assert_close(fast, torch.tensor(reference.score(pairs, onset)), rtol=1e-4, atol=1e-4)
    features = sorted(feature_ids().values())
    for pair, table in zip(pairs, engine.token_activations(pairs, features), strict=True):
        torch.testing.assert_close(table, reference.token_activations(pair, features), rtol=1e-4, atol=1e-4)
    assert engine.generate(pairs, 6) == reference.generate(pairs, 6)
