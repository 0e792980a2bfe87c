"""What-ifs and reveals: questions about one prompt that a worker answers at once."""

import time
from collections.abc import Callable
from typing import Annotated, TypeVar

import anyio.to_thread
from fastapi import APIRouter, Query

from backend.api import views
from backend.api.callers import caller
from backend.api.find import the_audit, the_prompt
from backend.api.interactive import ask
from backend.api.lists import Listing, page
from backend.api.problem import TookTooLong
from backend.api.responses import problems
from backend.api.schemas import Page, Reveal, Revealed, RevealRequest, WhatIfRequest, WhatIfResult
from backend.api.services import Given, Reading
from backend.jobs.requests import RevealArgs, WhatIfArgs
from backend.store import jobs, reveals
from backend.store.database import Database, Session
from backend.store.tables import JobRow

router = APIRouter(tags=["what-if"])
ASKED = problems(404, 409, 503, 504)
T = TypeVar("T")


class RevealList(Listing):
    prompt_id: str | None = None


@router.post("/audits/{audit_id}/prompts/{prompt_id:path}/what-if", responses=ASKED)
async def what_if(given: Given, audit_id: str, prompt_id: str, asked: WhatIfRequest) -> WhatIfResult:
    """The prompt's score with these features changed, beside its baseline and a matched random set."""
    await _read(given.database, lambda session: the_prompt(session, audit_id, prompt_id))
    job = await ask(given.database, "what_if", WhatIfArgs(audit_id=audit_id, prompt_id=prompt_id, request=asked))
    return WhatIfResult.model_validate(views.job(job).result)


@router.post("/audits/{audit_id}/prompts/{prompt_id:path}/reveal", responses=ASKED)
async def reveal(given: Given, audit_id: str, prompt_id: str, asked: RevealRequest) -> Revealed:
    """The words of a masked completion, for whoever chooses to read them: none are given that are not on record."""
    await _read(given.database, lambda session: the_prompt(session, audit_id, prompt_id))
    reader = caller().address
    args = RevealArgs(audit_id=audit_id, prompt_id=prompt_id, completion=asked.completion)
    try:
        job = await ask(given.database, "reveal", args)
    except TookTooLong as late:
        await anyio.to_thread.run_sync(_forget, given.database, str(late.errors[0]["job"]))
        raise TookTooLong("The words were not ready in time; ask again in a moment") from None
    await anyio.to_thread.run_sync(_hand_over, given.database, job, reader)
    return Revealed.model_validate(job.result)


@router.get("/audits/{audit_id}/reveals", responses=problems(404))
def list_reveals(session: Reading, audit_id: str, asked: Annotated[RevealList, Query()]) -> Page[Reveal]:
    """Who read which masked completion."""
    the_audit(session, audit_id)
    return page(reveals.list_reveals(session, audit_id, **asked.arguments()), views.reveal)


async def _read(database: Database, look: Callable[[Session], T]) -> T:
    def read() -> T:
        with database.reading() as session:
            return look(session)

    return await anyio.to_thread.run_sync(read)


def _hand_over(database: Database, job: JobRow, reader: str) -> None:
    """The words were in the job's result: now they are with whoever asked, who is on record, and nowhere else."""
    args = RevealArgs.model_validate(job.args)
    with database.transaction() as session:
        jobs.discard(session, job.id)
        reveals.add(
            session, args.audit_id, args.prompt_id, completion=args.completion, reader=reader, created=time.time()
        )


def _forget(database: Database, job_id: str) -> None:
    with database.transaction() as session:
        jobs.discard(session, job_id)
