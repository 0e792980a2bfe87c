"""Rows that a path names, or the problem that says they are not there. Knows the store's `get` functions."""

from typing import TypeVar

from backend.api.problem import Conflict, NotFound
from backend.store import audits, features, jobs, prompt_results, prompt_sets, subjects
from backend.store.database import Session
from backend.store.tables import AuditRow, FeatureRow, JobRow, PromptResultRow, PromptSetRow, SubjectRow

R = TypeVar("R")


def the_subject(session: Session, subject_id: str) -> SubjectRow:
    return _found(subjects.get(session, subject_id), "subject", subject_id)


def the_prompt_set(session: Session, set_id: str) -> PromptSetRow:
    return _found(prompt_sets.get(session, set_id), "prompt set", set_id)


def the_audit(session: Session, audit_id: str) -> AuditRow:
    return _found(audits.get(session, audit_id), "audit", audit_id)


def the_answer(session: Session, audit_id: str) -> AuditRow:
    """An audit that has been answered; raises Conflict for one that has not."""
    row = the_audit(session, audit_id)
    if row.report_sha256 is None:
        raise Conflict(f"audit {audit_id}: it is {row.state} and has no results yet; wait for it, or resume it")
    return row


def the_prompt(session: Session, audit_id: str, prompt_id: str) -> PromptResultRow:
    the_answer(session, audit_id)
    return _found(prompt_results.get(session, audit_id, prompt_id), "prompt of this audit", prompt_id)


def the_feature(session: Session, audit_id: str, feature: str) -> FeatureRow:
    the_answer(session, audit_id)
    return _found(features.get(session, audit_id, feature), "reported feature of this audit", feature)


def the_job(session: Session, job_id: str) -> JobRow:
    return _found(jobs.read(session, job_id), "job", job_id)


def job_of(session: Session, audit: AuditRow) -> JobRow | None:
    return jobs.read(session, audit.job_id) if audit.job_id is not None else None


def _found(row: R | None, kind: str, name: str) -> R:
    if row is None:
        raise NotFound(f"{kind}: there is no {name[:80]}")
    return row
