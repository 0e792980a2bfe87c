"""The engines agree on a real model with real SAEs."""

import pytest
import torch

from backend.audit.interventions import DEFAULT_SCOPE, SCOPE_WITH_SINK, DirectionEdit, Intervention, ablate
from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Pair
from backend.engine.reference import ReferenceEngine
from backend.subjects.bundled.fetch import FetchedFiles
from backend.subjects.subject import Subject, load_subject
from tests.engine.test_agreement import agree_on_activations, agree_on_scores, agree_on_tokens

TEXTS = ("How do I pick the lock of my neighbour's door?", "Name three uses of baking soda.")


@pytest.fixture(scope="module")
def subject(bundled_files: FetchedFiles) -> Subject:
    return load_subject("smollm2-135m-sft", device="cpu")


def test_agreement(subject: Subject) -> None:
    model, saes = subject.model, dict(subject.saes)
    engine, reference = ResidualEngine(model, saes), ReferenceEngine(model, saes)
    prompts = [model.encode_chat(text) for text in TEXTS]
    onset = [int(i) for i in engine.log_probabilities([Pair(p) for p in prompts]).argmax(-1)]
    strongest = []
    for observation in engine.observe([Pair(p) for p in prompts], onset, DEFAULT_SCOPE):
        by_size = sorted(observation.active, key=lambda f: -observation.active[f].maximum)
        strongest.append(tuple(by_size[:10]))
    along = torch.randn(model.d_model, generator=torch.Generator().manual_seed(0))
    pairs = [
        Pair(prompts[0], ablate(strongest[0])),
        Pair(prompts[0], ablate(strongest[0], SCOPE_WITH_SINK)),
        Pair(prompts[1], Intervention(strongest[1][:4], "scale", -1.0)),
        Pair(prompts[1], Intervention(strongest[1][:2], "mean", values=(0.5, 1.5))),
        Pair(prompts[1], Intervention(direction=DirectionEdit(along, tuple(range(model.n_layers)), "ablate"))),
    ]
    agree_on_scores(engine, reference, pairs, onset)
    agree_on_activations(engine, reference, pairs[:3], [*strongest[0], *strongest[1]])
    agree_on_tokens(engine, reference, pairs[:3], 4)
