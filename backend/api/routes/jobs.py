"""Jobs: how far one is, and ending it."""

import time

from fastapi import APIRouter

from backend.api import views
from backend.api.find import the_job
from backend.api.problem import Conflict
from backend.api.responses import problems
from backend.api.schemas import Job
from backend.api.services import Reading, Writing
from backend.store import jobs

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get("/{job_id}", responses=problems(404))
def read_job(session: Reading, job_id: str) -> Job:
    return views.job(the_job(session, job_id))


@router.post("/{job_id}/cancel", responses=problems(404, 409))
def cancel_job(session: Writing, job_id: str) -> Job:
    """A job that runs ends within two seconds; what it has finished is kept."""
    job = the_job(session, job_id)
    if not jobs.request_cancel(session, job_id, now=time.time()):
        raise Conflict(f"job {job_id}: it has ended ({job.state}) and cannot be cancelled")
    return views.job(the_job(session, job_id))
