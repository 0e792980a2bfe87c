"""The OpenAPI document, and the page that shows it with files of our own. Knows paths by their shape, not by name."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from backend.api.problem import NotFound
from backend.api.responses import problem_answer
from backend.api.schemas import Problem

ANY_ROUTE = (400, 401, 403, 410, 422)
SWAGGER = Path(str(files("backend.api"))) / "swagger"
SWAGGER_FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "start.js": "text/javascript"}
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DOCS = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Refusalscope API</title>
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/api/docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script><script src="/api/docs/start.js"></script></body></html>
"""
DESCRIPTION = """Audits of what makes a language model refuse.

Errors are problem details (RFC 9457). Lists come in pages: give `next_cursor` back as `cursor`. Finished results carry
an ETag. A server that others can reach asks for `Authorization: Bearer TOKEN`.
"""

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
def document(request: Request) -> JSONResponse:
    return JSONResponse(openapi(request.app))


@router.get("/docs")
def docs() -> HTMLResponse:
    return HTMLResponse(DOCS, headers={"Content-Security-Policy": DOCS_POLICY})


@router.get("/docs/{name}")
def docs_file(name: str) -> FileResponse:
    if name not in SWAGGER_FILES:
        raise NotFound(f"docs: there is no {name[:80]}")
    return FileResponse(SWAGGER / name, media_type=SWAGGER_FILES[name], headers={"Cache-Control": "no-cache"})


def openapi(server: FastAPI) -> dict[str, Any]:
    """The document of the API's routes; the same code gives the same document."""
    document = get_openapi(title="Refusalscope", version=server.version, description=DESCRIPTION, routes=server.routes)
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"] |= {str(status): problem_answer(status) for status in ANY_ROUTE}
            if "requestBody" in operation:
                operation["responses"]["413"] = problem_answer(413)
    return document
