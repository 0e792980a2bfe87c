"""Stage 5 on the planted subjects: every control gives what the circuit says it must; the null model has no claim."""

import pytest

from backend.audit.interventions import Intervention
from backend.audit.results import PromptResult, Report
from backend.engine.protocol import Pair
from backend.engine.reference import ReferenceEngine
from backend.subjects.planted.circuit import PlantedTruth
from backend.subjects.planted.subject import planted_subject
from backend.subjects.sparse_autoencoder import FeatureId

MODES = ("mean", "resample", "clamp")


def verified(report: Report) -> list[PromptResult]:
    return [p for p in report.prompts if p.controls is not None and p.split == "test"]


def test_every_refused_test_prompt_with_a_set_is_verified_and_no_other(planted: Report) -> None:
    assert len(verified(planted)) == 16
    for prompt in planted.prompts:
        assert (prompt.verification is not None) == (prompt in verified(planted))
    for prompt in verified(planted):
        smallest = min(len(s.features) for s in prompt.minimal_sets if s.confirmed)
        assert prompt.verification is not None
        assert len(prompt.verification.features) == smallest


def test_doubling_a_set_flips_nothing_for_the_refusal_axis_is_clipped(planted: Report) -> None:
    for prompt in verified(planted):
        assert prompt.verification is not None
        arm = prompt.verification.arms["sign_flip"]
        assert arm.score == pytest.approx(prompt.baseline.score, abs=0.01)
        assert (arm.response, arm.flipped) == (None, False)


def test_other_modes_agree_for_the_features_are_silent_on_benign_prompts(planted: Report) -> None:
    # mean and resample put in 0, as zero does; clamp goes below the axis's end, where it is clipped.
    assert planted.verification is not None
    for prompt in verified(planted):
        assert prompt.verification is not None
        zero = next(s for s in prompt.minimal_sets if s.features == prompt.verification.features)
        for mode in MODES:
            arm = prompt.verification.arms[mode]
            assert arm.score == pytest.approx(zero.score, abs=0.01)
            assert arm.flipped
    assert planted.verification.agreement.all_modes.value == 1.0
    assert [planted.verification.agreement.with_zero[mode].value for mode in MODES] == [1.0] * 3


def test_reconstruction_is_what_the_slow_engine_finds_and_seldom_flips(planted: Report) -> None:
    """The planted dictionaries leave out the bias axis: their reconstructions break the model rather than flip it."""
    subject = planted_subject("planted")
    reference = ReferenceEngine(subject.model, subject.saes)
    onset = [token.id for token in planted.baseline.onset.tokens]
    for prompt in verified(planted)[::5]:
        assert prompt.verification is not None
        layers = tuple(FeatureId.parse(name).layer for name in prompt.verification.features)
        pair = Pair(subject.model.encode_chat(prompt.text), Intervention(reconstructed=layers))
        arm = prompt.verification.arms["reconstruction"]
        assert arm.features == ()
        assert arm.score == pytest.approx(reference.score([pair], onset)[0], abs=1e-3)
    assert planted.verification is not None
    figures = planted.verification.arms["reconstruction"]
    assert (figures.flipped.value or 0.0) < 0.2
    assert (figures.incoherent.value or 0.0) > 0.5


def test_noise_as_long_as_the_set_seldom_flips(planted: Report) -> None:
    assert planted.verification is not None
    for prompt in verified(planted):
        assert prompt.verification is not None
        noise = prompt.verification.noise
        assert noise.n_draws == len(noise.scores) == len(set(noise.scores)) == 5
        assert noise.n_flipped <= noise.n_generated
    arms = planted.verification.arms
    assert (arms["noise"].flipped.high or 1.0) < (arms["minimal"].flipped.low or 0.0)


def test_arms_count_every_refused_test_prompt(planted: Report) -> None:
    assert planted.verification is not None
    arms = planted.verification.arms
    assert list(arms) == [
        "minimal", "random", "noise", "sign_flip", "reconstruction", "mean", "resample", "clamp", "direction",
    ]  # fmt: skip
    assert {figures.flipped.n for figures in arms.values()} == {16}
    assert {figures.flipped.split for figures in arms.values()} == {"test"}
    assert arms["minimal"].flipped == planted.report_card.flipped.minimal
    assert arms["random"].flipped == planted.report_card.flipped.random
    assert arms["direction"].flipped == planted.report_card.flipped.direction
    assert arms["minimal"].incoherent.value == arms["random"].incoherent.value == 0.0


