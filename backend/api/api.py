"""The API: every router under /api, one handler for its errors, and a 404 of its own."""

from fastapi import APIRouter, Depends, FastAPI

from backend.api import entrance, openapi
from backend.api.callers import keep_to_the_link
from backend.api.problem import NotFound, handle_problems
from backend.api.responses import GivenBefore, Unchanged, given_before, unchanged
from backend.api.routes import (
    audits,
    comparisons,
    features,
    files,
    health,
    human_verdicts,
    jobs,
    links,
    progress,
    prompt_sets,
    prompts,
    results,
    subjects,
    what_if,
)

ROUTERS = (
    health.router,
    subjects.router,
    prompt_sets.router,
    files.router,
    progress.router,
    results.router,
    features.router,
    what_if.router,
    links.router,
    human_verdicts.router,
    prompts.router,
    audits.router,
    comparisons.router,
    jobs.router,
    openapi.router,
)
READ_BY_LINK = frozenset(
    {
        audits.read_audit,
        results.read_distributions,
        results.read_cascade,
        results.read_interactions,
        results.read_cascade_graph,
        results.read_perturbed,
        prompts.list_prompts,
        prompts.read_prompt,
        features.list_features,
        features.read_feature,
        features.list_feature_prompts,
    }
)
"""What the pages of the linked audit are drawn from: all of it only reads."""

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def add_api(server: FastAPI) -> None:
    """Give the server its API, which finds its `Services` in `server.state.services`.

    Who is asking must be settled by the security middleware around it.
    """
    handle_problems(server)
    server.add_exception_handler(Unchanged, unchanged)
    server.add_exception_handler(GivenBefore, given_before)
    api = APIRouter(prefix="/api", dependencies=[Depends(keep_to_the_link(READ_BY_LINK))])
    for router in ROUTERS:
        api.include_router(router)
    api.add_api_route("/{rest:path}", _nothing_here, methods=METHODS, include_in_schema=False)
    server.include_router(health.open_router, prefix="/api")
    server.include_router(api)
    server.include_router(entrance.router)


async def _nothing_here(rest: str) -> None:
    """Otherwise the dashboard would answer with a page: it takes every path that nobody claims."""
    raise NotFound(f"/api/{rest[:80]}: no such route; see /api/docs")
