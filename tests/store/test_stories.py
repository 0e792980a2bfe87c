"""Parts of stories as the database picks them: the same that the stories hold, of the prompts that have them."""

from backend.audit.results import Report
from backend.store import audits
from backend.store.database import Database
from backend.store.stories import cascades, perturbed
from tests.measured_reports import measured
from tests.store.rows import SHA, new_audit


def stored(database: Database, report: Report) -> str:
    with database.transaction() as session:
        audit = new_audit(session)
        audits.store_report(session, audit.id, report, now=5.0, report_sha256=SHA)
    return audit.id


def test_cascades_are_those_of_refused_test_prompts(database: Database, report: Report) -> None:
    audit_id = stored(database, report)
    with database.reading() as session:
        found = list(cascades(session, audit_id))
    theirs = [p for p in report.prompts if p.split == "test" and p.cascade is not None]
    assert [one.cascade.outcome for one in found] == [p.cascade.outcome for p in theirs if p.cascade]
    assert [len(one.single_effects) for one in found] == [len(p.single_effects) for p in theirs]
    assert [len(one.cascade.rounds) for one in found] == [len(p.cascade.rounds) for p in theirs if p.cascade]
    assert found


def test_perturbed_prompts_are_listed_one_by_one(database: Database, report: Report) -> None:
    whole = measured(report)
    audit_id = stored(database, whole)
    with database.reading() as session:
        found = list(perturbed(session, audit_id))
        row = audits.get(session, audit_id)
        assert row is not None
        summary = row.summary
    theirs = [(p.id, one.perturbation) for p in whole.prompts for one in p.perturbed]
    assert [(one.prompt_id, one.result.perturbation) for one in found] == theirs
    assert found
    assert summary is not None
    assert summary["verification"]["n_tested"] == 20
    assert summary["stability"]["n_prompts"] == 21
    assert summary["judges"]["primary"] == "phrases"


def test_an_audit_that_was_not_perturbed_lists_nothing(database: Database) -> None:
    with database.reading() as session:
        assert list(perturbed(session, "none")) == []
        assert list(cascades(session, "none")) == []
