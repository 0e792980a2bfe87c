"""The ways in for a browser: signing in with the access token, and opening a read-only link. Only here are
cookies set.

Neither is part of the API: they answer with pages and redirects.
"""

import re
import time
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from backend.api.access import LINK_COOKIE, SESSION_COOKIE
from backend.api.notice import notice_page, sign_in_page
from backend.api.problem import Forbidden, Gone
from backend.api.services import Given
from backend.api.tokens import SESSION_SECONDS

router = APIRouter(include_in_schema=False)
_OWN_PAGE = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")  # never //elsewhere, nor what a browser takes for it


@router.get("/login")
def sign_in_form(given: Given, next: str = "/") -> Response:
    """The form; nothing to do where no token is asked for."""
    return sign_in_page(200, next) if given.access.asks else RedirectResponse(_own(next), 303)


@router.post("/login")
def sign_in(
    given: Given, request: Request, token: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/"
) -> Response:
    if not given.access.opens(token.strip()):
        return sign_in_page(401, next, "This is not the access token of this server")
    answer = RedirectResponse(_own(next), 303)
    session = given.access.signer.session(time.time())
    _set(answer, request, SESSION_COOKIE, session, SESSION_SECONDS, same_site="strict")
    answer.delete_cookie(LINK_COOKIE)
    return answer


@router.get("/share/leave")
def leave_link() -> Response:
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(LINK_COOKIE)
    return answer


@router.get("/share/{token}")
def open_link(given: Given, request: Request, token: str) -> Response:
    """Lets its holder read one audit; the link is left again at /share/leave."""
    try:
        opened = given.access.open_link(token)
    except (Forbidden, Gone) as error:
        return notice_page(error.status, "This link does not open", error.detail)
    answer = RedirectResponse(f"/audits/{opened.audit_id}", 303)
    seconds = max(1, int(opened.expires - time.time()))
    _set(
        answer, request, LINK_COOKIE, token, seconds, same_site="lax"
    )  # strict would drop it on the way in from a mail
    return answer


def _own(page: str) -> str:
    return page if _OWN_PAGE.fullmatch(page) else "/"


def _set(
    answer: Response, request: Request, name: str, value: str, seconds: int, *, same_site: Literal["lax", "strict"]
) -> None:
    secure = request.url.scheme == "https"
    answer.set_cookie(name, value, max_age=seconds, httponly=True, secure=secure, samesite=same_site, path="/")
