"""Read-only links to one audit: made, listed, withdrawn. The link itself opens at /share (entrance.py)."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request

from backend.api import views
from backend.api.find import the_audit
from backend.api.lists import Listing, page
from backend.api.problem import NotFound
from backend.api.responses import problems
from backend.api.schemas import CreatedLink, Link, NewLink, Page
from backend.api.services import Given, Reading, Writing
from backend.store import links

router = APIRouter(tags=["sharing"])
DAY = 24 * 3600.0


@router.get("/audits/{audit_id}/links", responses=problems(404))
def list_links(session: Reading, audit_id: str, asked: Annotated[Listing, Query()]) -> Page[Link]:
    """Every link to an audit, expired and withdrawn ones too."""
    the_audit(session, audit_id)
    return page(links.list_links(session, audit_id, **asked.arguments()), views.link)


@router.post("/audits/{audit_id}/links", status_code=201, responses=problems(404))
def create_link(session: Writing, given: Given, audit_id: str, new: NewLink, request: Request) -> CreatedLink:
    """Opens overview, prompts and features of this audit and nothing else. Its address is shown once."""
    the_audit(session, audit_id)
    now = time.time()
    row = links.create(session, audit_id, label=new.label, created=now, expires=now + new.days * DAY)
    token = given.access.signer.link(row.id, row.expires)
    return CreatedLink(link=views.link(row), url=str(request.base_url.replace(path=f"/share/{token}")))


@router.delete("/links/{link_id}", status_code=204, responses=problems(404))
def revoke_link(session: Writing, link_id: str) -> None:
    """Withdraws it for good, at once."""
    if not links.revoke(session, link_id, now=time.time()):
        raise NotFound(f"link: there is no {link_id[:80]}")
