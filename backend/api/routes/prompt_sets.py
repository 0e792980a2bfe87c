"""Prompt sets: uploaded, pasted, listed, read, deleted."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, UploadFile

from backend.api import views
from backend.api.find import the_prompt_set
from backend.api.incoming_prompts import pasted_prompts, uploaded_prompts
from backend.api.lists import Listing, page
from backend.api.problem import NotFound
from backend.api.responses import problems
from backend.api.schemas import Page, PastedPrompts, PromptSet, PromptText, Seed
from backend.api.services import Reading, Writing
from backend.store import prompt_sets

router = APIRouter(prefix="/prompt-sets", tags=["prompt sets"])


class PromptSetList(Listing):
    kind: Literal["bundled", "planted", "upload", "paste", "imported"] | None = None
    text: str | None = None


class PromptList(Listing):
    label: Literal["harmful", "benign", "look_alike"] | None = None
    split: Literal["discovery", "validation", "test"] | None = None
    category: str | None = None
    text: str | None = None


@router.get("")
def list_prompt_sets(session: Reading, asked: Annotated[PromptSetList, Query()]) -> Page[PromptSet]:
    return page(prompt_sets.list_sets(session, **asked.arguments()), views.prompt_set)


@router.post("", status_code=201)
def upload_prompt_set(session: Writing, file: UploadFile, seed: Annotated[Seed, Query()] = 0) -> PromptSet:
    """A .jsonl or .csv file, at most 50 MB and 20,000 prompts; `errors` of a refusal names lines and columns.

    `seed` deals out the splits of prompts that carry none: with another, the same file is another set.
    """
    return views.prompt_set(prompt_sets.add(session, uploaded_prompts(file.filename, file.file, seed), kind="upload"))


@router.post("/paste", status_code=201)
def paste_prompt_set(session: Writing, pasted: PastedPrompts) -> PromptSet:
    """Prompts as text: one a line, or JSON lines, or CSV."""
    return views.prompt_set(prompt_sets.add(session, pasted_prompts(pasted), kind="paste"))


@router.get("/{set_id}", responses=problems(404))
def read_prompt_set(session: Reading, set_id: str) -> PromptSet:
    return views.prompt_set(the_prompt_set(session, set_id))


@router.delete("/{set_id}", status_code=204, responses=problems(404, 409))
def delete_prompt_set(session: Writing, set_id: str) -> None:
    """Refused while an audit needs it."""
    if not prompt_sets.delete(session, set_id):
        raise NotFound(f"prompt set: there is no {set_id[:80]}")


@router.get("/{set_id}/prompts", responses=problems(404))
def list_set_prompts(session: Reading, set_id: str, asked: Annotated[PromptList, Query()]) -> Page[PromptText]:
    the_prompt_set(session, set_id)
    return page(prompt_sets.list_prompts(session, set_id, **asked.arguments()), views.prompt_text)
