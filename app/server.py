"""One ASGI application: the API under /api, the dashboard everywhere else, one door around both. Wiring only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from app.export import report_html
from app.settings import Settings
from backend.api.access import Access
from backend.api.api import add_api
from backend.api.callers import CALLER, Caller
from backend.api.given_answers import GivenAnswers, Noting
from backend.api.openapi import openapi
from backend.api.security import Security, page_policy
from backend.api.services import Services
from backend.api.tokens import Signer
from backend.store.database import Database
from frontend.ui import create_ui

INSIDE = "http://localhost"  # what the server calls itself when its pages ask its API


def create_app(settings: Settings, database: Database, *, worker_due: float = 0.0) -> FastAPI:
    """The service on an open database. Run it with its lifespan: without it, deep links do not work.

    worker_due: see `Services`. One a process: the dashboard's library keeps the latest of its applications for its own.
    """
    server = _with_api()
    access = Access(database, Signer(settings.secret, settings.token), settings.token)
    answers = GivenAnswers()
    server.state.services = Services(database, access, report_html, server.version, answers, worker_due)
    inside = httpx.ASGITransport(server, raise_app_exceptions=False)
    plain = {"Accept-Encoding": "identity"}
    server.state.inside = httpx.AsyncClient(transport=inside, base_url=INSIDE, timeout=None, headers=plain)
    dashboard = create_ui(server, server.state.inside)
    server.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)  # leaves server-sent events alone
    server.add_middleware(Noting, answers=answers)
    policy = page_policy(dashboard.csp_hashes())
    server.add_middleware(Security, access=access, hosts=settings.hosts, policy=policy)  # the outermost
    return server


def api_document() -> dict[str, Any]:
    """The OpenAPI document."""
    return openapi(_with_api())


def _with_api() -> FastAPI:
    server = FastAPI(version=version("refusalscope"), lifespan=_warmed, docs_url=None, redoc_url=None, openapi_url=None)
    add_api(server)
    return server


@asynccontextmanager
async def _warmed(server: FastAPI) -> AsyncIterator[None]:
    """Dash sets itself up on its first request for /, and until then other pages come without their scripts."""
    client: httpx.AsyncClient = server.state.inside
    token = CALLER.set(Caller("start"))
    try:
        (await client.get("/")).raise_for_status()
    finally:
        CALLER.reset(token)
    yield
    await client.aclose()
