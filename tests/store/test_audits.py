"""Audits: made, listed, answered and deleted with all that hangs on them."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.audit.results import Report
from backend.errors import BadInput
from backend.reports.report_json import report_from_json, report_to_json
from backend.store import audits, jobs, links, reveals, saved_sets, shards
from backend.store.database import Database
from backend.store.tables import ArtifactRow, AuditRow, FeaturePromptRow, FeatureRow, JobRow, PromptResultRow, Table
from tests.store.rows import SHA, new_audit

KILLED = """
import os, signal, sys
from pathlib import Path
from backend.reports.report_json import report_from_json
from backend.store import audits
from backend.store.database import Database

folder, url, audit_id = sys.argv[1:]
report = report_from_json(Path(folder, "report.json").read_text("utf-8"))
database = Database.open(url, Path(folder))
with database.transaction() as session:
    digest = database.artifacts.put(session, b"token ids", "application/octet-stream")
    audits.store_report(session, audit_id, report, now=5.0, report_sha256="0" * 64, completions_sha256=digest)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def counts(database: Database) -> dict[str, int]:
    with database.reading() as session:
        tables = Table.metadata.tables.values()
        return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def store(database: Database, report: Report, **changed: Any) -> AuditRow:
    with database.transaction() as session:
        audit = new_audit(session, **changed)
        content = report_to_json(report).encode()
        digest = database.artifacts.put(session, content, "application/json")
        return audits.store_report(session, audit.id, report, now=5.0, report_sha256=digest)


def test_a_stored_report_is_all_there(database: Database, report: Report) -> None:
    row = store(database, report)

    written = json.loads(report_to_json(report))
    lists = {"prompts": written.pop("prompts"), "features": written.pop("features")}
    with database.reading() as session:
        found = audits.get(session, row.id)
        assert found is not None
        assert (found.state, found.finished, found.summary) == ("done", 5.0, written)
        stories = select(PromptResultRow.story).order_by(PromptResultRow.position)
        assert session.scalars(stories).all() == lists["prompts"]
        records = session.scalars(select(FeatureRow.record).order_by(FeatureRow.layer, FeatureRow.number)).all()
        assert records == lists["features"]
        assert found.report_sha256 is not None
        with database.artifacts.open(found.report_sha256) as file:
            assert json.load(file)["report_card"] == written["report_card"]
    card = written["report_card"]
    assert (found.refusal_rate, found.over_refusal_rate, found.minimal_set_size) == (
        card["refusal_rate"]["value"], card["over_refusal_rate"]["value"], card["minimal_set_size"]["value"],
    )  # fmt: skip
    assert (found.flipped_minimal, found.flipped_random, found.flipped_direction) == tuple(
        card["flipped"][arm]["value"] for arm in ("minimal", "random", "direction")
    )


def test_a_report_read_back_from_its_file_gives_equal_rows(database: Database, report: Report) -> None:
    here = store(database, report)
    there = store(database, report_from_json(report_to_json(report)), origin="import")

    def rows(table: type[Table], audit_id: str) -> list[dict[str, Any]]:
        columns = [c for c in table.__table__.columns if c.name != "audit_id"]
        with database.reading() as session:
            found = session.execute(select(*columns).where(table.audit_id == audit_id))  # type: ignore[attr-defined]
            return sorted((dict(row._mapping) for row in found), key=str)

    for table in (PromptResultRow, FeatureRow, FeaturePromptRow):
        assert rows(table, here.id) == rows(table, there.id) != []
    assert here.summary == there.summary


def test_storing_twice_doubles_no_row_and_leaves_none_behind(database: Database, report: Report) -> None:
    row = store(database, report)
    before = counts(database)
    with database.transaction() as session:
        audits.store_report(session, row.id, report, now=6.0, report_sha256=SHA)
    assert counts(database) == before

    with database.transaction() as session:
        less = replace(report, prompts=report.prompts[:2], features=report.features[:3])
        audits.store_report(session, row.id, less, now=7.0, report_sha256=SHA)
    after = counts(database)
    assert (after["prompt_results"], after["features"]) == (2, 3)
    assert after["feature_prompts"] <= 6


