"""Every error of the API as RFC 9457 problem details, made in one place. Knows errors; knows no route.

ApiError            a route says no: status, title, one line with the fix
├── NotFound          404
├── Forbidden         403
├── Gone              410
├── Conflict          409
├── Unprocessable     422, with `errors` naming fields or lines
├── Unavailable       503
└── TookTooLong       504
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from logging import getLogger
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from backend.api.schemas import Problem
from backend.errors import BadInput, InUse, PromptFileError, RefusalscopeError

log = getLogger(__name__)

PROBLEM_JSON = "application/problem+json"


class ApiError(Exception):
    """A route says no. `detail` is one line fit for a user; it holds no prompt and no completion."""

    status = 500
    title = "Server error"

    def __init__(
        self, detail: str, *, errors: Sequence[Mapping[str, Any]] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail, self.errors, self.headers = detail, [dict(error) for error in errors], headers


class NotFound(ApiError):
    status, title = 404, "Not found"


class Forbidden(ApiError):
    status, title = 403, "Not allowed"


class Unauthorized(ApiError):
    status, title = 401, "Sign in first"


class Gone(ApiError):
    status, title = 410, "No longer here"


class Conflict(ApiError):
    status, title = 409, "Not now"


class Unprocessable(ApiError):
    status, title = 422, "Cannot be used"


class Unavailable(ApiError):
    status, title = 503, "Not available"


class TookTooLong(ApiError):
    status, title = 504, "Still working"


def problem_response(
    status: int,
    title: str,
    detail: str,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem as a response."""
    problem = Problem(title=title, status=status, detail=detail, errors=[dict(error) for error in errors])
    return JSONResponse(problem.model_dump(), status, dict(headers or {}), PROBLEM_JSON)


def handle_problems(server: FastAPI) -> None:
    """Errors of every kind become problems."""
    server.add_exception_handler(ApiError, _api_error)
    server.add_exception_handler(RefusalscopeError, _deliberate)
    server.add_exception_handler(RequestValidationError, _invalid)
    server.add_exception_handler(HTTPException, _http)
    server.add_exception_handler(Exception, _unexpected)


def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return problem_response(error.status, error.title, error.detail, error.errors, error.headers)


def _deliberate(request: Request, error: Exception) -> Response:
    """What a library below refused: bad input is the caller's to mend, anything else is ours."""
    if isinstance(error, PromptFileError):
        places = [
            {"file": str(one.file), "line": one.line, "column": one.column, "problem": one.problem}
            for one in (error, *error.others)
        ]
        return problem_response(422, "Prompts cannot be read", str(error), places)
    if isinstance(error, InUse):
        return problem_response(Conflict.status, Conflict.title, str(error))
    if isinstance(error, BadInput):
        return problem_response(422, Unprocessable.title, str(error))
    log.error("%s in %s", type(error).__name__, request.url.path)
    return problem_response(500, ApiError.title, str(error))


def _invalid(request: Request, error: Exception) -> Response:
    """Fields that do not fit. What was given is not repeated: it may be long, and it is not ours to echo."""
    assert isinstance(error, RequestValidationError)
    found = [{"field": _field(one["loc"]), "problem": one["msg"]} for one in error.errors()]
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return problem_response(422, Unprocessable.title, f"{first['field']}: {first['problem']}{more}", found)


def _field(place: Sequence[Any]) -> str:
    """`body.spec.effort` -> `spec.effort`; the whole body keeps its name."""
    where, *names = map(str, place)
    return ".".join(names) if names and where in ("body", "query", "path") else ".".join(map(str, place))


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase
    return problem_response(error.status_code, title, str(error.detail), headers=error.headers)


def _unexpected(request: Request, error: Exception) -> Response:
    """A fault of ours. The server logs it; what it says may hold a prompt, so that the reader gets its kind alone."""
    detail = f"The server failed ({type(error).__name__}); its log says where"
    return problem_response(500, ApiError.title, detail)
