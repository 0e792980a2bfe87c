"""One prompt's cascade on the planted subjects: which features wake, which are backups, what is held against them."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from backend.audit.after_ablation import direct_effects, dormant_now_active
from backend.audit.candidates import Candidate, Candidates, active_refusal_features
from backend.audit.feature_sets import matched_random_sets
from backend.audit.interventions import ablate
from backend.audit.results import Cascade
from backend.audit.spec import AuditedPrompt, AuditSettings, Effort
from backend.audit.stages.cascade import SMALLEST_PUSH, SingleAblations, ablate_singly, run_cascade
from backend.audit.woken_features import Trial, screen_woken
from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Pair
from backend.subjects.planted.circuit import FULL_EFFECT, KINDS, axis, feature_ids
from backend.subjects.sparse_autoencoder import FeatureId
from tests.audit.stages.planted_stage import SCOPE, PlantedStage, planted_stage

AMOUNTS = AuditSettings("quick").amounts


def singles(stage: PlantedStage, prompt: AuditedPrompt) -> SingleAblations:
    return ablate_singly(
        stage.engine, prompt.tokens, stage.baseline(prompt), stage.candidates, stage.onset_ids, SCOPE, 10
    )


def cascade(stage: PlantedStage, prompt: AuditedPrompt, amounts: Effort = AMOUNTS, seed: int = 0) -> Cascade:
    return run_cascade(
        stage.engine,
        prompt.tokens,
        stage.baseline(prompt),
        singles(stage, prompt),
        stage.candidates,
        stage.table,
        stage.onset_ids,
        SCOPE,
        amounts,
        np.random.default_rng(seed),
    )


def test_the_backup_is_confirmed_and_no_random_draw_wakes_it() -> None:
    stage = planted_stage()
    backup = str(stage.truth.backup)
    for prompt in stage.of_kind("backup")[:4]:
        first = cascade(stage, prompt).rounds[0]
        claimed = {w.feature: w.confirmed for w in first.woken if (w.total_effect or 0) > SMALLEST_PUSH}
        assert claimed == {backup: True}
        assert first.random_draws == AMOUNTS.cascade_random_draws
        assert first.woken_random[backup] == 0
        assert backup in first.woke


@pytest.mark.parametrize("stronger", [False, True])
def test_a_backup_is_denied_where_a_look_alike_does_as_much(stronger: bool) -> None:
    # Half of the backup is taken out by ablating it; a decoy of its layer takes out more, when it is made to.
    stage = planted_stage()
    elder, backup = stage.truth.kinds["backup"].pair
    decoy = feature_ids()[f"decoy_{backup.layer}"]
    saes = {layer: deepcopy(sae) for layer, sae in stage.engine.saes.items()}
    saes[backup.layer].W_dec[backup.index] *= 0.5
    if stronger:
        saes[backup.layer].W_dec[decoy.index] = 10 * axis("refusal")
    changed = replace(
        stage,
        engine=ResidualEngine(stage.engine.model, saes),
        candidates=Candidates({elder.layer: (Candidate(elder, 1, 0.9),)}),
    )
    for prompt in stage.of_kind("backup")[:2]:
        first = cascade(changed, prompt, replace(AMOUNTS, backup_draws=20)).rounds[0]
        claimed = {w.feature: w.confirmed for w in first.woken if (w.total_effect or 0) > SMALLEST_PUSH}
        assert claimed == {str(backup): not stronger}


def test_counts_of_the_first_round_are_those_of_its_draws() -> None:
    stage = planted_stage()
    for prompt in stage.of_kind("additive")[:3]:
        found = cascade(stage, prompt)
        first, *later = found.rounds
        assert first.n_woken == len(first.woke)
        assert first.n_woken_random == pytest.approx(sum(first.woken_random.values()) / first.random_draws)
        assert set(first.woke) <= set(first.woken_random)
        assert all(0 <= count <= first.random_draws for count in first.woken_random.values())
        for one in later:
            assert (one.random_draws, one.woken_random, one.woke, one.n_woken_random) == (0, {}, (), None)


def test_more_draws_for_backups_change_nothing_else() -> None:
    stage = planted_stage()
    prompt = stage.of_kind("backup")[0]
    few, many = (cascade(stage, prompt, replace(AMOUNTS, backup_draws=n)) for n in (1, 20))
    assert few == many


def test_the_same_draws_whatever_was_run_before() -> None:
    stage = planted_stage()
    prompt, other = stage.of_kind("backup")[0], stage.of_kind("serial")[0]
    stage.engine.forget()
    first = cascade(stage, prompt)
    cascade(stage, other, seed=5)
    stage.engine.forget()
    assert cascade(stage, prompt) == first


def test_suppression_by_layer_is_what_single_ablations_show() -> None:
    stage = planted_stage()
    prompt = stage.of_kind("serial")[0]
    upstream, downstream = stage.truth.kinds["serial"].pair
    baseline, alone = stage.baseline(prompt), singles(stage, prompt)
    rows = {(s.source, s.downstream): s for s in cascade(stage, prompt).suppression}
    later = [f for f in active_refusal_features(stage.candidates, baseline.active) if f.layer == downstream.layer]
    seen = alone.observations[upstream].active
    row = rows[str(upstream), downstream.layer]
    assert downstream in later
    assert downstream not in seen
    assert row.n_downstream == len(later)
    assert row.share_deactivated == pytest.approx(sum(f not in seen for f in later) / len(later))
    drops = [1 - (seen[f].maximum if f in seen else 0.0) / baseline.active[f].maximum for f in later]
    assert row.mean_drop == pytest.approx(sum(drops) / len(drops))
    assert all(layer is not None and layer > int(source.partition(":")[0]) for source, layer in rows)


def test_nothing_is_claimed_in_the_null_model() -> None:
    stage = planted_stage("planted-null")
    cascades = [cascade(stage, p) for kind in KINDS for p in stage.of_kind(kind)[:2]]
    woken = [w for found in cascades for one in found.rounds for w in one.woken]
    assert woken, "nothing woke: nothing could have been claimed"
    assert {w.confirmed for w in woken} == {None}
    assert {one.n_pushing for found in cascades for one in found.rounds} == {0}
    assert {found.depth for found in cascades} == {None}


@pytest.fixture(scope="module")
def woken_at_random() -> dict[AuditedPrompt, list[list[FeatureId]]]:
    """By prompt of the null model, what each ablation wakes that is drawn to match its strongest feature."""
    stage = planted_stage("planted-null")
    found = {}
    for prompt in [p for kind in KINDS for p in stage.of_kind(kind)]:
        baseline, strongest = stage.baseline(prompt), singles(stage, prompt).features[:1]
        random = np.random.default_rng(0)
        sets = matched_random_sets(strongest, frozenset(baseline.active), frozenset(), stage.table, 40, random)
        pairs = [Pair(prompt.tokens, ablate(s, SCOPE)) for s in sorted(set(sets), key=sorted)]
        observed = stage.engine.observe(pairs, stage.onset_ids, SCOPE)
        found[prompt] = [sorted(dormant_now_active(baseline, o, frozenset())) for o in observed]
    return found


def test_a_random_ablation_in_the_round_s_place_is_claimed_to_wake_no_more_than_others(
    woken_at_random: dict[AuditedPrompt, list[list[FeatureId]]],
) -> None:
    """Real wakings, and a null that holds by construction: of 100 such audits at most 5 should claim anything."""
    screened, claiming = 0, 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        trials: dict[str, list[Trial]] = {}
        for prompt, outcomes in woken_at_random.items():
            round_, *draws = (outcomes[int(i)] for i in random.integers(len(outcomes), size=1 + 4))
            for feature in sorted({*round_, *(f for draw in draws for f in draw)}):
                one = Trial(
                    prompt.prompt.id, prompt.prompt.family, feature in round_, sum(feature in d for d in draws), 4
                )
                trials.setdefault(str(feature), []).append(one)
        found = screen_woken(trials)
        screened += len(found)
        claiming += any(f.q <= 0.05 for f in found)
    assert screened > 500
    assert claiming <= 5


def test_direct_effects_of_groups_are_of_all_their_vectors() -> None:
    stage = planted_stage()
    prompt = stage.of_kind("additive")[0]
    early, late = stage.truth.kinds["additive"].pair
    groups = [(early,), (late,), (early, late), ()]
    effects = direct_effects(stage.engine, stage.baseline(prompt), groups, stage.onset_ids)
    assert effects == pytest.approx([FULL_EFFECT / 2, FULL_EFFECT / 2, FULL_EFFECT, 0.0], abs=0.01)
    total = stage.engine.score([Pair(prompt.tokens, ablate((early, late), SCOPE))], stage.onset_ids)[0].value
    assert stage.baseline(prompt).score.value - total == pytest.approx(effects[2], abs=0.01)
