"""Subjects: which there are, whether their files are here, and checking one."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from backend.api import views
from backend.api.find import the_subject
from backend.api.lists import Listing, page
from backend.api.problem import Conflict
from backend.api.responses import problems
from backend.api.schemas import Job, Page, Subject
from backend.api.services import Reading, Writing
from backend.jobs.requests import PRIORITY, CheckArgs
from backend.store import jobs, subjects
from backend.store.tables import SubjectRow
from backend.subjects.catalogue import what_is_missing

router = APIRouter(prefix="/subjects", tags=["subjects"])


class SubjectList(Listing):
    kind: Literal["bundled", "planted", "added"] | None = None
    text: str | None = None


@router.get("")
def list_subjects(session: Reading, asked: Annotated[SubjectList, Query()]) -> Page[Subject]:
    counts = subjects.count_audits(session)
    rows = subjects.list_subjects(session, **asked.arguments())
    return page(rows, lambda row: views.subject(row, problem_with(row), counts.get(row.id, 0)))


@router.get("/{subject_id:path}", responses=problems(404))
def read_subject(session: Reading, subject_id: str) -> Subject:
    row = the_subject(session, subject_id)
    return views.subject(row, problem_with(row), subjects.count_audits(session).get(row.id, 0))


@router.post("/{subject_id:path}/check", status_code=202, responses=problems(404, 409))
def check_subject(session: Writing, subject_id: str) -> Job:
    """Measure its SAEs on chats; ask for the job to see how far it is."""
    row = the_subject(session, subject_id)
    if (problem := problem_with(row)) is not None:
        raise Conflict(f"subject {row.id}: {problem}")
    job = jobs.submit(session, "check", CheckArgs(subject=row.id).model_dump(), priority=PRIORITY["check"])
    return views.job(job)


def problem_with(row: SubjectRow) -> str | None:
    """What keeps it from being audited here, in one line with what to run."""
    return what_is_missing() if row.kind == "bundled" else None
