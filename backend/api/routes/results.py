"""What a finished audit found, besides its prompts and features: distributions, cascade, interactions."""

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from backend.api import views
from backend.api.find import the_answer
from backend.api.responses import KEPT, keep, problems
from backend.api.schemas import Distributions
from backend.api.services import Reading
from backend.audit.results import CascadeSummary, Interactions
from backend.store.distributions import distributions

router = APIRouter(prefix="/audits/{audit_id}", tags=["results"])
ANSWERS = {**KEPT, **problems(404, 409)}


@router.get("/distributions", responses=ANSWERS)
def read_distributions(session: Reading, audit_id: str, request: Request, response: Response) -> Distributions:
    """Counts over the audit's own prompts: set sizes, depths, outcomes by category, layers."""
    keep(request, response, (the_answer(session, audit_id).report_sha256,))
    return views.distributions(distributions(session, audit_id))


@router.get("/cascade", responses=ANSWERS)
def read_cascade(session: Reading, audit_id: str, request: Request, response: Response) -> CascadeSummary:
    row = the_answer(session, audit_id)
    keep(request, response, (row.report_sha256,))
    return TypeAdapter(CascadeSummary).validate_python((row.summary or {})["cascade"])


@router.get("/interactions", responses=ANSWERS)
def read_interactions(session: Reading, audit_id: str, request: Request, response: Response) -> Interactions:
    row = the_answer(session, audit_id)
    keep(request, response, (row.report_sha256,))
    return TypeAdapter(Interactions).validate_python((row.summary or {})["interactions"])
