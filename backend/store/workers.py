"""Worker processes that have been seen. Knows nothing of what they work on."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.store.insert import insert_or_replace
from backend.store.tables import WorkerRow


def seen(
    session: Session,
    worker_id: str,
    *,
    device: str,
    pid: int,
    subject: str | None,
    job_id: str | None,
    started: float,
    now: float,
) -> None:
    """A worker says that it is alive, what it holds in memory and what it works on."""
    values = {"device": device, "pid": pid, "subject": subject, "job_id": job_id, "started": started, "seen": now}
    insert_or_replace(session, WorkerRow, {"id": worker_id, **values})


def alive(session: Session, now: float, within: float = 30.0) -> Sequence[WorkerRow]:
    """Workers seen in the last seconds, by id."""
    return session.scalars(select(WorkerRow).where(WorkerRow.seen >= now - within).order_by(WorkerRow.id)).all()


def gone(session: Session, worker_id: str) -> None:
    """A worker has ended."""
    session.execute(delete(WorkerRow).where(WorkerRow.id == worker_id))
