"""What routes say of their answers in the OpenAPI document, and answers that may be kept. Knows headers, not data."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from fastapi import Request, Response

from backend.api.callers import caller
from backend.api.given_answers import GivenAnswer, GivenAnswers
from backend.api.problem import PROBLEM_JSON

PROBLEM_REFERENCE = {"schema": {"$ref": "#/components/schemas/Problem"}}
MEANINGS = {
    400: "The request, or the name it calls this server by, cannot be understood",
    401: "The server asks for its access token",
    403: "Not allowed: from elsewhere, or by a read-only link",
    404: "There is no such thing",
    409: "Not in this state",
    410: "The link has expired",
    413: "The request is too large",
    422: "A field or line cannot be used: `errors` names it",
    503: "Nothing is there to answer it now",
    504: "It takes longer; `errors` names the job to ask for",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route: problems beyond those that any route may answer with."""
    return {status: problem_answer(status) for status in statuses}


def problem_answer(status: int) -> dict[str, Any]:
    return {"description": MEANINGS[status], "content": {PROBLEM_JSON: PROBLEM_REFERENCE}}


KEPT: dict[int | str, dict[str, Any]] = {304: {"description": "Unchanged since the ETag that was given"}}


def file_answer(media_type: str, description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema or {"type": "string"}}}}


class Unchanged(Exception):
    """The reader already has this answer."""

    def __init__(self, etag: str) -> None:
        self.etag = etag


def unchanged(request: Request, error: Exception) -> Response:
    assert isinstance(error, Unchanged)
    return Response(status_code=304, headers=_headers(error.etag))


class GivenBefore(Exception):
    """Another reader had this answer: it need not be made again."""

    def __init__(self, answer: GivenAnswer) -> None:
        self.answer = answer


def given_before(request: Request, error: Exception) -> Response:
    assert isinstance(error, GivenBefore)
    response = Response()
    response.body, response.raw_headers = error.answer.body, list(error.answer.headers)
    return response


def keep(request: Request, response: Response, parts: Sequence[object]) -> None:
    """Mark an answer by everything it depends on; raises Unchanged when the reader has it, GivenBefore when another
    reader had it.

    Weak, for compression changes the bytes. It is asked for again each time, as who may read it can change.
    """
    by_link = caller().by_link
    seed = [request.app.version, request.url.path, request.url.query, by_link, *parts]
    etag = f'W/"{sha256(repr(seed).encode()).hexdigest()[:32]}"'
    asked = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in asked:
        raise Unchanged(etag)
    answers: GivenAnswers = request.app.state.services.answers
    if (answer := answers.get(etag, request.headers)) is not None:
        raise GivenBefore(answer)
    response.headers.update(_headers(etag))


def _headers(etag: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": "private, no-cache"}
