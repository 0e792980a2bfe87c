"""Whether the server is up, and whether it can do work."""

import time

from fastapi import APIRouter, Response

from backend.api import views
from backend.api.schemas import Health, Readiness
from backend.api.services import Given, Reading
from backend.store import workers

open_router = APIRouter(tags=["health"])
router = APIRouter(tags=["health"])


@open_router.get("/health")
def health(given: Given) -> Health:
    """Answers as long as the process does; open to everyone."""
    return Health(status="ok", version=given.version)


@router.get("/ready", responses={503: {"model": Readiness, "description": "No worker: finished audits can be read"}})
def ready(session: Reading, response: Response) -> Readiness:
    """Whether the database answers and a worker waits for jobs."""
    now = time.time()
    alive = workers.alive(session, now)
    if not alive:
        response.status_code = 503
    return Readiness(
        ready=bool(alive),
        database=True,
        workers=[views.worker_state(row, now) for row in alive],
        detail="" if alive else "no worker is running: start one with refusalscope serve, or refusalscope worker",
    )
