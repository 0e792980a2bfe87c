"""Whole audits of the planted subjects: exactly what is planted is found, and in the null model nothing is."""

import pytest

from backend.audit.progress import Step
from backend.audit.results import PromptResult, Report
from backend.audit.spec import AuditSettings
from backend.subjects.planted.circuit import PlantedTruth
from tests.planted_audits import FEW, audit_planted, planted_audit


def worked(report: Report, kind: str | None = None) -> list[PromptResult]:
    return [p for p in report.prompts if p.controls is not None and kind in (None, p.category)]


def test_baseline_is_read_right(planted: Report, truth: PlantedTruth) -> None:
    assert planted.baseline.refusal_rate.value == 1.0
    assert planted.baseline.benign_refusal_rate.value == 0.0
    assert {token.text.strip() for token in planted.baseline.onset.tokens} <= set(truth.refusal_onset)
    assert planted.baseline.onset.method == "calibrated"
    assert planted.baseline.onset.auc.value == 1.0
    assert len(worked(planted)) == 4 * 7


@pytest.mark.parametrize("kind", ["additive", "redundant", "backup", "serial"])
def test_every_minimal_set_found_is_planted_and_confirmed(planted: Report, truth: PlantedTruth, kind: str) -> None:
    expected = {frozenset(str(f) for f in s) for s in truth.kinds[kind].minimal_sets}
    for prompt in worked(planted, kind):
        found = {frozenset(s.features) for s in prompt.minimal_sets}
        assert found, prompt.id
        assert found <= expected, prompt.id
        assert all(s.confirmed for s in prompt.minimal_sets)
        for one in prompt.minimal_sets:
            if len(one.features) > 1:
                assert all(line.score > 0 for line in one.certificate)


@pytest.mark.parametrize("kind", ["additive", "redundant", "backup", "serial"])
def test_depth(planted: Report, truth: PlantedTruth, kind: str) -> None:
    depths = {p.cascade.depth for p in worked(planted, kind) if p.cascade is not None}
    assert depths == {truth.kinds[kind].depth_by_layer}


def test_the_backup_is_dormant_wakes_and_is_the_only_one_that_pushes(planted: Report, truth: PlantedTruth) -> None:
    elder, backup = str(truth.elder), str(truth.backup)
    for prompt in worked(planted, "backup"):
        assert prompt.cascade is not None
        first = prompt.cascade.rounds[0]
        assert first.ablated == (elder,)
        pushing = [w.feature for w in first.woken if (w.total_effect or 0) > 1]
        assert pushing == [backup]
        edge = next(e for e in first.edges if (e.source, e.target) == (elder, backup))
        assert edge.change == pytest.approx(truth.edges[truth.elder, truth.backup], abs=0.05)  # type: ignore[index]
    for kind in ("additive", "redundant", "serial"):
        for prompt in worked(planted, kind):
            assert prompt.cascade is not None
            assert all((w.total_effect or 0) < 0.3 for r in prompt.cascade.rounds for w in r.woken)


def test_the_backup_is_told_from_what_any_ablation_wakes(planted: Report, truth: PlantedTruth) -> None:
    cascade, backup = planted.cascade, str(truth.backup)
    claimed = [f for f in cascade.woken_features if f.q <= 0.05]
    assert [f.feature for f in claimed] == [backup]
    assert claimed[0].p == pytest.approx((1 / 5) ** 4)  # four prompts, four draws each
    assert cascade.backups_confirmed.value == 1.0
    assert cascade.backups_confirmed.n == 4
    for prompt in worked(planted):
        assert prompt.cascade is not None
        assert not any(w.confirmed and w.feature != backup for r in prompt.cascade.rounds for w in r.woken)


@pytest.mark.parametrize("kind", ["additive", "redundant", "backup", "serial"])
def test_depth_in_whole_layers(planted: Report, truth: PlantedTruth, kind: str) -> None:
    depths = {p.layer_cascade.depth for p in worked(planted, kind) if p.layer_cascade is not None}
    assert depths == {truth.kinds[kind].depth_by_layer}


def test_the_serial_pair_s_layers_influence_one_another(planted: Report, truth: PlantedTruth) -> None:
    upstream, downstream = truth.kinds["serial"].pair
    found = {(i.upstream, i.downstream): i for i in planted.cascade.influence}
    assert set(found) == {(a, b) for a in truth.layers for b in truth.layers if a < b}
    pair = found[upstream.layer, downstream.layer]
    assert (pair.share_deactivated.value or 0) > 0
    assert pair.mean_drop.n == 16  # every refused test prompt


def test_claimed_pairs_are_the_planted_ones_with_their_signs(planted: Report, truth: PlantedTruth) -> None:
    kinds = {frozenset((p.a, p.b)): p.measured.kind for p in planted.interactions.pairs}
    backups = [truth.kinds["backup"].pair, truth.redundant_pair]
    for pair in backups:
        assert pair is not None
        assert kinds[frozenset(map(str, pair))] == "backup"
    assert truth.serial_pair is not None
    assert kinds[frozenset(map(str, truth.serial_pair))] == "serial"
    others = set(kinds) - {frozenset(map(str, p)) for p in (*backups, truth.serial_pair) if p is not None}
    assert all(kinds[pair] == "additive" or _size(planted, pair) < 0.1 for pair in others)
    assert (planted.interactions.r2_heldout.value or 0) > (planted.interactions.r2_linear.value or 0) + 0.05


