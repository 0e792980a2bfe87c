"""Prompts of an audit: their lines say what the stories hold, and no list reads a story."""

from collections import Counter

import pytest
from sqlalchemy.exc import InvalidRequestError

from backend.audit.results import Report
from backend.store import audits, prompt_results
from backend.store.database import Database
from backend.store.distributions import distributions
from tests.store.rows import SHA, new_audit


@pytest.fixture
def audit_id(database: Database, report: Report) -> str:
    with database.transaction() as session:
        audit = new_audit(session)
        audits.store_report(session, audit.id, report, now=5.0, report_sha256=SHA)
        audits.store_report(session, new_audit(session).id, report, now=5.0, report_sha256=SHA)  # never in a list
    return audit.id


def test_lines_are_in_the_audit_s_order_and_carry_no_story(database: Database, audit_id: str, report: Report) -> None:
    with database.reading() as session:
        page = prompt_results.list_prompts(session, audit_id, limit=500)
        with pytest.raises(InvalidRequestError):
            _ = page.items[0].story

    assert [line.prompt_id for line in page.items] == [prompt.id for prompt in report.prompts]
    assert page.total == len(report.prompts)


def test_a_line_says_what_its_story_holds(database: Database, audit_id: str, report: Report) -> None:
    audited = [prompt for prompt in report.prompts if prompt.controls is not None and prompt.minimal_sets]
    assert audited
    for prompt in audited:
        with database.reading() as session:
            line = prompt_results.get(session, audit_id, prompt.id)
        assert line is not None
        assert prompt.controls is not None
        sizes = [len(found.features) for found in prompt.minimal_sets if found.confirmed]
        random = prompt.controls.random
        assert (line.text, line.label, line.category, line.split) == (
            prompt.text, prompt.label, prompt.category, prompt.split,
        )  # fmt: skip
        assert line.verdict == "refused"
        assert line.score == pytest.approx(prompt.baseline.score, abs=1e-6)
        assert line.outcome == ("flipped" if sizes else "unconfirmed")
        assert line.set_size == min(sizes, default=None)
        assert line.random_flips == (random.n_flipped / random.n_draws if random else None)
        assert line.flipped_direction is prompt.controls.direction.flipped
        assert line.depth == (prompt.cascade.depth if prompt.cascade else None)
        assert line.story["id"] == prompt.id


def test_a_prompt_that_was_not_audited_has_its_verdict(database: Database, audit_id: str, report: Report) -> None:
    plain = [prompt for prompt in report.prompts if prompt.controls is None]
    assert plain
    with database.reading() as session:
        for prompt in plain:
            line = prompt_results.get(session, audit_id, prompt.id)
            assert line is not None
            assert line.outcome == line.verdict == prompt.baseline.response.verdict
            assert (line.set_size, line.k, line.random_flips, line.flipped_direction) == (None, None, None, None)


def test_unknown_prompts_and_audits_have_nothing(database: Database, audit_id: str) -> None:
    with database.reading() as session:
        assert prompt_results.get(session, audit_id, "none") is None
        assert prompt_results.list_prompts(session, "none").items == []


@pytest.mark.parametrize("field", ["label", "split", "verdict", "outcome", "set_size", "category"])
def test_filters_agree_with_a_count_by_hand(database: Database, audit_id: str, field: str) -> None:
    with database.reading() as session:
        lines = prompt_results.list_prompts(session, audit_id, limit=500).items
        values = {value for line in lines if (value := getattr(line, field)) is not None}
        assert values
        for value in values:
            found = prompt_results.list_prompts(session, audit_id, **{field: value}, limit=500)
            assert [line.prompt_id for line in found.items] == [
                line.prompt_id for line in lines if getattr(line, field) == value
            ]


def test_text_is_found_as_it_is_written(database: Database, audit_id: str, report: Report) -> None:
    words = report.prompts[0].text
    with database.reading() as session:
        assert prompt_results.list_prompts(session, audit_id, text=words.upper()).total >= 1
        assert prompt_results.list_prompts(session, audit_id, text="%").total == 0


def test_neighbours_are_those_of_the_audit_s_order(database: Database, audit_id: str, report: Report) -> None:
    ids = [None, *(prompt.id for prompt in report.prompts), None]
    with database.reading() as session:
        for before, here, after in zip(ids, ids[1:], ids[2:], strict=False):
            assert here is not None
            row = prompt_results.get(session, audit_id, here)
            assert row is not None
            assert prompt_results.neighbours(session, row) == (before, after)


def test_prompts_are_counted_by_label(database: Database, audit_id: str, report: Report) -> None:
    with database.reading() as session:
        assert prompt_results.count_by_label(session, audit_id) == Counter(p.label for p in report.prompts)


def test_distributions_agree_with_a_count_by_hand(database: Database, audit_id: str, report: Report) -> None:
    with database.reading() as session:
        lines = prompt_results.list_prompts(session, audit_id, limit=500).items
        found = distributions(session, audit_id)

    for counted, column in ((found.set_sizes, "set_size"), (found.depths, "depth")):
        by_hand = Counter((line.split, value) for line in lines if (value := getattr(line, column)) is not None)
        assert {(split, value): n for split, part in counted.items() for value, n in part.items()} == by_hand != {}
    assert {(part.category, outcome): n for part in found.slices for outcome, n in part.counts.items()} == Counter(
        (line.category or "", line.outcome) for line in lines
    )
    assert found.never_flipped == tuple(line.prompt_id for line in lines if line.outcome == "not_flipped")
    for use in found.layers:
        there = [feature for feature in report.features if feature.id.startswith(f"{use.layer}:")]
        assert use.n_candidates == len(there) > 0
        assert use.best_cosine == pytest.approx(max(feature.cosine for feature in there), abs=1e-6)
        assert use.in_minimal_sets == sum(feature.in_minimal_sets for feature in there)
        assert use.woken == sum(feature.woken for feature in there)
    assert sum(use.n_candidates for use in found.layers) == len(report.features)


def test_an_audit_without_results_has_empty_distributions(database: Database) -> None:
    with database.reading() as session:
        found = distributions(session, "none")
    assert (found.set_sizes, found.depths, found.slices, found.layers, found.never_flipped) == ({}, {}, (), (), ())
