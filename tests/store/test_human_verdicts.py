"""Persons' verdicts: only ever added, each with what counted before it; counts beside the report, never in it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from backend.audit.results import Disagreement, Judges, PromptResult, Report
from backend.store import audits, human_verdicts, prompt_results
from backend.store.database import Database
from backend.store.human_verdicts import CountPair
from backend.store.tables import HumanVerdictRow
from tests.store.rows import SHA, new_audit


@pytest.fixture
def differing(report: Report) -> Report:
    """The same with three disagreements, two of them of one prompt."""
    prompts = [p for p in report.prompts if p.minimal_sets][:2]
    rows = [(prompts[0].id, "baseline"), (prompts[0].id, "direction"), (prompts[1].id, "baseline")]
    found = tuple(Disagreement(p, arm, f"{p}/{arm}", {"phrases": "refused", "yes": "complied"}) for p, arm in rows)
    return replace(report, judges=Judges("phrases", (), 9, found, {}, {}))


@pytest.fixture
def audit_id(database: Database, differing: Report) -> str:
    with database.transaction() as session:
        audit = new_audit(session)
        audits.store_report(session, audit.id, differing, now=5.0, report_sha256=SHA)
        other = new_audit(session)
        audits.store_report(session, other.id, differing, now=5.0, report_sha256=SHA)
    say(database, other.id, differing.prompts[0].id, verdict="complied")  # of another audit: never in a list
    return audit.id


def say(
    database: Database, audit_id: str, prompt_id: str, arm: str = "baseline", verdict: str = "complied", at: float = 1.0
) -> HumanVerdictRow | None:
    with database.transaction() as session:
        prompt = prompt_results.get(session, audit_id, prompt_id)
        assert prompt is not None
        return human_verdicts.add(
            session, prompt, arm, verdict=verdict, author="Ann", reason="read it", created=at
        )  # fmt: skip


def flipped_test_prompts(report: Report) -> list[PromptResult]:
    return [p for p in report.prompts if p.split == "test" and any(s.confirmed for s in p.minimal_sets)]


def test_a_changed_mind_is_added_and_nothing_overwritten(database: Database, audit_id: str, report: Report) -> None:
    prompt = flipped_test_prompts(report)[0].id
    first = say(database, audit_id, prompt, verdict="complied", at=2.0)
    second = say(database, audit_id, prompt, verdict="incoherent", at=1.0)  # a clock set back changes no order
    assert first is not None
    assert second is not None
    assert (first.number, first.judged, first.old, first.verdict) == (1, "refused", "refused", "complied")
    assert (second.number, second.judged, second.old, second.verdict) == (2, "refused", "complied", "incoherent")
    with database.reading() as session:
        listed = human_verdicts.list_verdicts(session, audit_id)
        latest = human_verdicts.latest(session, audit_id)
        assert human_verdicts.last_number(session, audit_id) == 2
    assert [row.number for row in listed.items] == [2, 1]
    assert [(row.author, row.reason) for row in listed.items] == [("Ann", "read it")] * 2
    assert {key: row.verdict for key, row in latest.items()} == {(prompt, "baseline"): "incoherent"}


def test_an_arm_without_a_completion_takes_no_verdict(database: Database, audit_id: str, report: Report) -> None:
    assert say(database, audit_id, report.prompts[0].id, "no such arm") is None
    found = flipped_test_prompts(report)[0]
    arm = found.minimal_sets[0].response.tokens.removeprefix(f"{found.id}/")
    kept = say(database, audit_id, found.id, arm, "incoherent")
    assert kept is not None
    assert (kept.judged, kept.old) == ("complied", "complied")


def test_disagreements_carry_the_verdict_that_counts(database: Database, audit_id: str, differing: Report) -> None:
    assert differing.judges is not None
    first, second, third = differing.judges.disagreements
    say(database, audit_id, second.prompt, second.arm, "refused")
    say(database, audit_id, second.prompt, second.arm, "incoherent")
    with database.reading() as session:
        whole = human_verdicts.list_disagreements(session, audit_id)
        of_one = human_verdicts.list_disagreements(session, audit_id, prompt_id=third.prompt)
        page = human_verdicts.list_disagreements(session, audit_id, limit=2)
        rest = human_verdicts.list_disagreements(session, audit_id, limit=2, cursor=page.next_cursor)
    assert [(row.prompt_id, row.arm, row.completion, row.verdicts) for row, _ in whole.items] == [
        (d.prompt, d.arm, d.tokens, d.verdicts) for d in (first, second, third)
    ]
    assert [said and said.verdict for _, said in whole.items] == [None, "incoherent", None]
    assert ([row.position for row, _ in of_one.items], of_one.total) == ([2], 1)
    assert [row.position for row, _ in (*page.items, *rest.items)] == [0, 1, 2]


def test_counts_stand_beside_the_judge_s(database: Database, audit_id: str, report: Report) -> None:
    flips = flipped_test_prompts(report)
    harmful = [p for p in report.prompts if p.split == "test" and p.label == "harmful"]
    refused = sum(p.baseline.response.verdict == "refused" for p in harmful)
    audited = sum(p.controls is not None for p in harmful)
    with database.reading() as session:
        before = human_verdicts.counts(session, audit_id)
        summary = audits.get(session, audit_id).summary  # type: ignore[union-attr]
    assert before["baseline.refusal_rate"] == CountPair(refused, refused, len(harmful), len(harmful))
    assert before["report_card.flipped.minimal"] == CountPair(len(flips), len(flips), audited, audited)
    assert len(flips) >= 3

    lost, gone = flips[0], flips[1]
    for one in lost.minimal_sets:  # no set of it complied after all
        say(database, audit_id, lost.id, one.response.tokens.removeprefix(f"{lost.id}/"), "incoherent")
    say(database, audit_id, gone.id, verdict="complied")  # never refused: in no count of flips
    with database.reading() as session:
        after = human_verdicts.counts(session, audit_id)
        assert audits.get(session, audit_id).summary == summary  # type: ignore[union-attr]
    assert after["baseline.refusal_rate"] == CountPair(refused, refused - 1, len(harmful), len(harmful))
    assert after["report_card.flipped.minimal"] == CountPair(len(flips), len(flips) - 2, audited, audited - 1)


def test_a_look_alike_called_refused_is_over_refusal(database: Database, audit_id: str, report: Report) -> None:
    alike = [p for p in report.prompts if p.split == "test" and p.label == "look_alike"]
    with database.reading() as session:
        before = human_verdicts.counts(session, audit_id)["baseline.over_refusal_rate"]
    complied = [p for p in alike if p.baseline.response.verdict == "complied"]
    if not complied:
        assert before == CountPair(0, 0, 0, 0)
        return
    say(database, audit_id, complied[0].id, verdict="refused")
    with database.reading() as session:
        after = human_verdicts.counts(session, audit_id)["baseline.over_refusal_rate"]
    assert after == replace(before, corrected=before.corrected + 1)


def test_verdicts_given_at_once_are_all_kept(database: Database, audit_id: str, report: Report) -> None:
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda i: say(database, audit_id, report.prompts[0].id, at=float(i)), range(8)))
    assert sorted(row.number for row in rows if row is not None) == list(range(1, 9))


def test_verdicts_outlive_a_report_worked_out_anew_and_go_with_the_audit(
    database: Database, audit_id: str, report: Report
) -> None:
    say(database, audit_id, report.prompts[0].id)
    with database.transaction() as session:
        audits.store_report(session, audit_id, report, now=6.0, report_sha256=SHA)
        assert human_verdicts.list_verdicts(session, audit_id).total == 1
        assert human_verdicts.list_disagreements(session, audit_id).total == 0  # this one has no second judge
    with database.transaction() as session:
        assert audits.delete(session, audit_id)
        assert human_verdicts.list_verdicts(session, audit_id).total == 0
