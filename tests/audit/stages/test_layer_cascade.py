"""Whole layers silenced one after another: the planted depth, and nothing in the null model."""

import pytest

from backend.audit.interventions import ablate
from backend.audit.results import LayerCascade
from backend.audit.spec import AuditedPrompt
from backend.audit.stages.layer_cascade import run_layer_cascade
from backend.engine.protocol import Pair
from backend.subjects.planted.circuit import KINDS
from tests.audit.stages.planted_stage import SCOPE, PlantedStage, planted_stage


def cascade(stage: PlantedStage, prompt: AuditedPrompt) -> LayerCascade:
    baseline = stage.baseline(prompt)
    return run_layer_cascade(stage.engine, prompt.tokens, baseline, stage.candidates, stage.onset_ids, SCOPE)


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_flips_at_the_planted_depth(kind: str) -> None:
    stage = planted_stage()
    truth = stage.truth.kinds[kind]
    causal = {f.layer for f in truth.pair}
    for prompt in stage.of_kind(kind)[:6]:
        found = cascade(stage, prompt)
        assert found.depth == truth.depth_by_layer == len(found.layers), prompt.prompt.id
        assert set(found.layers) <= causal, prompt.prompt.id
        assert found.scores[-1] < 0 < min((*found.scores[:-1], 1.0))


def test_a_layer_is_silenced_once_its_features_have_woken() -> None:
    stage = planted_stage()
    elder, backup = stage.truth.kinds["backup"].pair
    for prompt in stage.of_kind("backup")[:6]:
        assert backup not in stage.baseline(prompt).active
        assert cascade(stage, prompt).layers == (elder.layer, backup.layer)


def test_rounds_are_what_ablating_those_layers_gives() -> None:
    stage = planted_stage()
    for prompt in (stage.of_kind("additive")[0], stage.of_kind("backup")[0]):
        found = cascade(stage, prompt)
        silenced = [
            tuple(f for f in stage.candidates.top(10) if f.layer in found.layers[:n] and stage.candidates.cosine(f) > 0)
            for n in range(1, len(found.layers) + 1)
        ]
        pairs = [Pair(prompt.tokens, ablate(features, SCOPE)) for features in silenced]
        scored = stage.engine.score(pairs, stage.onset_ids)
        assert [s.value for s in scored] == pytest.approx(list(found.scores), abs=1e-4)
        assert len(scored[0].edited) == found.n_features[0]


def test_layers_end_without_a_flip_in_the_null_model() -> None:
    stage = planted_stage("planted-null")
    for prompt in [stage.of_kind(kind)[0] for kind in KINDS]:
        found = cascade(stage, prompt)
        assert found.depth is None
        assert sorted(set(found.layers)) == sorted(found.layers)
        assert min(found.scores) > 5
