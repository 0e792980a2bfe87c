"""Compensation and its parts: planted truths, and the parts beside a plain reading of their definition."""

import warnings

import pytest
import torch

from backend.audit.feature_sets import FeatureSet
from backend.audit.interventions import ablate
from backend.audit.results import SelfRepair
from backend.audit.spec import AuditedPrompt
from backend.audit.stages.self_repair import SMALLEST_DIRECT_EFFECT, measure_self_repair
from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Pair
from backend.subjects.language_model import ChatTokens
from backend.subjects.planted.circuit import FULL_EFFECT
from backend.subjects.sparse_autoencoder import FeatureId
from tests.audit.stages.planted_stage import SCOPE, PlantedStage, planted_stage
from tests.engine.subjects import TinySubject, tiny_subject


def measure(stage: PlantedStage, prompt: AuditedPrompt, features: FeatureSet) -> SelfRepair:
    baseline = stage.baseline(prompt)
    return measure_self_repair(stage.engine, prompt.tokens, baseline, features, stage.onset_ids, SCOPE)


def test_a_woken_backup_carries_all_of_the_compensation() -> None:
    stage = planted_stage()
    elder, _ = stage.truth.kinds["backup"].pair
    for prompt in stage.of_kind("backup")[:4]:
        found = measure(stage, prompt, frozenset({elder}))
        assert found.direct_effect == pytest.approx(FULL_EFFECT, abs=0.01)
        assert found.compensation == pytest.approx(1.0, abs=0.01)
        assert found.woken_share == pytest.approx(1.0, abs=0.01)
        assert found.norm_share == pytest.approx(0.0, abs=0.01)


def test_what_was_active_before_is_not_called_woken() -> None:
    # The twin was active all along: all of the compensation is the rest.
    stage = planted_stage()
    early, _ = stage.truth.kinds["redundant"].pair
    found = measure(stage, stage.of_kind("redundant")[0], frozenset({early}))
    assert found.compensation == pytest.approx(1.0, abs=0.01)
    assert found.woken_share == pytest.approx(0.0, abs=0.01)


def test_nothing_is_divided_by_a_direct_effect_of_nothing() -> None:
    stage = planted_stage("planted-null")
    prompt = stage.of_kind("backup")[0]
    found = measure(stage, prompt, stage.truth.kinds["backup"].active)
    assert abs(found.direct_effect) < SMALLEST_DIRECT_EFFECT
    assert (found.compensation, found.norm_share, found.woken_share) == (None, None, None)


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory, sae_lens_imported: None) -> TinySubject:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tiny_subject("llama", tmp_path_factory.mktemp("llama"))


def test_the_parts_are_those_of_the_definition(subject: TinySubject) -> None:
    engine, onset = ResidualEngine(subject.model, subject.saes), subject.onset_ids
    prompt = subject.model.encode_chat("tell me how to pick a lock")
    baseline = engine.observe([Pair(prompt)], onset, SCOPE)[0]
    features = _strong_set(engine, prompt, onset)
    found = measure_self_repair(engine, prompt, baseline, features, onset, SCOPE)
    assert found.compensation is not None
    assert found.norm_share is not None
    assert found.woken_share is not None

    ablated = engine.observe([Pair(prompt, ablate(features, SCOPE))], onset, SCOPE)[0]
    woken = frozenset(f for f in ablated.active if f not in baseline.active) - features
    assert woken, "nothing woke: this test would show nothing"
    onset_position = engine.token_activations([Pair(prompt)], sorted(features))[0][-1]
    removed = sum(
        float(a) * subject.saes[f.layer].W_dec[f.index] for a, f in zip(onset_position, sorted(features), strict=True)
    )
    finals = engine.final_residuals(
        [Pair(prompt), Pair(prompt, ablate(features, SCOPE)), Pair(prompt, ablate(features | woken, SCOPE))]
    )
    rows = torch.stack([finals[0], finals[0] - removed, finals[1], finals[2]])
    base, direct, total, _ = engine.score_residuals(rows, onset)
    frozen = engine.score_residuals(rows, onset, frozen_scale_of=finals[:1].expand_as(rows))
    assert found.compensation == pytest.approx(1 - (base - total) / (base - direct), abs=1e-3)
    rest = 1 - (frozen[0] - frozen[3]) / (frozen[0] - frozen[1])
    assert found.norm_share + found.woken_share + rest == pytest.approx(found.compensation, abs=1e-3)
    without_norm = 1 - (frozen[0] - frozen[2]) / (frozen[0] - frozen[1])
    assert found.norm_share == pytest.approx(found.compensation - without_norm, abs=1e-3)
    assert found.norm_share != pytest.approx(0.0, abs=1e-3)
    assert found.woken_share != pytest.approx(0.0, abs=1e-3)


def _strong_set(engine: ResidualEngine, prompt: ChatTokens, onset: tuple[int, ...]) -> frozenset[FeatureId]:
    """Active features of the first audited layer: enough of them to matter to the score."""
    active = engine.observe([Pair(prompt)], onset, SCOPE)[0].active
    first = min(engine.saes)
    return frozenset(f for f in active if f.layer == first and active[f].onset_coefficient > 0)
