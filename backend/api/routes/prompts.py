"""Prompts of a finished audit: listed, told in full, and sets kept on them by name.

A prompt's id is the words of whoever wrote the set and may hold slashes; its path variable takes them.
"""

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from backend.api import views
from backend.api.find import the_answer, the_prompt
from backend.api.lists import Listing, page
from backend.api.problem import NotFound
from backend.api.responses import KEPT, keep, problems
from backend.api.schemas import NewSavedSet, Outcome, Page, PromptDetail, PromptLine, SavedSet
from backend.api.services import Reading, Writing
from backend.store import prompt_results, saved_sets

router = APIRouter(tags=["prompts"])


class PromptLineList(Listing):
    label: Literal["harmful", "benign", "look_alike"] | None = None
    category: str | None = None
    split: Literal["discovery", "validation", "test"] | None = None
    verdict: Literal["refused", "complied", "incoherent"] | None = None
    outcome: Outcome | None = None
    set_size: int | None = None
    text: str | None = None


@router.get("/audits/{audit_id}/prompts", responses={**KEPT, **problems(404, 409)})
def list_prompts(
    session: Reading, audit_id: str, asked: Annotated[PromptLineList, Query()], request: Request, response: Response
) -> Page[PromptLine]:
    keep(request, response, (the_answer(session, audit_id).report_sha256,))
    return page(prompt_results.list_prompts(session, audit_id, **asked.arguments()), views.prompt_line)


@router.get("/audits/{audit_id}/prompts/{prompt_id:path}/sets", responses=problems(404, 409))
def list_saved_sets(
    session: Reading, audit_id: str, prompt_id: str, asked: Annotated[Listing, Query()]
) -> Page[SavedSet]:
    the_prompt(session, audit_id, prompt_id)
    return page(saved_sets.list_sets(session, audit_id, prompt_id, **asked.arguments()), views.saved_set)


@router.post("/audits/{audit_id}/prompts/{prompt_id:path}/sets", status_code=201, responses=problems(404, 409))
def save_set(session: Writing, audit_id: str, prompt_id: str, new: NewSavedSet) -> SavedSet:
    the_prompt(session, audit_id, prompt_id)
    intervention = new.intervention.model_dump()
    row = saved_sets.add(session, audit_id, prompt_id, name=new.name, intervention=intervention, created=time.time())
    return views.saved_set(row)


@router.delete("/saved-sets/{set_id}", status_code=204, responses=problems(404))
def delete_saved_set(session: Writing, set_id: str) -> None:
    if not saved_sets.delete(session, set_id):
        raise NotFound(f"saved set: there is no {set_id[:80]}")


@router.get("/audits/{audit_id}/prompts/{prompt_id:path}", responses={**KEPT, **problems(404, 409)})
def read_prompt(session: Reading, audit_id: str, prompt_id: str, request: Request, response: Response) -> PromptDetail:
    """One prompt's whole story; completions that are no refusals are masked."""
    keep(request, response, (the_answer(session, audit_id).report_sha256,))
    row = the_prompt(session, audit_id, prompt_id)
    return views.prompt_detail(row, *prompt_results.neighbours(session, row))