def _size(report: Report, pair: frozenset[str]) -> float:
    found = next(p for p in report.interactions.pairs if frozenset((p.a, p.b)) == pair)
    return abs(found.measured.interaction.value or 0.0)


def test_measured_interactions_have_the_planted_size(planted: Report, truth: PlantedTruth) -> None:
    by_pair = {frozenset((p.a, p.b)): p.measured.interaction.value for p in planted.interactions.pairs}
    for kind, size in (("redundant", 13.0), ("backup", 13.0), ("serial", -13.0)):
        pair = frozenset(str(f) for f in truth.kinds[kind].pair)
        assert by_pair[pair] == pytest.approx(size, abs=0.1)


def test_controls_stay_flat_and_the_direction_flips(planted: Report) -> None:
    flipped = planted.report_card.flipped
    assert flipped.minimal.value == 1.0
    assert flipped.random.value == 0.0
    assert (flipped.direction.value or 0.0) > 0.7  # fitted on one prompt of each kind only
    for prompt in worked(planted):
        assert prompt.controls is not None
        if prompt.split != "test":  # quick holds the sets of test prompts alone against random ones
            assert prompt.controls.random is None
            continue
        assert prompt.controls.random is not None
        assert prompt.controls.random.n_draws >= 20
        assert prompt.controls.random.p == pytest.approx(1 / (prompt.controls.random.n_draws + 1))


def test_self_repair_of_a_redundant_feature_set_is_half(planted: Report) -> None:
    # Each of the two features alone carries the whole drop of 13: directly 26 is removed, 13 is lost.
    for prompt in worked(planted, "redundant"):
        assert prompt.self_repair is not None
        assert prompt.self_repair.compensation == pytest.approx(0.5, abs=0.01)
        assert prompt.self_repair.norm_share == pytest.approx(0.0, abs=0.01)


def test_causal_features_have_effects_and_decoys_none(planted: Report, truth: PlantedTruth) -> None:
    decoys = {str(f) for f in truth.decoys}
    for feature in planted.features:
        if feature.id in decoys and feature.effect.value is not None:
            assert abs(feature.effect.value) < 0.05
            assert feature.in_minimal_sets == 0


def test_beyond_the_test_split_only_some_are_searched_and_the_others_keep_their_baseline() -> None:
    report = planted_audit().report
    harmful = [p for p in report.prompts if p.label == "harmful"]
    assert all(p.baseline.response.verdict == "refused" for p in harmful)
    assert sum(p.split == "test" for p in worked(report)) == sum(p.split == "test" for p in harmful) == 4
    others = [p for p in worked(report) if p.split != "test"]
    assert len(others) == len({p.category for p in others}) == AuditSettings("quick").amounts.searched_beyond_test
    left = [p for p in harmful if p.controls is None]
    assert len(left) == len(harmful) - 4 - len(others)
    assert all(p.minimal_sets == () and p.cascade is None and p.perturbed == () for p in left)


def test_nothing_is_found_in_the_null_model(null: Report) -> None:
    prompts = worked(null)
    assert len(prompts) == 4 * 5
    assert all(p.minimal_sets == () and p.k is None for p in prompts)
    assert null.report_card.flipped.minimal.value == 0.0
    assert null.report_card.never_flipped.value == 1.0
    assert null.report_card.minimal_set_size.value is None
    assert null.cascade.flipped.value == 0.0
    assert not any(w.total_effect and w.total_effect > 1 for p in prompts for r in p.cascade.rounds for w in r.woken)  # type: ignore[union-attr]
    assert not any(w.confirmed for p in prompts for r in p.cascade.rounds for w in r.woken)  # type: ignore[union-attr]
    assert all(p.layer_cascade is not None and p.layer_cascade.depth is None for p in prompts)
    assert null.cascade.layer_flipped.value == 0.0
    assert null.cascade.backups_confirmed.value is None  # none is even claimed
    assert null.cascade.n_woken_screened > 0
    assert not any(f.q <= 0.05 for f in null.cascade.woken_features)
    assert all(abs(p.measured.interaction.value or 0.0) < 0.3 for p in null.interactions.pairs)
    assert null.direction.rule_met  # the direction is the positive control: it still finds what no feature carries


def test_same_seed_same_report() -> None:
    first, second = (audit_planted("planted", FEW, AuditSettings("quick", seed=3)) for _ in range(2))
    assert first.report.prompts == second.report.prompts
    assert first.report.interactions == second.report.interactions
    assert first.report.features == second.report.features
    assert first.token_ids == second.token_ids


def test_progress_counts_up_to_its_total() -> None:
    steps: list[Step] = []
    audit_planted("planted", FEW, progress=steps.append)
    by_stage: dict[str, list[Step]] = {}
    for step in steps:
        by_stage.setdefault(step.stage, []).append(step)
    assert set(by_stage) >= {"baseline", "direction", "activations", "interactions", "prompts", "completions"}
    for stage in ("baseline", "direction", "activations", "interactions", "prompts", "completions"):
        done = [s.done for s in by_stage[stage]]
        assert done == sorted(done)
        assert done[-1] == by_stage[stage][-1].total


def test_features_count_the_prompts_whose_confirmed_sets_hold_them(planted: Report) -> None:
    for feature in planted.features:
        holding = [p for p in planted.prompts if any(s.confirmed and feature.id in s.features for s in p.minimal_sets)]
        assert feature.in_minimal_sets == len(holding)
    assert any(feature.in_minimal_sets for feature in planted.features)
