"""Stage 6 on the planted subjects: placebos change nothing, a prompt without its harmful word is another prompt."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.candidates import Candidate, Candidates
from backend.audit.feature_sets import FeatureSet
from backend.audit.interventions import DEFAULT_SCOPE
from backend.audit.refusal.judges.judge import Verdict
from backend.audit.results import PerturbedPrompt, Report, Response
from backend.audit.spec import AuditedPrompt
from backend.audit.stages.stability import (
    WEIGHTS,
    Measured,
    jaccard,
    measure_disturbed,
    measure_versions,
    versions,
    why_not_spoken,
)
from backend.engine.engine import ResidualEngine
from backend.prompts.perturbations.perturbation import Chat, TextPerturbation
from backend.prompts.perturbations.registry import ALL
from backend.subjects.language_model import Disturbance
from backend.subjects.planted.prompts import HARMFUL_NOUNS, planted_prompts
from backend.subjects.planted.subject import PlantedSubject, planted_subject
from backend.subjects.planted.words import vocabulary
from backend.subjects.sparse_autoencoder import FeatureId
from tests.planted_audits import audit_planted

features = st.builds(FeatureId, st.integers(0, 2), st.integers(0, 3))
feature_sets = st.frozensets(features)
NOUNS = {noun for nouns in HARMFUL_NOUNS.values() for noun in nouns}


def _harmless(text: str, random: Random) -> Chat:
    return Chat(" ".join("cake" if word in NOUNS else word for word in text.split()))


HARMLESS = TextPerturbation("harmless", "surface", "another noun", _harmless)
PLACEBO = next(one for one in ALL if one.name == "trailing_space")


@pytest.fixture(scope="module")
def planted() -> PlantedSubject:
    return planted_subject("planted")


@pytest.fixture(scope="module")
def engine(planted: PlantedSubject) -> ResidualEngine:
    return ResidualEngine(planted.model, dict(planted.saes))


@pytest.fixture(scope="module")
def report() -> Report:
    return audit_planted("planted", {"discovery": 1, "validation": 1, "test": 2}).report


def refusal_features(planted: PlantedSubject, kind: str) -> Candidates:
    """The kind's planted features as the only candidates."""
    found = sorted(planted.truth.kinds[kind].pair)
    ranked = {layer: [f for f in found if f.layer == layer] for layer in planted.saes}
    return Candidates(
        {layer: tuple(Candidate(f, 1 + i, 0.9) for i, f in enumerate(fs)) for layer, fs in ranked.items()}
    )


def ask(planted: PlantedSubject, kind: str) -> AuditedPrompt:
    prompt = next(p for p in planted_prompts().prompts if p.category == kind and p.split == "test")
    return AuditedPrompt(prompt, planted.model.encode_chat(prompt.text))


def onset(planted: PlantedSubject) -> tuple[int, ...]:
    return tuple(vocabulary().index(text) for text in planted.truth.refusal_onset)


def measure(
    planted: PlantedSubject, engine: ResidualEngine, kind: str, perturbations: Sequence[TextPerturbation]
) -> Measured:
    audited = ask(planted, kind)
    asked = versions(planted.model, audited, perturbations, 0, 20)
    original: FeatureSet = next(iter(sorted(planted.truth.kinds[kind].minimal_sets, key=sorted)))
    candidates = refusal_features(planted, kind)
    return measure_versions(engine, audited, asked, original, candidates, onset(planted), DEFAULT_SCOPE)


@pytest.mark.parametrize("kind", ["additive", "redundant", "backup", "serial"])
def test_a_placebo_keeps_every_feature_and_the_set_still_flips(
    planted: PlantedSubject, engine: ResidualEngine, kind: str
) -> None:
    measured = measure(planted, engine, kind, [PLACEBO])
    (row,) = measured.rows
    assert set(measured.active) == {str(f) for f in planted.truth.kinds[kind].active}
    assert row.perturbation == "trailing_space"
    assert (row.jaccard, set(row.kept), row.lost) == (1.0, set(measured.active), ())
    assert row.score > 0
    assert row.set_score is not None
    assert row.set_score < 0
    assert row.set_flips is True


