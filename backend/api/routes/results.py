"""What a finished audit found over its prompts: distributions, cascade, interactions, perturbations."""

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from backend.api import views
from backend.api.find import the_answer
from backend.api.responses import KEPT, keep, problems
from backend.api.schemas import CascadeGraph, Distributions, PerturbedLine
from backend.api.services import Reading
from backend.audit.results import CascadeSummary, Interactions
from backend.reports.cascade_graph import cascade_graph
from backend.store.distributions import distributions
from backend.store.stories import cascades, perturbed

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


@router.get("/cascade-graph", responses=ANSWERS)
def read_cascade_graph(session: Reading, audit_id: str, request: Request, response: Response) -> CascadeGraph:
    """The cascades of refused test prompts as one layered graph."""
    keep(request, response, (the_answer(session, audit_id).report_sha256,))
    return views.summed_cascades(cascade_graph(cascades(session, audit_id)))


@router.get("/perturbed", responses=ANSWERS)
def read_perturbed(session: Reading, audit_id: str, request: Request, response: Response) -> list[PerturbedLine]:
    """Every perturbed prompt, in the audit's order; empty where stability was not measured."""
    keep(request, response, (the_answer(session, audit_id).report_sha256,))
    return [views.perturbed_line(one) for one in perturbed(session, audit_id)]
