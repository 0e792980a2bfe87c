"""Where an audit's judges differ, and what persons say of its completions. The report is never rewritten: persons'
verdicts are kept and counted beside it."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from backend.api import views
from backend.api.find import the_answer, the_prompt
from backend.api.lists import Listing, page
from backend.api.problem import NotFound
from backend.api.responses import KEPT, keep, problems
from backend.api.schemas import CorrectedCount, DisagreementRow, HumanVerdict, NewVerdict, Page
from backend.api.services import Reading, Writing
from backend.store import human_verdicts
from backend.store.database import Session

router = APIRouter(prefix="/audits/{audit_id}", tags=["verdicts"])
ANSWERS = {**KEPT, **problems(404, 409)}


class DisagreementList(Listing):
    prompt_id: str | None = None


class VerdictList(Listing):
    prompt_id: str | None = None
    arm: str | None = None


@router.get("/disagreements", responses=ANSWERS)
def list_disagreements(
    session: Reading, audit_id: str, asked: Annotated[DisagreementList, Query()], request: Request, response: Response
) -> Page[DisagreementRow]:
    """Completions on which the audit's judges differ, each with the person's verdict that counts."""
    keep(request, response, _depends_on(session, audit_id))
    return page(human_verdicts.list_disagreements(session, audit_id, **asked.arguments()), views.disagreement)


@router.get("/verdicts", responses=ANSWERS)
def list_verdicts(
    session: Reading, audit_id: str, asked: Annotated[VerdictList, Query()], request: Request, response: Response
) -> Page[HumanVerdict]:
    """Every verdict that persons have given, the latest first, with what counted before each."""
    keep(request, response, _depends_on(session, audit_id))
    return page(human_verdicts.list_verdicts(session, audit_id, **asked.arguments()), views.human_verdict)


@router.get("/verdicts/counts", responses=ANSWERS)
def read_corrected_counts(
    session: Reading, audit_id: str, request: Request, response: Response
) -> list[CorrectedCount]:
    """Headline counts by the judge, and with persons' verdicts in their place."""
    keep(request, response, _depends_on(session, audit_id))
    return [views.corrected_count(path, pair) for path, pair in human_verdicts.counts(session, audit_id).items()]


@router.post("/verdicts", status_code=201, responses=problems(404, 409))
def add_verdict(session: Writing, audit_id: str, new: NewVerdict) -> HumanVerdict:
    """Keeps a person's verdict on one completion; an earlier one stays on record."""
    prompt = the_prompt(session, audit_id, new.prompt_id)
    row = human_verdicts.add(
        session,
        prompt,
        new.arm,
        verdict=new.verdict,
        author=new.author,
        reason=new.reason,
        created=time.time(),
    )
    if row is None:
        raise NotFound(f"completion: prompt {new.prompt_id[:80]} has none under the arm {new.arm[:80]}")
    return views.human_verdict(row)


def _depends_on(session: Session, audit_id: str) -> tuple[str | None, int]:
    """The report, and how many verdicts have been given."""
    return the_answer(session, audit_id).report_sha256, human_verdicts.last_number(session, audit_id)
