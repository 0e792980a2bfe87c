"""An audit as files: imported from report.json; given out as JSON, HTML and CSV. No file holds a masked completion."""

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from backend.api import views
from backend.api.find import the_answer
from backend.api.imports import add_report
from backend.api.responses import KEPT, file_answer, keep, problems
from backend.api.schemas import AuditSummary
from backend.api.services import Given, Reading, Services
from backend.audit.results import Report
from backend.reports.csv import features_csv, prompts_csv
from backend.reports.report_json import report_from_json
from backend.store.tables import AuditRow

router = APIRouter(prefix="/audits", tags=["files"])
ANSWERS = {**KEPT, **problems(404, 409)}
JSON, HTML, CSV = "application/json", "text/html", "text/csv"
REPORT_SCHEMA = {"type": "object", "description": "report.json; see docs/report.md"}
REPORT_BODY = {"requestBody": {"required": True, "content": {JSON: {"schema": REPORT_SCHEMA}}}}
JSON_FILE = {**ANSWERS, 200: file_answer(JSON, "Every number, byte for byte as the audit wrote it", REPORT_SCHEMA)}
HTML_FILE = {**ANSWERS, 200: file_answer(HTML, "One page that opens from disk, manifest and figures inside")}
CSV_FILE = {**ANSWERS, 200: file_answer(CSV, "One line each, under a header")}


@router.post("/import", status_code=201, openapi_extra=REPORT_BODY)
async def import_report(given: Given, request: Request) -> AuditSummary:
    """A report.json of the command line becomes an audit here; the same file twice is the same audit."""
    return await anyio.to_thread.run_sync(_import, given, await request.body())


@router.get("/{audit_id}/report.json", response_class=Response, responses=JSON_FILE)
def report_json(session: Reading, given: Given, audit_id: str, request: Request, response: Response) -> Response:
    row = the_answer(session, audit_id)
    keep(request, response, (row.report_sha256,))
    return _file(row, _written(given, row), JSON, "report.json", response)


@router.get("/{audit_id}/report.html", response_class=Response, responses=HTML_FILE)
def report_html(session: Reading, given: Given, audit_id: str, request: Request, response: Response) -> Response:
    row = the_answer(session, audit_id)
    keep(request, response, (row.report_sha256,))
    return _file(row, given.report_html(_report(given, row)).encode(), HTML, "report.html", response)


@router.get("/{audit_id}/prompts.csv", response_class=Response, responses=CSV_FILE)
def prompts_file(session: Reading, given: Given, audit_id: str, request: Request, response: Response) -> Response:
    row = the_answer(session, audit_id)
    keep(request, response, (row.report_sha256,))
    return _file(row, prompts_csv(_report(given, row).prompts).encode(), CSV, "prompts.csv", response)


@router.get("/{audit_id}/features.csv", response_class=Response, responses=CSV_FILE)
def features_file(session: Reading, given: Given, audit_id: str, request: Request, response: Response) -> Response:
    row = the_answer(session, audit_id)
    keep(request, response, (row.report_sha256,))
    return _file(row, features_csv(_report(given, row).features).encode(), CSV, "features.csv", response)


def _import(given: Services, content: bytes) -> AuditSummary:
    with given.database.transaction() as session:
        row = add_report(session, given.database.artifacts, content, origin="import")
        return views.audit_summary(row, None)


def _written(given: Services, row: AuditRow) -> bytes:
    assert row.report_sha256 is not None
    with given.database.artifacts.open(row.report_sha256) as file:
        return file.read()


def _report(given: Services, row: AuditRow) -> Report:
    return report_from_json(_written(given, row).decode("utf-8"))


def _file(row: AuditRow, content: bytes, media_type: str, name: str, kept: Response) -> Response:
    """To be saved, not shown: a page of ours never runs what a report holds."""
    disposition = {"Content-Disposition": f'attachment; filename="{row.id}-{name}"'}
    return Response(content, 200, {**dict(kept.headers), **disposition}, f"{media_type}; charset=utf-8")
