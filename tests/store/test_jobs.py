"""The job table: who gets a job, who still holds it, and how it ends."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from backend.store import audits, jobs
from backend.store.database import Database
from backend.store.tables import JobRow
from tests.store.rows import new_audit

LEASE = 10.0
NOW = 1000.0
LATER = NOW + LEASE + 1


def submit(database: Database, job_id: str, kind: str = "audit", **settings: Any) -> None:
    with database.transaction() as session:
        jobs.submit(session, kind, {}, priority=settings.pop("priority", 0), job_id=job_id, **settings)


def claim(database: Database, worker: str = "one", now: float = NOW, **settings: Any) -> JobRow | None:
    with database.transaction() as session:
        return jobs.claim(session, worker, LEASE, now=now, **settings)


def tick(database: Database, job_id: str, worker: str = "one", now: float = NOW, **settings: Any) -> str:
    with database.transaction() as session:
        return jobs.tick(session, job_id, worker, LEASE, now=now, **settings)


def read(database: Database, job_id: str) -> JobRow:
    with database.reading() as session:
        job = jobs.read(session, job_id)
    assert job is not None
    return job


def test_a_claimed_job_is_leased_and_counted(database: Database) -> None:
    submit(database, "job")

    job = claim(database)
    assert job is not None
    assert (job.id, job.state, job.worker, job.lease, job.attempts, job.started) == (
        "job", "running", "one", NOW + LEASE, 1, NOW,
    )  # fmt: skip
    assert claim(database, "two") is None


def test_submitting_an_id_twice_is_submitting_it_once(database: Database) -> None:
    submit(database, "job")
    claim(database)
    submit(database, "job")

    assert read(database, "job").state == "running"
    assert claim(database, "two") is None


def test_the_first_of_the_highest_priority_goes_first(database: Database) -> None:
    submit(database, "early")
    submit(database, "late")
    submit(database, "urgent", priority=10)

    assert [job.id for _ in range(3) if (job := claim(database))] == ["urgent", "early", "late"]


def test_a_worker_may_ask_for_some_jobs_only(database: Database) -> None:
    submit(database, "audit", "audit")
    submit(database, "what_if", "what_if", priority=10)
    submit(database, "check", "check", priority=5)

    assert claim(database, kinds=["reveal"]) is None
    assert claim(database, least_priority=11) is None
    found = claim(database, least_priority=5, kinds=["check", "audit"])
    assert found is not None
    assert found.id == "check"


def test_a_look_tells_what_a_claim_would_find(database: Database) -> None:
    def free(now: float = NOW, least_priority: int | None = None) -> bool:
        with database.reading() as session:
            return jobs.any_free(session, now=now, least_priority=least_priority)

    assert not free()
    submit(database, "job", priority=5)
    assert free(least_priority=5)
    assert not free(least_priority=6)
    for now in (NOW, LATER, LATER + LEASE + 1):  # claimed, left behind, claimed again, until its tries are used up
        assert free(now)
        assert claim(database, now=now) is not None
        assert not free(now)
    assert not free(LATER + 10 * LEASE)


@pytest.mark.parametrize("n_threads", [8])
def test_no_job_is_claimed_twice(database: Database, n_threads: int) -> None:
    n_jobs = 60
    for i in range(n_jobs):
        submit(database, f"job-{i}")
    begin = threading.Barrier(n_threads)

    def work(number: int) -> list[str]:
        begin.wait()
        mine = []
        while (job := claim(database, f"worker-{number}")) is not None:
            mine.append(job.id)
        return mine

    with ThreadPoolExecutor(n_threads) as pool:
        claimed = [job_id for mine in pool.map(work, range(n_threads)) for job_id in mine]
    assert sorted(claimed) == sorted(f"job-{i}" for i in range(n_jobs))
    with database.reading() as session:
        kept = jobs.read_many(session, claimed)
    assert {job.attempts for job in kept.values()} == {1}


def test_nobody_else_gets_a_job_before_its_lease_has_run_out(database: Database) -> None:
    submit(database, "job")
    claim(database)

    assert claim(database, "two", now=NOW + LEASE) is None
    assert claim(database, "two", now=NOW + LEASE + 0.001) is not None


def test_a_tick_prolongs_the_lease_and_keeps_progress(database: Database) -> None:
    submit(database, "job")
    claim(database)

    assert tick(database, "job", now=NOW + 9, progress={"stage": "baseline"}) == "go_on"
    assert tick(database, "job", now=NOW + 12) == "go_on"
    job = read(database, "job")
    assert (job.lease, job.progress) == (NOW + 12 + LEASE, {"stage": "baseline"})
    assert claim(database, "two", now=LATER) is None


def test_a_worker_that_lost_its_lease_changes_nothing(database: Database) -> None:
    submit(database, "job")
    claim(database, "one")
    assert claim(database, "two", now=LATER) is not None

    with database.transaction() as session:
        assert jobs.tick(session, "job", "one", LEASE, now=LATER, progress={"stage": "old"}) == "lost"
        assert not jobs.finish(session, "job", "one", {"by": "one"}, now=LATER)
        assert not jobs.fail(session, "job", "one", "broken", now=LATER)
        assert not jobs.mark_cancelled(session, "job", "one", now=LATER)
        assert not jobs.release(session, "job", "one")
    job = read(database, "job")
    assert (job.state, job.worker, job.attempts, job.progress) == ("running", "two", 2, None)
    with database.transaction() as session:
        assert jobs.finish(session, "job", "two", {"by": "two"}, now=LATER)
        assert not jobs.finish(session, "job", "two", {"by": "two, again"}, now=LATER)
    assert read(database, "job").result == {"by": "two"}


def test_the_job_of_a_deleted_audit_is_lost(database: Database) -> None:
    assert tick(database, "gone") == "lost"


def test_a_failed_job_says_why_and_is_not_tried_again(database: Database) -> None:
    submit(database, "job")
    claim(database)
    with database.transaction() as session:
        assert jobs.fail(session, "job", "one", "no SAE for layer 3", now=NOW + 1)

    job = read(database, "job")
    assert (job.state, job.error, job.finished) == ("failed", "no SAE for layer 3", NOW + 1)
    assert claim(database, now=LATER) is None


def test_a_queued_job_is_cancelled_at_once(database: Database) -> None:
    submit(database, "job")
    with database.transaction() as session:
        assert jobs.request_cancel(session, "job", now=NOW)

    assert (read(database, "job").state, read(database, "job").finished) == ("cancelled", NOW)
    assert claim(database) is None


def test_a_running_job_is_cancelled_by_its_worker(database: Database) -> None:
    submit(database, "job")
    claim(database)
    with database.transaction() as session:
        assert jobs.request_cancel(session, "job", now=NOW)
    assert (read(database, "job").state, read(database, "job").finished) == ("running", None)

    assert tick(database, "job") == "cancel"
    with database.transaction() as session:
        assert jobs.mark_cancelled(session, "job", "one", now=NOW + 2)
    assert read(database, "job").state == "cancelled"


def test_an_orphaned_job_is_cancelled_at_once(database: Database) -> None:
    submit(database, "job")
    claim(database)
    with database.transaction() as session:
        assert jobs.request_cancel(session, "job", now=LATER)

    assert read(database, "job").state == "cancelled"
    assert tick(database, "job", now=LATER) == "lost"


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_what_has_ended_cannot_be_cancelled(database: Database, end: str) -> None:
    submit(database, "job")
    claim(database)
    with database.transaction() as session:
        if end == "done":
            jobs.finish(session, "job", "one", None, now=NOW)
        elif end == "failed":
            jobs.fail(session, "job", "one", "why", now=NOW)
        else:
            jobs.mark_cancelled(session, "job", "one", now=NOW)
        assert not jobs.request_cancel(session, "job", now=LATER)
        assert not jobs.request_cancel(session, "no such job", now=LATER)
    assert read(database, "job").state == end


def test_a_released_job_goes_back_uncounted(database: Database) -> None:
    submit(database, "job", max_attempts=1)
    claim(database)
    with database.transaction() as session:
        assert jobs.release(session, "job", "one")

    job = read(database, "job")
    assert (job.state, job.worker, job.lease, job.attempts) == ("queued", None, None, 0)
    assert claim(database, "two") is not None


def test_a_job_cancelled_while_its_worker_stops_does_not_wait_for_ever(database: Database) -> None:
    submit(database, "job")
    claim(database)
    with database.transaction() as session:
        jobs.request_cancel(session, "job", now=NOW)
        jobs.release(session, "job", "one")

    assert read(database, "job").state == "cancelled"


def test_attempts_are_limited_and_the_sweeper_says_so(database: Database) -> None:
    submit(database, "job", max_attempts=2)
    claim(database)
    with database.transaction() as session:
        assert jobs.sweep(session, now=LATER) == 0  # one attempt is left: the next worker takes it
    assert claim(database, now=LATER) is not None
    much_later = LATER + LEASE + 1
    assert claim(database, now=much_later) is None
    with database.transaction() as session:
        assert jobs.sweep(session, now=LATER) == 0  # its lease runs
        assert jobs.sweep(session, now=much_later) == 1
        assert jobs.sweep(session, now=much_later) == 0

    job = read(database, "job")
    assert (job.state, job.finished) == ("failed", much_later)
    assert job.error is not None
    assert "stopped 2 times" in job.error


def test_the_sweeper_ends_what_was_cancelled_and_left_behind(database: Database) -> None:
    submit(database, "job")
    claim(database)
    with database.transaction() as session:
        jobs.request_cancel(session, "job", now=NOW)
    assert claim(database, "two", now=LATER) is None  # nobody takes up what was cancelled
    with database.transaction() as session:
        assert jobs.sweep(session, now=LATER) == 1

    assert (read(database, "job").state, read(database, "job").error) == ("cancelled", None)


def test_progress_buys_back_the_attempts_of_those_before(database: Database) -> None:
    submit(database, "job", max_attempts=2)
    claim(database, "one")
    claim(database, "two", now=LATER)
    with database.transaction() as session:
        jobs.credit(session, "job", "one")
    assert read(database, "job").attempts == 2  # the lost one's progress counts for nothing
    with database.transaction() as session:
        jobs.credit(session, "job", "two")
    assert read(database, "job").attempts == 1
    assert claim(database, "three", now=LATER + LEASE + 1) is not None


def test_a_discarded_job_is_gone_and_its_worker_has_lost_it(database: Database) -> None:
    submit(database, "job")
    claim(database)
    with database.transaction() as session:
        jobs.discard(session, "job")
        assert jobs.read(session, "job") is None
        assert jobs.tick(session, "job", "one", LEASE, now=NOW) == "lost"


def test_an_audit_is_in_the_state_of_its_job(database: Database) -> None:
    with database.transaction() as session:
        audit = new_audit(session)
        job = audits.enqueue(session, audit.id, {"device": "cpu"})
    assert job.args == {"device": "cpu", "audit_id": audit.id}

    def state() -> tuple[str, float | None, float | None, str | None]:
        with database.reading() as session:
            row = audits.get(session, audit.id)
        assert row is not None
        return row.state, row.started, row.finished, row.error

    assert state() == ("queued", None, None, None)
    claim(database)
    assert state() == ("running", NOW, None, None)
    with database.transaction() as session:
        jobs.release(session, job.id, "one")
    assert state() == ("queued", NOW, None, None)
    claim(database, now=LATER)
    with database.transaction() as session:
        jobs.request_cancel(session, job.id, now=LATER + 1)
        assert state()[0] == "running"
        jobs.mark_cancelled(session, job.id, "one", now=LATER + 2)
    assert state() == ("cancelled", NOW, LATER + 2, None)
    with database.transaction() as session:
        again = audits.enqueue(session, audit.id, {})
    assert state() == ("queued", NOW, None, None)
    with database.transaction() as session:
        jobs.claim(session, "two", LEASE, now=LATER + 3)
        jobs.fail(session, again.id, "two", "why", now=LATER + 4)
    assert state() == ("failed", NOW, LATER + 4, "why")
    with database.transaction() as session:
        last = audits.enqueue(session, audit.id, {}).id
        jobs.request_cancel(session, last, now=LATER + 5)
    assert state() == ("cancelled", NOW, LATER + 5, None)


def test_a_swept_job_takes_its_audit_along(database: Database) -> None:
    with database.transaction() as session:
        audit = new_audit(session)
        audits.enqueue(session, audit.id, {})
        for attempt in range(3):
            jobs.claim(session, f"worker-{attempt}", LEASE, now=NOW + 100 * attempt)
        jobs.sweep(session, now=NOW + 1000)
    with database.reading() as session:
        row = audits.get(session, audit.id)
    assert row is not None
    assert (row.state, row.finished) == ("failed", NOW + 1000)
    assert row.error is not None