def test_a_crash_while_storing_leaves_nothing_half_written(database: Database, report: Report, tmp_path: Path) -> None:
    before = counts(database)
    twice = replace(report, prompts=(*report.prompts, report.prompts[0]))  # the last row cannot be written
    with pytest.raises(Exception, match=r"(?i)unique"):
        store(database, twice)
    assert counts(database) == before


def test_a_process_killed_while_storing_leaves_nothing_that_counts(
    database: Database, report: Report, tmp_path: Path
) -> None:
    with database.transaction() as session:
        audit = new_audit(session)
    before = counts(database)
    (tmp_path / "report.json").write_text(report_to_json(report), "utf-8")
    url = database.engine.url.render_as_string(hide_password=False)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), url, audit.id], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert len([file for file in database.artifacts.folder.rglob("*") if file.is_file()]) == 1  # without its row
    assert counts(database) == before
    digest = sha256(b"token ids").hexdigest()
    with database.transaction() as session:
        assert database.artifacts.put(session, b"token ids", "application/octet-stream") == digest
        audits.store_report(session, audit.id, report, now=5.0, report_sha256=SHA, completions_sha256=digest)
    assert counts(database)["prompt_results"] == len(report.prompts)


def test_a_worker_that_lost_its_lease_stores_nothing(database: Database, report: Report) -> None:
    with database.transaction() as session:
        audit = new_audit(session)
        job = audits.enqueue(session, audit.id, {})
        jobs.claim(session, "one", 10, now=100.0)
    with database.transaction() as session:
        jobs.claim(session, "two", 10, now=200.0)
    with database.transaction() as session:
        kept = jobs.finish(session, job.id, "one", None, now=201.0)
    assert not kept
    with database.transaction() as session:
        assert jobs.finish(session, job.id, "two", None, now=202.0)
        audits.store_report(session, audit.id, report, now=202.0, report_sha256=SHA)
    with database.reading() as session:
        row = audits.get(session, audit.id)
    assert row is not None
    assert (row.state, row.started, row.finished) == ("done", 100.0, 202.0)


def test_the_latest_finished_audit_answers_a_spec(database: Database, report: Report) -> None:
    with database.reading() as session:
        assert audits.by_spec(session, SHA) is None
    with database.transaction() as session:
        new_audit(session, audit_id="queued")
        for finished, name in ((3.0, "new"), (2.0, "old")):
            audits.store_report(session, new_audit(session, audit_id=name).id, report, now=finished, report_sha256=SHA)
        new_audit(session, audit_id="other", spec_sha256="1" * 64)
        session.get_one(AuditRow, "other").state = "done"
    with database.reading() as session:
        found = audits.by_spec(session, SHA)
        assert found is not None
        assert found.id == "new"
        assert audits.by_spec(session, "2" * 64) is None


def test_audits_are_listed_by_filter_and_sort(database: Database) -> None:
    with database.transaction() as session:
        new_audit(session, audit_id="a", name="Alpha 100%", created=1.0)
        new_audit(session, audit_id="b", name="Beta", created=2.0, subject_id="smollm2-135m-sft", origin="example")
        new_audit(session, audit_id="c", name="gamma_1", created=3.0, prompt_set="bundled:demo")
        session.get_one(AuditRow, "c").state = "failed"
        session.get_one(AuditRow, "b").refusal_rate = 0.5

    def listed(**asked: Any) -> list[str]:
        with database.reading() as session:
            return [row.id for row in audits.list_audits(session, **asked).items]

    assert listed() == ["c", "b", "a"]
    assert listed(sort="name") == ["a", "b", "c"]
    assert listed(sort="refusal_rate", descending=True) == ["b", "c", "a"]
    assert listed(subject="smollm2-135m-sft") == ["b"]
    assert listed(prompt_set="bundled:demo") == ["c"]
    assert listed(state="failed") == ["c"]
    assert listed(origin="example") == ["b"]
    assert listed(text="BETA") == ["b"]
    assert listed(text="0%") == ["a"]  # not a pattern
    assert listed(text="a_1") == ["c"]
    assert listed(text="_") == ["c"]


