"""Whether the server is up, and whether it can do work."""

import time
from logging import getLogger

from fastapi import APIRouter, Response

from backend.api import views
from backend.api.schemas import Health, Readiness
from backend.api.services import Given, Reading
from backend.store import workers
from backend.store.database import DatabaseFailure

log = getLogger(__name__)

open_router = APIRouter(tags=["health"])
router = APIRouter(tags=["health"])

NO_DATABASE = "the database does not answer: see that --database or --data names a whole one, and start it all again"
STARTING = "a worker is starting: it takes some seconds"
NO_WORKER = "no worker is running: start one with refusalscope serve, or refusalscope worker"


@open_router.get("/health")
def health(given: Given) -> Health:
    """Answers as long as the process does; open to everyone."""
    return Health(status="ok", version=given.version)


@router.get(
    "/ready",
    responses={503: {"model": Readiness, "description": "No worker: finished audits can be read; or no database"}},
)
def ready(given: Given, session: Reading, response: Response) -> Readiness:
    """Whether the database answers and a worker waits for jobs."""
    now = time.time()
    try:
        alive = workers.alive(session, now)
    except DatabaseFailure as error:
        log.error("database: %s", " ".join(str(error).split()))
        response.status_code = 503
        return Readiness(ready=False, database=False, workers=[], starting=False, detail=NO_DATABASE)
    if not alive:
        response.status_code = 503
    starting = not alive and now < given.worker_due
    return Readiness(
        ready=bool(alive),
        database=True,
        workers=[views.worker_state(row, now) for row in alive],
        starting=starting,
        detail="" if alive else STARTING if starting else NO_WORKER,
    )
