"""The evidence beside the figures: activations on tokens and nearest tokens, against a plain reference."""

import pytest
import torch

from backend.audit.interventions import DEFAULT_SCOPE
from backend.audit.results import Report
from backend.engine.protocol import Pair
from backend.engine.reference import ReferenceEngine
from backend.subjects.planted.subject import planted_subject
from backend.subjects.sparse_autoencoder import FeatureId
from tests.planted_audits import planted_audit


@pytest.fixture(scope="module")
def report() -> Report:
    return planted_audit().report


def test_token_activations_are_the_reference_engine_s_in_scope(report: Report) -> None:
    planted = planted_subject("planted")
    reference = ReferenceEngine(planted.model, planted.saes)
    features = [FeatureId.parse(f.id) for f in report.features]
    for prompt in report.prompts[:6]:
        tokens = planted.model.encode_chat(prompt.text)
        table = reference.token_activations(Pair(tokens), features)
        expected = {
            (str(feature), position): float(table[position, column])
            for column, feature in enumerate(features)
            for position, position_class in enumerate(tokens.classes)
            if table[position, column] > 0 and position_class in DEFAULT_SCOPE.classes
        }
        found = {(name, at): value for name, pairs in prompt.activations.items() for at, value in pairs}
        assert found == pytest.approx(expected, abs=1e-4)
        assert prompt.tokens is not None
        assert prompt.tokens.classes == tokens.classes
        assert len(prompt.tokens.texts) == len(tokens.ids)
    assert any(prompt.activations for prompt in report.prompts)


def test_nearest_tokens_are_those_the_unembedding_reads_from_the_decoder_row(report: Report) -> None:
    model, saes = planted_subject("planted").model, planted_subject("planted").saes
    for feature in report.features[:5]:
        layer, index = FeatureId.parse(feature.id)
        logits = model.unembed(saes[layer].W_dec[index][None])[0]
        best = (logits > logits.max() - 1e-5).nonzero().flatten().tolist()  # tokens may share a row
        assert feature.promoted[0].text in {model.token_text(i) for i in best}
        assert feature.promoted[0].weight == pytest.approx(float(logits.max() - logits.mean()), abs=1e-4)
        assert feature.suppressed[0].weight == pytest.approx(float(logits.min() - logits.mean()), abs=1e-4)
        weights = torch.tensor([t.weight for t in feature.promoted])
        assert (weights.diff() <= 1e-6).all()


def test_the_ablation_curve_ends_where_the_minimal_set_does(report: Report) -> None:
    curves = [(p, p.minimal_sets[0]) for p in report.prompts if p.minimal_sets]
    assert curves
    for prompt, minimal in curves:
        assert {step.feature for step in prompt.ablation_curve} == set(minimal.features)
        assert prompt.ablation_curve[-1].score == pytest.approx(minimal.score, abs=1e-4)
        first = prompt.ablation_curve[0].feature
        restored = {line.feature: line.score for line in minimal.certificate}
        assert restored[first] == max(restored.values())
