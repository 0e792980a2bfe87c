"""Audits of the same prompts beside each other: figures with their differences, and the prompts behind each cell."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.api import views
from backend.api.comparing import compared
from backend.api.find import the_answer
from backend.api.problem import Conflict, Unprocessable
from backend.api.responses import KEPT, keep, problems
from backend.api.schemas import (
    Cell,
    ComparedOutcome,
    ComparedPrompt,
    ComparedPrompts,
    Comparison,
    Page,
)
from backend.api.services import Given, Reading, Services
from backend.audit.comparison_results import Comparisons
from backend.errors import DifferentPrompts
from backend.store import prompt_results
from backend.store.tables import AuditRow

router = APIRouter(prefix="/comparisons", tags=["comparisons"])
ANSWERS = {**KEPT, **problems(404, 409)}
MOST = 8  # audits at once


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    audits: str = Field(max_length=1000, description="ids, joined by commas, the reference first", examples=["a,b"])
    outcome: ComparedOutcome = "flipped_minimal"


class AskedPrompts(Asked):
    cell: Cell
    prompts: ComparedPrompts = "test"
    cursor: str | None = Field(None, pattern=r"^\d{1,9}$", description="`next_cursor` of the page before")
    limit: int = Field(50, ge=1, le=500)


@router.get("", responses=ANSWERS)
def compare_audits(
    session: Reading, given: Given, asked: Annotated[Asked, Query()], request: Request, response: Response
) -> Comparison:
    """Two audits or more, each after the first compared with the first."""
    rows = [the_answer(session, audit_id) for audit_id in _ids(asked.audits, MOST)]
    keep(request, response, [(row.report_sha256, row.name) for row in rows])
    found = _compared(given, rows)
    reference, *others = (views.audit_summary(row, None) for row in rows)
    return Comparison(
        outcome=asked.outcome,
        reference=reference,
        others=[
            views.compared_audit(one, asked.outcome, other)
            for one, other in zip(found.comparisons, others, strict=True)
        ],
        figures=list(found.rows),
    )


@router.get("/prompts", responses=ANSWERS)
def list_compared_prompts(
    session: Reading, given: Given, asked: Annotated[AskedPrompts, Query()], request: Request, response: Response
) -> Page[ComparedPrompt]:
    """The prompts behind one cell of two audits' table, in the reference's order."""
    rows = [the_answer(session, audit_id) for audit_id in _ids(asked.audits, 2)]
    keep(request, response, [row.report_sha256 for row in rows])
    table = _compared(given, rows).comparisons[0].table(asked.outcome, asked.prompts)
    ids, start = table.cell(asked.cell), int(asked.cursor or 0)
    shown, end = ids[start : start + asked.limit], start + asked.limit
    of_a, of_b = (prompt_results.lines(session, row.id, shown) for row in rows)
    items = [
        ComparedPrompt(id=one, text=of_a[one].text, a=views.prompt_line(of_a[one]), b=views.prompt_line(of_b[one]))
        for one in shown
    ]
    return Page(items=items, total=len(ids), next_cursor=str(end) if end < len(ids) else None)


def _ids(audits: str, most: int) -> list[str]:
    ids = [part for part in audits.split(",") if part]
    if not 2 <= len(ids) <= most:
        number = "2" if most == 2 else f"2 to {most}"
        raise Unprocessable(f"audits: name {number}, joined by commas; {len(ids)} given", errors=[_problem(number)])
    if len(set(ids)) < len(ids):
        raise Unprocessable("audits: one is named twice; name different ones", errors=[_problem("different ones")])
    return ids


def _problem(wanted: str) -> dict[str, str]:
    return {"field": "audits", "problem": f"name {wanted}"}


def _compared(given: Services, rows: list[AuditRow]) -> Comparisons:
    try:
        return compared(given.database.artifacts, tuple(str(row.report_sha256) for row in rows))
    except DifferentPrompts as error:
        raise Conflict(str(error)) from error