def test_renaming(database: Database) -> None:
    with database.transaction() as session:
        audit = new_audit(session)
        assert audits.rename(session, "none", "x") is None
        audits.rename(session, audit.id, "<b>new</b>")
    with database.reading() as session:
        row = audits.get(session, audit.id)
    assert row is not None
    assert row.name == "<b>new</b>"


def test_deleting_takes_everything_of_the_audit_and_nothing_of_others(database: Database, report: Report) -> None:
    other = store(database, report, name="other")
    with database.transaction() as session:
        shards.save(session, "baseline-1", b"{}", audit_id=other.id)
        jobs.submit(session, "what_if", {"audit_id": other.id}, priority=10)
        links.create(session, other.id, label="", created=1.0, expires=2.0)
    before = counts(database)
    row = store(database, report)
    with database.transaction() as session:
        shards.save(session, "baseline-2", b"{}", audit_id=row.id)
        audits.enqueue(session, row.id, {})
        jobs.submit(session, "what_if", {"audit_id": row.id}, priority=10)
        links.create(session, row.id, label="", created=1.0, expires=2.0)
        reveals.add(session, row.id, "p", completion="p/baseline", reader="127.0.0.1", created=1.0)
        saved_sets.add(session, row.id, "p", name="mine", intervention={"features": []}, created=1.0)
    assert counts(database) != before

    with database.transaction() as session:
        assert audits.delete(session, row.id)
    assert counts(database) == before
    with database.transaction() as session:
        assert not audits.delete(session, row.id)


def test_deleting_removes_artifacts_that_no_other_audit_names(database: Database, report: Report) -> None:
    shared = store(database, report)
    with database.transaction() as session:
        audit = new_audit(session)
        completions = database.artifacts.put(session, b"token ids", "application/octet-stream")
        assert shared.report_sha256 is not None
        audits.store_report(
            session, audit.id, report, now=5.0, report_sha256=shared.report_sha256, completions_sha256=completions
        )
    with database.transaction() as session:
        audits.delete(session, audit.id)
    assert not database.artifacts.exists(completions)
    assert database.artifacts.exists(shared.report_sha256)
    with database.reading() as session:
        assert session.scalars(select(ArtifactRow.sha256)).all() == [shared.report_sha256]

    with database.transaction() as session:
        audits.delete(session, shared.id)
    assert not database.artifacts.exists(shared.report_sha256)


def test_a_deletion_undone_keeps_the_artifacts(database: Database, report: Report) -> None:
    row = store(database, report)
    assert row.report_sha256 is not None

    def delete_and_fail() -> None:
        with database.transaction() as session:
            audits.delete(session, row.id)
            raise KeyError

    with pytest.raises(KeyError):
        delete_and_fail()
    assert database.artifacts.exists(row.report_sha256)
    assert counts(database)["artifacts"] == 1


def test_an_audit_has_one_job_at_a_time(database: Database) -> None:
    with database.transaction() as session:
        audit = new_audit(session)
        job = audits.enqueue(session, audit.id, {})
        with pytest.raises(BadInput, match="it is queued already"):
            audits.enqueue(session, audit.id, {})
        jobs.claim(session, "one", 10, now=100.0)
        with pytest.raises(BadInput, match="it is running already"):
            audits.enqueue(session, audit.id, {})
        jobs.fail(session, job.id, "one", "why", now=101.0)
        assert audits.enqueue(session, audit.id, {}).id != job.id


def test_the_worker_of_a_deleted_audit_finds_its_lease_lost(database: Database) -> None:
    with database.transaction() as session:
        audit = new_audit(session)
        job = audits.enqueue(session, audit.id, {})
        jobs.claim(session, "one", 10, now=100.0)
    with database.transaction() as session:
        audits.delete(session, audit.id)
    with database.transaction() as session:
        assert jobs.tick(session, job.id, "one", 10, now=101.0) == "lost"
        assert session.scalars(select(JobRow.id)).all() == []
