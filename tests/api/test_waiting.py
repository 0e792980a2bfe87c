"""Waiting for a worker: how long, and what is left when it was too long."""

import time

import anyio
import pytest

from backend.api.interactive import ask
from backend.api.problem import TookTooLong, Unavailable, Unprocessable
from backend.jobs.requests import RevealArgs
from backend.store import jobs, workers
from backend.store.database import Database
from tests.api.site import Site

ARGS = RevealArgs(audit_id="a", prompt_id="p", completion="p/x")
ME = "worker_of_the_test"


def arrive(database: Database) -> None:
    """A worker that is there and does nothing of itself."""
    now = time.time()
    with database.transaction() as session:
        workers.seen(session, ME, device="cpu", pid=1, subject=None, job_id=None, started=now, now=now)


async def answered(site: Site, end: str) -> object:
    """Ask while somebody takes the job and ends it so."""

    async def work() -> None:
        while True:
            with site.database.transaction() as session:
                job = jobs.claim(session, ME, 10.0, now=time.time())
                if job is not None:
                    if end == "done":
                        jobs.finish(session, job.id, ME, {"text": "words"}, now=time.time())
                    elif end == "cancelled":
                        jobs.mark_cancelled(session, job.id, ME, now=time.time())
                    else:
                        jobs.fail(session, job.id, ME, end, now=time.time())
                    return
            await anyio.sleep(0.01)

    result: list[object] = []
    async with anyio.create_task_group() as group:
        group.start_soon(work)
        try:
            result.append((await ask(site.database, "reveal", ARGS)).result)
        except Exception as error:
            result.append(error)
    return result[0]


def test_an_answer_is_passed_on(site: Site) -> None:
    arrive(site.database)
    assert anyio.run(answered, site, "done") == {"text": "words"}


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("completion: this prompt has none called p/x", Unprocessable),
        ("internal error (KeyError): the worker's log says more", Unavailable),
        ("out of memory: audit fewer layers", Unavailable),
        ("cancelled", Unavailable),
    ],
)
def test_a_refusal_is_the_questions_or_the_workers_fault(site: Site, end: str, kind: type[Exception]) -> None:
    arrive(site.database)
    assert type(anyio.run(answered, site, end)) is kind


def test_what_takes_too_long_names_the_job(site: Site) -> None:
    arrive(site.database)
    with pytest.raises(TookTooLong) as late:
        anyio.run(ask, site.database, "reveal", ARGS, 0.05)
    assert site.get(f"/jobs/{late.value.errors[0]['job']}")["state"] == "queued"


def test_nobody_is_asked_when_nobody_is_there(site: Site) -> None:
    with site.database.transaction() as session:
        workers.gone(session, ME)
    with pytest.raises(Unavailable):
        anyio.run(ask, site.database, "reveal", ARGS)
