"""An audit's progress as server-sent events, read from the job's row: any process of the server can tell it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from backend.api import views
from backend.api.find import job_of, the_audit
from backend.api.problem import NotFound
from backend.api.responses import problems
from backend.api.services import Given
from backend.api.sse import COMMENT, event
from backend.store.database import Database

router = APIRouter(prefix="/audits/{audit_id}", tags=["audits"])
LOOK_EVERY = 0.4  # seconds
QUIET_SECONDS = 15.0  # a comment after this long, so that nothing between us and the reader hangs up
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events `progress` with a Job, then `end`", "content": {"text/event-stream": {}}}
}


@dataclass(frozen=True)
class Standing:
    job: str | None  # the Job as JSON; None when no job works on the audit
    ended: bool


@router.get("/progress", response_class=StreamingResponse, responses={**STREAM, **problems(404)})
async def follow_audit(given: Given, audit_id: str) -> StreamingResponse:
    """The job each time it has moved, until it ends. An audit without a job is at its end."""
    standing = await anyio.to_thread.run_sync(_look, given.database, audit_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    events = _events(given.database, audit_id, standing)
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(database: Database, audit_id: str, standing: Standing) -> AsyncIterator[str]:
    said, quiet = None, 0.0
    while True:
        if standing.job is not None and standing.job != said:
            yield event("progress", standing.job)
            said, quiet = standing.job, 0.0
        if standing.ended:
            break
        if quiet >= QUIET_SECONDS:
            yield COMMENT
            quiet = 0.0
        await anyio.sleep(LOOK_EVERY)
        quiet += LOOK_EVERY
        try:
            standing = await anyio.to_thread.run_sync(_look, database, audit_id)
        except NotFound:  # deleted meanwhile
            break
    yield event("end", "{}")


def _look(database: Database, audit_id: str) -> Standing:
    with database.reading() as session:
        job = job_of(session, the_audit(session, audit_id))
        if job is None:
            return Standing(None, True)
        return Standing(views.job(job).model_dump_json(), job.state not in ("queued", "running"))
