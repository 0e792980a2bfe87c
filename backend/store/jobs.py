"""Durable jobs: leased by one worker at a time, fenced, cancellable, resumed by the next worker.

Every function is one step of a transaction that the caller commits. An audit's state is its job's: whatever changes
a job here changes the audit in the same transaction.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, delete, func, or_, select, update
from sqlalchemy.orm import Session

from backend.store.identifiers import new_id
from backend.store.insert import insert_or_keep
from backend.store.tables import AuditRow, JobRow

Tick = Literal["go_on", "cancel", "lost"]
"""What a worker must do: go on; stop, for somebody cancelled; stop at once, for another worker holds the job."""

DIED = "the worker stopped {attempts} times while it worked on this; see its log, then resume"


def submit(
    session: Session,
    kind: str,
    args: dict[str, Any],
    *,
    priority: int,
    job_id: str | None = None,
    max_attempts: int = 3,
) -> JobRow:
    """Queue work. A job of that id is kept as it is, so that submitting twice is submitting once."""
    values = {
        "id": job_id or new_id("job"),
        "kind": kind,
        "args": args,
        "state": "queued",
        "priority": priority,
        "created": time.time(),
        "attempts": 0,
        "max_attempts": max_attempts,
        "cancel": False,
    }
    insert_or_keep(session, JobRow, values)
    return session.get_one(JobRow, values["id"])


def read(session: Session, job_id: str) -> JobRow | None:
    return session.get(JobRow, job_id, populate_existing=True)


def read_many(session: Session, job_ids: Iterable[str]) -> dict[str, JobRow]:
    """Jobs by id; unknown ids are left out."""
    return {job.id: job for job in session.scalars(select(JobRow).where(JobRow.id.in_(list(job_ids))))}


def claim(
    session: Session,
    worker: str,
    lease_seconds: float,
    *,
    now: float,
    least_priority: int | None = None,
    kinds: Sequence[str] | None = None,
) -> JobRow | None:
    """Take the first job that is free: queued, or left behind by a worker whose lease ran out. None: nothing to do."""
    first = (
        select(JobRow.id)
        .where(*_free(now, least_priority, kinds))
        .order_by(JobRow.priority.desc(), JobRow.created, JobRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite's writers take turns
    )
    taken = {
        "state": "running",
        "worker": worker,
        "lease": now + lease_seconds,
        "attempts": JobRow.attempts + 1,
        "started": func.coalesce(JobRow.started, now),
    }
    return _change(session, JobRow.id == first.scalar_subquery(), taken)


def any_free(session: Session, *, now: float, least_priority: int | None = None) -> bool:
    """Whether `claim` would find a job: a look that takes no lock, for those who look often."""
    return session.scalar(select(JobRow.id).where(*_free(now, least_priority, None)).limit(1)) is not None


def tick(
    session: Session,
    job_id: str,
    worker: str,
    lease_seconds: float,
    *,
    now: float,
    progress: dict[str, Any] | None = None,
) -> Tick:
    """Heartbeat: prolong the lease, note progress, learn whether to go on."""
    changes: dict[str, Any] = {"lease": now + lease_seconds}
    if progress is not None:
        changes["progress"] = progress
    cancelled = session.scalar(
        update(JobRow).where(_held(job_id, worker)).values(changes).returning(JobRow.cancel), execution_options=UNSYNCED
    )
    if cancelled is None:
        return "lost"
    return "cancel" if cancelled else "go_on"


def credit(session: Session, job_id: str, worker: str) -> None:
    """A piece of the work is done and kept: what stopped earlier attempts is behind it, and only this one counts."""
    session.execute(
        update(JobRow).where(_held(job_id, worker), JobRow.attempts > 1).values(attempts=1), execution_options=UNSYNCED
    )


def finish(session: Session, job_id: str, worker: str, result: dict[str, Any] | None, *, now: float) -> bool:
    """The work is done. False when another worker holds the job by now: then nothing of this one's may be kept."""
    changes = {"state": "done", "result": result, "finished": now, "lease": None, "error": None}
    return _change(session, _held(job_id, worker), changes) is not None