def test_sets_beat_their_random_sets_as_far_as_so_many_draws_can_tell(planted: Report) -> None:
    assert planted.verification is not None
    assert planted.verification.n_tested == planted.verification.n_beyond_random == 16
    assert planted.verification.smallest_p == pytest.approx(1 / 25)


def test_coverage_leaves_out_the_backup_that_sleeps(planted: Report, truth: PlantedTruth) -> None:
    for prompt in verified(planted):
        assert prompt.verification is not None
        asleep = set(prompt.verification.features) - set(prompt.verification.active)
        assert asleep == ({str(truth.backup)} if prompt.category == "backup" else set())
    assert planted.verification is not None
    assert planted.verification.coverage.value == pytest.approx(0.875)  # a quarter of the prompts cover half


def test_the_planted_set_makes_benign_prompts_refused_and_random_ones_do_not(planted: Report) -> None:
    assert planted.verification is not None
    found = planted.verification.sufficiency
    assert (found.n_sets, found.n_prompts) == (2, 3)
    assert found.refused.value == found.score_positive.value == 1.0
    assert found.refused_random.value == found.score_positive_random.value == 0.0
    assert found.score.value == pytest.approx(9.0, abs=0.2)
    assert found.score_random.value == pytest.approx(-4.0, abs=0.2)
    assert found.refused.n == 3  # prompts, not pairs


def test_no_side_effects_where_the_circuit_has_none(planted: Report, truth: PlantedTruth) -> None:
    assert planted.verification is not None
    effects = planted.verification.side_effects
    assert list(effects) == ["minimal", "random", "direction"]
    # upstream only ever drives downstream, which suffices to name.
    assert set(effects["minimal"].features) == {str(f) for f in truth.refusal_features.values()} - {
        str(truth.refusal_features["upstream"])
    }
    assert len(effects["random"].features) == len(effects["minimal"].features)
    assert not set(effects["random"].features) & {str(f) for f in truth.refusal_features.values()}
    assert effects["direction"].features == ()
    for effect in effects.values():
        assert effect.kl.value == pytest.approx(0.0, abs=1e-3)
        assert effect.cross_entropy.value == pytest.approx(0.0, abs=1e-3)
        assert effect.verdict_changed.value == effect.refused.value == 0.0
        assert (effect.n_tokens, effect.kl.n) == (16, 3)


def test_a_set_flips_its_own_kind_alone_and_the_pool_one_kind_after_another(planted: Report) -> None:
    assert planted.verification is not None
    transfer = planted.verification.transfer
    assert len(transfer.sets) == 4
    for one in transfer.sets:
        assert one.flipped.n == 15
        assert one.flipped.value == pytest.approx(3 / 15)  # the other prompts of its kind
    assert transfer.mean.value == pytest.approx(0.2)
    shares = [step.flipped.value for step in transfer.pooled]
    assert shares == sorted(shares)  # type: ignore[type-var]
    assert set(shares) <= {0.0, 0.25, 0.5, 0.75, 1.0}
    assert transfer.most == len(transfer.pooled) == 7
    assert transfer.half is not None
    assert transfer.half < 7
    assert transfer.confirmed_half.value == shares[transfer.half - 1]
    assert transfer.confirmed_most.value == 1.0


def test_the_null_model_claims_nothing(null: Report) -> None:
    found = null.verification
    assert found is not None
    assert all(prompt.verification is None for prompt in null.prompts)
    assert (found.arms["minimal"].flipped.value, found.arms["minimal"].flipped.n) == (0.0, len(verified(null)))
    assert found.arms["minimal"].score.value == pytest.approx(9.0, abs=0.2)  # the widest set tried
    for name in ("random", "noise", "sign_flip", "reconstruction", *MODES):
        assert found.arms[name].flipped.n == 0
    assert (found.n_tested, found.n_beyond_random, found.smallest_p) == (0, 0, None)
    assert found.coverage.n == found.agreement.all_modes.n == found.sufficiency.n_sets == 0
    assert found.sufficiency.refused.n == found.sufficiency.refused_random.n == 0
    assert found.side_effects["minimal"].kl.n == found.side_effects["random"].kl.n == 0
    assert found.side_effects["direction"].kl.n == 3
    assert found.transfer.sets == found.transfer.pooled == ()
    assert (found.transfer.half, found.transfer.most, found.transfer.confirmed_half.n) == (None, None, 0)


def test_no_completion_of_this_stage_is_readable(planted: Report) -> None:
    for prompt in verified(planted):
        assert prompt.verification is not None
        for arm in prompt.verification.arms.values():
            assert arm.response is None or arm.response.verdict == "refused" or arm.response.text is None