@pytest.mark.parametrize("kind", ["additive", "redundant", "backup", "serial"])
def test_without_its_harmful_word_a_prompt_loses_the_features_and_the_refusal(
    planted: PlantedSubject, engine: ResidualEngine, kind: str
) -> None:
    measured = measure(planted, engine, kind, [HARMLESS])
    (row,) = measured.rows
    assert row.score < 0
    assert (row.jaccard, row.kept) == (0.0, ())
    assert set(row.lost) == {str(f) for f in planted.truth.kinds[kind].active}
    assert row.set_flips is None  # there is no refusal to flip
    assert row.set_score == pytest.approx(row.score, abs=1e-4)


@pytest.mark.parametrize("kind", ["additive", "redundant", "backup", "serial"])
def test_the_prompt_itself_is_wholly_stable(planted: PlantedSubject, engine: ResidualEngine, kind: str) -> None:
    audited, candidates = ask(planted, kind), refusal_features(planted, kind)
    ((row,), active) = _as_it_is(engine, audited, candidates, planted)
    assert (row.jaccard, row.kept, row.lost) == (1.0, active, ())
    assert (row.set_score, row.set_flips) == (None, None)  # no set was given


def _as_it_is(
    engine: ResidualEngine, audited: AuditedPrompt, candidates: Candidates, planted: PlantedSubject
) -> tuple[tuple[PerturbedPrompt, ...], tuple[str, ...]]:
    measured = measure_versions(engine, audited, {"itself": audited}, None, candidates, onset(planted), DEFAULT_SCOPE)
    return measured.rows, measured.active


def test_versions_are_seeded_and_leave_out_what_does_not_apply_or_fit(planted: PlantedSubject) -> None:
    audited = ask(planted, "additive")
    found = versions(planted.model, audited, ALL, 0, 20)
    assert found == versions(planted.model, audited, ALL, 0, 20)
    assert found["typos_5"] != versions(planted.model, audited, ALL, 1, 20)["typos_5"]
    assert "lower_case" not in found  # the prompt has no capitals
    assert all(one.prompt.id == audited.prompt.id for one in found.values())
    assert found["earlier_exchange"].prompt.text == audited.prompt.text
    assert len(found["earlier_exchange"].tokens.ids) > len(audited.tokens.ids)
    room = planted.model.max_tokens - len(audited.tokens.ids) - 1  # for the prompt, and one token more
    assert "role_play" not in versions(planted.model, audited, ALL, 0, room)


def test_disturbed_weights_are_told_from_true_ones(planted: PlantedSubject, engine: ResidualEngine) -> None:
    audited, candidates = ask(planted, "redundant"), refusal_features(planted, "redundant")
    original = next(iter(planted.truth.kinds["redundant"].minimal_sets))
    active = [tuple(str(f) for f in sorted(planted.truth.kinds["redundant"].active))]
    arguments = ([audited], active, [original], candidates, onset(planted), DEFAULT_SCOPE)

    (true,) = measure_disturbed(engine, "none", *arguments)
    with engine.disturbed(Disturbance("noise", 0.03, 7)):
        (disturbed,) = measure_disturbed(engine, "noise_3", *arguments)
    (after,) = measure_disturbed(engine, "none", *arguments)

    assert (true.jaccard, true.kept, true.lost, true.set_flips) == (1.0, active[0], (), True)
    assert disturbed.perturbation == "noise_3"
    assert disturbed.score != true.score
    assert after == true


def test_noise_depends_on_the_seed_and_rounding_does_not() -> None:
    noise = [one for one in WEIGHTS if one.disturbance.kind == "noise"]
    assert len({one.seeded(seed).seed for one in noise for seed in (0, 1)}) == 2 * len(noise)
    assert all(one.seeded(3) == one.seeded(3) for one in WEIGHTS)
    int8 = next(one for one in WEIGHTS if one.disturbance.kind == "int8")
    assert int8.seeded(0) == int8.seeded(1)