def fail(session: Session, job_id: str, worker: str, error: str, *, now: float) -> bool:
    """The work cannot be done; error: one line. False when another worker holds the job."""
    changes = {"state": "failed", "error": error, "finished": now, "lease": None}
    return _change(session, _held(job_id, worker), changes) is not None


def mark_cancelled(session: Session, job_id: str, worker: str, *, now: float) -> bool:
    """The worker has stopped as it was told to. False when another worker holds the job."""
    changes = {"state": "cancelled", "finished": now, "lease": None}
    return _change(session, _held(job_id, worker), changes) is not None


def release(session: Session, job_id: str, worker: str) -> bool:
    """Give a job back unfinished, as if it had not been begun: the worker is being stopped, the job is not to blame."""
    changes = {
        "state": case((JobRow.cancel, "cancelled"), else_="queued"),
        "finished": case((JobRow.cancel, time.time()), else_=None),
        "attempts": JobRow.attempts - 1,
        "worker": None,
        "lease": None,
    }
    return _change(session, _held(job_id, worker), changes) is not None


def request_cancel(session: Session, job_id: str, *, now: float) -> bool:
    """Ask for the end of a job. One that no worker holds ends at once, a held one at its worker's next tick.

    False when there is no such job, or it had ended already.
    """
    unheld = or_(JobRow.state == "queued", _orphaned(now))
    changes = {
        "cancel": True,
        "state": case((unheld, "cancelled"), else_=JobRow.state),
        "finished": case((unheld, now), else_=None),
    }
    return _change(session, and_(JobRow.id == job_id, JobRow.state.in_(("queued", "running"))), changes) is not None


def discard(session: Session, job_id: str) -> None:
    """Forget a job and its result; a worker on it finds its lease lost, and nothing of it is kept."""
    session.execute(delete(JobRow).where(JobRow.id == job_id))


def sweep(session: Session, *, now: float) -> int:
    """End jobs that nobody will: their worker is gone, and they are cancelled or have no attempt left. How many."""
    given_up = and_(_orphaned(now), or_(JobRow.cancel, JobRow.attempts >= JobRow.max_attempts))
    ended = session.scalars(
        select(JobRow).where(given_up).with_for_update(skip_locked=True), execution_options=FRESH
    ).all()
    for job in ended:
        job.state, job.finished, job.lease = ("cancelled" if job.cancel else "failed"), now, None
        if not job.cancel:
            job.error = DIED.format(attempts=job.attempts)
    session.flush()
    for job in ended:
        _lead_audit(session, job)
    return len(ended)


UNSYNCED = {"synchronize_session": False}
FRESH = {"populate_existing": True}  # rows as they are, whatever the session has read before


def _free(now: float, least_priority: int | None, kinds: Sequence[str] | None) -> list[ColumnElement[bool]]:
    free = or_(JobRow.state == "queued", _orphaned(now))
    wanted = [free, ~JobRow.cancel, JobRow.attempts < JobRow.max_attempts]
    if least_priority is not None:
        wanted.append(JobRow.priority >= least_priority)
    if kinds is not None:
        wanted.append(JobRow.kind.in_(kinds))
    return wanted


def _orphaned(now: float) -> ColumnElement[bool]:
    return and_(JobRow.state == "running", JobRow.lease < now)


def _held(job_id: str, worker: str) -> ColumnElement[bool]:
    return and_(JobRow.id == job_id, JobRow.worker == worker, JobRow.state == "running")


def _change(session: Session, which: ColumnElement[bool], values: dict[str, Any]) -> JobRow | None:
    """Change the one job that matches and the audit that follows it; None when none matches."""
    statement = update(JobRow).where(which).values(values).returning(JobRow)
    job = session.scalars(statement, execution_options={**UNSYNCED, **FRESH}).first()
    if job is not None:
        _lead_audit(session, job)
    return job


def _lead_audit(session: Session, job: JobRow) -> None:
    values = {"state": job.state, "error": job.error, "finished": job.finished}
    started = func.coalesce(AuditRow.started, job.started)
    session.execute(
        update(AuditRow).where(AuditRow.job_id == job.id).values(**values, started=started), execution_options=UNSYNCED
    )
