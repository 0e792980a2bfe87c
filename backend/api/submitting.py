"""Handing an audit to the workers, or finding that its answer is known."""

import time

from backend.api import views
from backend.api.audit_specs import settle, spec_sha256
from backend.api.find import job_of
from backend.api.schemas import AuditRequest, Submitted
from backend.jobs.requests import PRIORITY
from backend.store import audits
from backend.store.database import Session


def submit(session: Session, request: AuditRequest) -> Submitted:
    """A finished audit of the same spec is the answer, unless it is asked for again."""
    spec, subject, prompts = settle(session, request.spec)
    key = spec_sha256(spec, prompts.sha256)
    known = None if request.rerun else audits.by_spec(session, key)
    if known is not None:
        detail = "The same subject, prompts, settings and code have been audited: here is that audit"
        return Submitted(audit=views.audit_summary(known, None), reused=True, detail=detail)
    row = audits.create(
        session,
        name=request.name or f"{subject.id} on {prompts.name}",
        origin="run",
        subject_id=subject.id,
        prompt_set=prompts.name,
        prompt_set_id=prompts.id,
        n_prompts=prompts.n_own,
        spec=spec.model_dump(),
        spec_sha256=key,
        created=time.time(),
    )
    audits.enqueue(session, row.id, {"fresh": request.rerun}, priority=PRIORITY["audit"])
    detail = "Queued; pieces that earlier audits have worked out are used"
    if request.rerun:
        detail = "Queued; everything is worked out anew"
    return Submitted(audit=views.audit_summary(row, job_of(session, row)), reused=False, detail=detail)