@given(feature_sets, feature_sets)
def test_jaccard_is_a_share_symmetric_and_one_for_equal_sets(a: FeatureSet, b: FeatureSet) -> None:
    assert 0 <= jaccard(a, b) <= 1
    assert jaccard(a, b) == jaccard(b, a)
    assert (jaccard(a, b) == 1) == (a == b)
    assert (jaccard(a, b) == 0) == (not a & b and bool(a | b))


@pytest.mark.parametrize(
    ("complied", "skipped"), [(8, ""), (7, ""), (6, "answered 6 of 8 benign prompts"), (0, "0 of 8")]
)
def test_a_language_is_spoken_when_most_benign_prompts_are_answered(complied: int, skipped: str) -> None:
    verdicts: list[Verdict] = ["complied" if i < complied else "incoherent" for i in range(8)]
    why = why_not_spoken([Response(verdict, 5, True, None, "any") for verdict in verdicts])
    assert (why == "") == (skipped == "")
    assert skipped in why
    assert "80%" in why or not why


def test_a_language_that_nothing_was_tried_in_is_not_said_to_be_spoken() -> None:
    assert why_not_spoken([])


def rows(report: Report) -> list[PerturbedPrompt]:
    return [row for prompt in report.prompts for row in prompt.perturbed]


def test_a_whole_audit_finds_the_planted_features_stable(report: Report, planted: PlantedSubject) -> None:
    assert report.stability is not None
    assert report.stability.n_prompts == 3  # quick
    assert report.stability.keep_rate_placebo.value == 1.0
    assert report.stability.keep_rate_placebo.split == "test"
    by_feature = {one.feature: one for one in report.stability.features}
    perturbed = [prompt for prompt in report.prompts if prompt.perturbed]
    assert {prompt.split for prompt in perturbed} == {"test"}
    for prompt in perturbed:
        assert prompt.category is not None
        for feature in planted.truth.kinds[prompt.category].active:
            if any(str(feature) in (*row.kept, *row.lost) for row in prompt.perturbed):
                assert by_feature[str(feature)].keep_rate_placebo.value == 1.0
    assert any(str(f) in by_feature for f in planted.truth.refusal_features.values())
    assert report.stability.set_flips.value == 1.0


def test_perturbations_are_listed_in_order_with_what_was_skipped(report: Report) -> None:
    assert report.stability is not None
    listed = {one.name: one for one in report.stability.perturbations}
    assert list(listed) == [
        *("full_stop", "could_you", "role_play", "prefix_injection", "typos_5", "upper_case", "earlier_exchange"),
        *("int8", "other_dictionary"),
    ]
    assert listed["other_dictionary"].skipped == "the subject has one dictionary"
    assert listed["other_dictionary"].score_change.n == 0
    assert not any(one.skipped for name, one in listed.items() if name != "other_dictionary")
    assert listed["upper_case"].score_change.value == pytest.approx(0, abs=1e-3)  # its tokenizer knows no capitals


def test_quick_audits_complete_wrappers_first(report: Report) -> None:
    answered = {row.perturbation for row in rows(report) if row.response is not None}
    assert answered == {"role_play", "prefix_injection", "full_stop", "could_you"}
    assert sum(row.response is not None for row in rows(report)) == 12
    assert all(row.response.text is None for row in rows(report) if row.response and row.response.verdict != "refused")


def test_in_the_null_model_there_is_no_set_to_try() -> None:
    null = audit_planted("planted-null", {"discovery": 1, "validation": 1, "test": 1}).report
    assert null.stability is not None
    assert rows(null)
    assert all(row.set_score is None and row.set_flips is None for row in rows(null))
    assert null.stability.set_flips.n == 0
    assert null.stability.keep_rate_placebo.value == 1.0
