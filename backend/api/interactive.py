"""Questions to a worker that somebody waits for. Knows jobs and time; knows no question's meaning."""

import time
from typing import Any

import anyio
import anyio.to_thread

from backend.api.problem import TookTooLong, Unavailable, Unprocessable
from backend.jobs.requests import PRIORITY, Args, JobKind
from backend.store import jobs, workers
from backend.store.database import Database
from backend.store.tables import JobRow

WAIT_SECONDS = 10.0
LOOK_EVERY = 0.03  # seconds
NOT_ASKED_WELL = ("internal error", "out of memory")  # how the worker begins to say that it is not the question's fault


async def ask(database: Database, kind: JobKind, args: Args, wait: float = WAIT_SECONDS) -> JobRow:
    """Submit a job and wait for its result. No database connection is held meanwhile.

    Raises Unavailable when no worker lives or it failed, Unprocessable when it refused the question, TookTooLong with
    the job's id.
    """
    job_id = await anyio.to_thread.run_sync(_submit, database, kind, args.model_dump())
    deadline = time.monotonic() + wait
    while True:
        job = await anyio.to_thread.run_sync(_read, database, job_id)
        if job is None or job.state == "cancelled":
            raise Unavailable("The question was withdrawn before it was answered; ask again")
        if job.state == "done":
            return job
        if job.state == "failed":
            failure = job.error or "the worker gave no reason"
            raise (Unavailable if failure.startswith(NOT_ASKED_WELL) else Unprocessable)(failure)
        if time.monotonic() > deadline:
            raise TookTooLong(
                f"job {job_id}: not answered in {wait:.0f} s, the worker may be loading the subject; it goes on",
                errors=[{"job": job_id}],
            )
        await anyio.sleep(LOOK_EVERY)


def _submit(database: Database, kind: JobKind, args: dict[str, Any]) -> str:
    with database.transaction() as session:
        if not workers.alive(session, time.time()):
            raise Unavailable("No worker is running to answer this; finished results can still be read")
        return jobs.submit(session, kind, args, priority=PRIORITY[kind], max_attempts=1).id


def _read(database: Database, job_id: str) -> JobRow | None:
    with database.reading() as session:
        return jobs.read(session, job_id)
