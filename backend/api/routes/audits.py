"""Audits: estimated, submitted, listed, read, renamed, stopped, taken up again, deleted."""

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from backend.api import views
from backend.api.audit_specs import settle, spec_sha256
from backend.api.callers import caller
from backend.api.estimates import estimate
from backend.api.find import job_of, the_audit
from backend.api.lists import Listing
from backend.api.problem import Conflict, NotFound
from backend.api.responses import KEPT, keep, problems
from backend.api.schemas import (
    AuditDetail,
    AuditRequest,
    AuditSpec,
    AuditSummary,
    Estimate,
    Page,
    Renamed,
    State,
    Submitted,
)
from backend.api.services import Reading, Writing
from backend.api.submitting import submit
from backend.jobs.requests import PRIORITY
from backend.store import audits, jobs

router = APIRouter(prefix="/audits", tags=["audits"])


class AuditList(Listing):
    subject: str | None = None
    prompt_set: str | None = None
    origin: Literal["run", "import", "example"] | None = None
    state: State | None = None
    text: str | None = None


@router.post("/estimate")
def estimate_audit(session: Reading, spec: AuditSpec) -> Estimate:
    """What it will take, before it is started."""
    settled, _, prompts = settle(session, spec)
    known = audits.by_spec(session, spec_sha256(settled, prompts.sha256))
    return estimate(session, settled, prompts, known.id if known is not None else None)


@router.post(
    "", status_code=201, responses={200: {"model": Submitted, "description": "The answer was known: nothing was run"}}
)
def submit_audit(session: Writing, asked: AuditRequest, response: Response) -> Submitted:
    """Queue an audit, or get the one that answers the same spec on the same code; `rerun` works it out again."""
    submitted = submit(session, asked)
    response.status_code = 200 if submitted.reused else 201
    return submitted


@router.get("")
def list_audits(session: Reading, asked: Annotated[AuditList, Query()]) -> Page[AuditSummary]:
    rows = audits.list_audits(session, **asked.arguments())
    working = jobs.read_many(session, [row.job_id for row in rows.items if row.job_id is not None])
    items = [views.audit_summary(row, working.get(row.job_id or "")) for row in rows.items]
    return Page(items=items, total=rows.total, next_cursor=rows.next_cursor)


@router.get("/{audit_id}", responses={**KEPT, **problems(404)})
def read_audit(session: Reading, audit_id: str, request: Request, response: Response) -> AuditDetail:
    """Figures, direction, interactions, cascade and manifest, once it is done."""
    row = the_audit(session, audit_id)
    if row.state == "done":
        keep(request, response, (row.report_sha256, row.name))
    return views.audit_detail(row, job_of(session, row), read_only=caller().by_link)


@router.patch("/{audit_id}", responses=problems(404))
def rename_audit(session: Writing, audit_id: str, renamed: Renamed) -> AuditSummary:
    row = the_audit(session, audit_id)
    audits.rename(session, audit_id, renamed.name)
    return views.audit_summary(row, job_of(session, row))


@router.delete("/{audit_id}", status_code=204, responses=problems(404))
def delete_audit(session: Writing, audit_id: str) -> None:
    """With its results, links and saved sets; one that runs is stopped."""
    if not audits.delete(session, audit_id):
        raise NotFound(f"audit: there is no {audit_id[:80]}")


@router.post("/{audit_id}/cancel", responses=problems(404, 409))
def cancel_audit(session: Writing, audit_id: str) -> AuditSummary:
    """Stops within two seconds; what is finished is kept for a resume."""
    row = the_audit(session, audit_id)
    if row.job_id is None or not jobs.request_cancel(session, row.job_id, now=time.time()):
        raise Conflict(f"audit {audit_id}: it is {row.state}, and only a queued or running one can be cancelled")
    row = the_audit(session, audit_id)
    return views.audit_summary(row, job_of(session, row))


@router.post("/{audit_id}/resume", responses=problems(404, 409))
def resume_audit(session: Writing, audit_id: str) -> AuditSummary:
    """Goes on from what a cancelled or failed audit has finished."""
    row = the_audit(session, audit_id)
    if row.state not in ("cancelled", "failed") or row.origin != "run":
        raise Conflict(f"audit {audit_id}: it is {row.state}, and only a cancelled or failed one can be resumed")
    settle(session, AuditSpec.model_validate(row.spec))
    before = job_of(session, row)
    fresh = before is not None and bool(before.args.get("fresh", False))
    job = audits.enqueue(session, audit_id, {"fresh": fresh}, priority=PRIORITY["audit"])
    return views.audit_summary(the_audit(session, audit_id), job)


@router.post("/{audit_id}/rerun", status_code=201, responses=problems(404))
def rerun_audit(session: Writing, audit_id: str) -> Submitted:
    """The same spec again as an audit of its own, everything worked out anew."""
    row = the_audit(session, audit_id)
    spec = AuditSpec.model_validate(row.spec)
    return submit(session, AuditRequest(spec=spec, name=row.name, rerun=True))
