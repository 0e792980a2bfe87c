"""Features of an audit and the prompts where each matters."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import InvalidRequestError

from backend.audit.results import PromptResult, Report
from backend.store import audits, features
from backend.store.database import Database
from tests.store.rows import SHA, new_audit


@pytest.fixture
def audit_id(database: Database, report: Report) -> str:
    with database.transaction() as session:
        audit = new_audit(session)
        audits.store_report(session, audit.id, report, now=5.0, report_sha256=SHA)
        audits.store_report(session, new_audit(session).id, report, now=5.0, report_sha256=SHA)
    return audit.id


def matters(prompt: PromptResult, feature: str) -> tuple[float, float | None, bool, bool] | None:
    """Activation, effect, in a confirmed minimal set, woke; None: it does not matter there."""
    places = prompt.activations.get(feature, ())
    effects = [prompt.baseline.score - one.score for one in prompt.single_effects if one.feature == feature]
    in_set = any(found.confirmed and feature in found.features for found in prompt.minimal_sets)
    rounds = prompt.cascade.rounds if prompt.cascade else ()
    woke = any(one.feature == feature for each in rounds for one in each.woken)
    if not (places or effects or in_set or woke):
        return None
    return max((value for _, value in places), default=0.0), effects[0] if effects else None, in_set, woke


def test_every_reported_feature_is_listed_without_its_record(database: Database, audit_id: str, report: Report) -> None:
    with database.reading() as session:
        page = features.list_features(session, audit_id, limit=500)
        with pytest.raises(InvalidRequestError):
            _ = page.items[0].record

    assert {row.feature for row in page.items} == {feature.id for feature in report.features}
    assert [row.in_minimal_sets for row in page.items] == sorted(
        (feature.in_minimal_sets for feature in report.features), reverse=True
    )


def test_a_feature_s_line_is_its_record_s(database: Database, audit_id: str, report: Report) -> None:
    for feature in report.features:
        with database.reading() as session:
            row = features.get(session, audit_id, feature.id)
        assert row is not None
        assert f"{row.layer}:{row.number}" == feature.id == row.record["id"]
        assert (row.rank, row.in_minimal_sets, row.woken) == (feature.rank, feature.in_minimal_sets, feature.woken)
        assert row.effect == row.record["effect"]["value"]
        assert row.coverage_harmful == row.record["coverage_harmful"]["value"]
        assert row.cosine == pytest.approx(feature.cosine, abs=1e-6)
    with database.reading() as session:
        assert features.get(session, audit_id, "99:9") is None


def test_filters_agree_with_a_count_by_hand(database: Database, audit_id: str, report: Report) -> None:
    layer = int(report.features[0].id.partition(":")[0])
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"layer": layer}, lambda f: f.id.startswith(f"{layer}:")),
        ({"in_sets": True}, lambda f: f.in_minimal_sets > 0),
        ({"in_sets": False}, lambda f: f.in_minimal_sets == 0),
        ({"woke": True}, lambda f: f.woken > 0),
        ({"woke": False}, lambda f: f.woken == 0),
        ({"text": f"{layer}:"}, lambda f: f"{layer}:" in f.id),
    ]
    for asked, holds in cases:
        with database.reading() as session:
            page = features.list_features(session, audit_id, **asked, limit=500)
        assert {row.feature for row in page.items} == {f.id for f in report.features if holds(f)}, asked
        assert page.total == len(page.items)


def test_prompts_where_a_feature_matters(database: Database, audit_id: str, report: Report) -> None:
    seen = [0, 0, 0, 0]
    for feature in report.features:
        with database.reading() as session:
            page = features.list_prompts(session, audit_id, feature.id, limit=500)
        expected = {p.id: (p, values) for p in report.prompts if (values := matters(p, feature.id)) is not None}
        assert {line.prompt_id for line in page.items} == expected.keys()
        assert page.total == len(expected)
        strengths = [line.activation for line in page.items]
        assert strengths == sorted(strengths, reverse=True)
        for line in page.items:
            prompt, (activation, effect, in_set, woke) = expected[line.prompt_id]
            assert (line.text, line.label, line.category, line.split) == (
                prompt.text, prompt.label, prompt.category, prompt.split,
            )  # fmt: skip
            assert line.activation == pytest.approx(activation, abs=1e-6)
            assert line.effect == (None if effect is None else pytest.approx(effect, abs=2e-6))
            assert (line.in_minimal_set, line.woke) == (in_set, woke)
            seen = [n + bool(x) for n, x in zip(seen, (activation, effect, in_set, woke), strict=True)]
    assert min(seen[:3]) > 0  # the report has each kind


def test_a_set_that_no_completion_confirmed_makes_no_feature_matter(database: Database, report: Report) -> None:
    sets = {p.id: tuple(replace(found, confirmed=False) for found in p.minimal_sets) for p in report.prompts}
    doubtful = replace(report, prompts=tuple(replace(p, minimal_sets=sets[p.id]) for p in report.prompts))
    with database.transaction() as session:
        audit = new_audit(session)
        audits.store_report(session, audit.id, doubtful, now=5.0, report_sha256=SHA)
    with database.reading() as session:
        for feature in report.features:
            assert features.list_prompts(session, audit.id, feature.id, in_minimal_set=True).total == 0


def test_prompts_of_a_feature_are_filtered_and_paged(database: Database, audit_id: str, report: Report) -> None:
    feature = max(report.features, key=lambda f: f.in_minimal_sets).id
    with database.reading() as session:
        all_lines = features.list_prompts(session, audit_id, feature, limit=500).items
        in_sets = features.list_prompts(session, audit_id, feature, in_minimal_set=True, limit=500).items
        assert in_sets == [line for line in all_lines if line.in_minimal_set] != []
        harmful = features.list_prompts(session, audit_id, feature, label="harmful", split="test", limit=500).items
        assert harmful == [line for line in all_lines if (line.label, line.split) == ("harmful", "test")]
        assert features.list_prompts(session, audit_id, feature, woke=True, limit=500).items == [
            line for line in all_lines if line.woke
        ]
        first = features.list_prompts(session, audit_id, feature, sort="effect", limit=2)
        second = features.list_prompts(session, audit_id, feature, limit=500, cursor=first.next_cursor)
    effects = [line.effect for line in first.items + second.items]
    assert effects == sorted(effects, key=lambda e: (e is None, e))
    assert len(effects) == len(all_lines)


def test_contexts_are_the_strongest_prompts_token_by_token(database: Database, audit_id: str, report: Report) -> None:
    feature = max(report.features, key=lambda f: f.coverage_harmful.value or 0.0).id
    with database.reading() as session:
        found = features.contexts(session, audit_id, feature, limit=3)

    by_id = {prompt.id: prompt for prompt in report.prompts}
    peaks = sorted(max(v for _, v in p.activations[feature]) for p in by_id.values() if feature in p.activations)
    assert [max(context.activations) for context in found] == pytest.approx(peaks[::-1][:3], abs=1e-6)
    for context in found:
        prompt = by_id[context.prompt_id]
        assert prompt.tokens is not None
        assert (context.label, context.tokens, context.classes) == (
            prompt.label, list(prompt.tokens.texts), list(prompt.tokens.classes),
        )  # fmt: skip
        active = {i: value for i, value in enumerate(context.activations) if value}
        assert active == pytest.approx(dict(prompt.activations[feature]), abs=1e-6)


def test_categories_are_shares_of_harmful_prompts(database: Database, audit_id: str, report: Report) -> None:
    feature = max(report.features, key=lambda f: f.coverage_harmful.value or 0.0).id
    by_category: dict[str, list[bool]] = {}
    for prompt in report.prompts:
        if prompt.label == "harmful":
            by_category.setdefault(prompt.category or "", []).append(bool(prompt.activations.get(feature)))
    with database.reading() as session:
        found = features.categories(session, audit_id, feature)
        assert found == {category: pytest.approx(sum(on) / len(on)) for category, on in by_category.items()}
        assert list(found.values()) == sorted(found.values(), reverse=True)
        unknown = features.categories(session, audit_id, "99:9")
    assert unknown == dict.fromkeys(by_category, 0.0)


def test_a_report_without_activations_claims_none(database: Database, report: Report) -> None:
    old = replace(report, prompts=tuple(replace(p, activations={}, tokens=None) for p in report.prompts))
    with database.transaction() as session:
        audit = new_audit(session)
        audits.store_report(session, audit.id, old, now=5.0, report_sha256=SHA)
    feature = report.features[0].id
    with database.reading() as session:
        assert features.contexts(session, audit.id, feature) == []
        assert features.categories(session, audit.id, feature) == {}
