"""The dashboard's only way to the backend: one method a route, wire types in and out. Knows no component.

Works over HTTP and, with `httpx.ASGITransport`, within the process. Whatever is not a success is an `ApiProblem`.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from backend.api import schemas as wire
from backend.audit.results import CascadeSummary, Interactions

T = TypeVar("T")
Filters = Mapping[str, Any]


class ApiProblem(Exception):
    """The API said no. Its text is one line fit for a user; `errors` are the problems of single lines or fields."""

    def __init__(self, problem: wire.Problem) -> None:
        super().__init__(problem.detail)
        self.status, self.title, self.detail, self.errors = (
            problem.status,
            problem.title,
            problem.detail,
            problem.errors,
        )


class ApiClient:
    """`http` has the base URL of the server, and whatever lets its user in."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    # -- Health

    async def ready(self) -> wire.Readiness:
        """Readiness, whether or not it is ready (503 carries the same body)."""
        response = await self._send("GET", "/ready")
        if response.status_code not in (200, 503):
            raise _problem(response)
        return _adapter(wire.Readiness).validate_json(response.content)

    # -- Subjects

    async def subjects(self, **filters: Any) -> wire.Page[wire.Subject]:
        return await self._get(wire.Page[wire.Subject], "/subjects", filters)

    async def subject(self, subject_id: str) -> wire.Subject:
        return await self._get(wire.Subject, f"/subjects/{_part(subject_id)}")

    async def check_subject(self, subject_id: str) -> wire.Job:
        return await self._post(wire.Job, f"/subjects/{_part(subject_id)}/check")

    # -- Prompt sets

    async def prompt_sets(self, **filters: Any) -> wire.Page[wire.PromptSet]:
        return await self._get(wire.Page[wire.PromptSet], "/prompt-sets", filters)

    async def prompt_set(self, set_id: str) -> wire.PromptSet:
        return await self._get(wire.PromptSet, f"/prompt-sets/{_part(set_id)}")

    async def prompt_set_prompts(self, set_id: str, **filters: Any) -> wire.Page[wire.PromptText]:
        return await self._get(wire.Page[wire.PromptText], f"/prompt-sets/{_part(set_id)}/prompts", filters)

    async def upload_prompts(self, file_name: str, content: bytes) -> wire.PromptSet:
        files = {"file": (file_name, content, "application/octet-stream")}
        return _read(wire.PromptSet, await self._send("POST", "/prompt-sets", files=files))

    async def paste_prompts(self, pasted: wire.PastedPrompts) -> wire.PromptSet:
        return await self._post(wire.PromptSet, "/prompt-sets/paste", pasted)

    async def delete_prompt_set(self, set_id: str) -> None:
        await self._delete(f"/prompt-sets/{_part(set_id)}")

    # -- Audits

    async def estimate(self, spec: wire.AuditSpec) -> wire.Estimate:
        return await self._post(wire.Estimate, "/audits/estimate", spec)

    async def submit(self, request: wire.AuditRequest) -> wire.Submitted:
        return await self._post(wire.Submitted, "/audits", request)

    async def import_report(self, report: bytes) -> wire.AuditSummary:
        headers = {"content-type": "application/json"}
        return _read(wire.AuditSummary, await self._send("POST", "/audits/import", content=report, headers=headers))

    async def audits(self, **filters: Any) -> wire.Page[wire.AuditSummary]:
        return await self._get(wire.Page[wire.AuditSummary], "/audits", filters)

    async def audit(self, audit_id: str) -> wire.AuditDetail:
        return await self._get(wire.AuditDetail, _audit(audit_id))

    async def rename_audit(self, audit_id: str, name: str) -> wire.AuditSummary:
        return await self._post(wire.AuditSummary, _audit(audit_id), wire.Renamed(name=name), method="PATCH")

    async def delete_audit(self, audit_id: str) -> None:
        await self._delete(_audit(audit_id))

    async def cancel_audit(self, audit_id: str) -> wire.AuditSummary:
        return await self._post(wire.AuditSummary, _audit(audit_id, "cancel"))

    async def resume_audit(self, audit_id: str) -> wire.AuditSummary:
        return await self._post(wire.AuditSummary, _audit(audit_id, "resume"))

    async def rerun_audit(self, audit_id: str) -> wire.Submitted:
        return await self._post(wire.Submitted, _audit(audit_id, "rerun"))

    async def distributions(self, audit_id: str) -> wire.Distributions:
        return await self._get(wire.Distributions, _audit(audit_id, "distributions"))

    async def cascade(self, audit_id: str) -> CascadeSummary:
        return await self._get(CascadeSummary, _audit(audit_id, "cascade"))

    async def interactions(self, audit_id: str) -> Interactions:
        return await self._get(Interactions, _audit(audit_id, "interactions"))

    async def cascade_graph(self, audit_id: str) -> wire.CascadeGraph:
        return await self._get(wire.CascadeGraph, _audit(audit_id, "cascade-graph"))

    async def perturbed(self, audit_id: str) -> list[wire.PerturbedLine]:
        return await self._get(list[wire.PerturbedLine], _audit(audit_id, "perturbed"))

    # -- Prompts of an audit

    async def prompts(self, audit_id: str, **filters: Any) -> wire.Page[wire.PromptLine]:
        return await self._get(wire.Page[wire.PromptLine], _audit(audit_id, "prompts"), filters)

    async def prompt(self, audit_id: str, prompt_id: str) -> wire.PromptDetail:
        return await self._get(wire.PromptDetail, _audit(audit_id, "prompts", prompt_id))

    async def what_if(self, audit_id: str, prompt_id: str, request: wire.WhatIfRequest) -> wire.WhatIfResult:
        return await self._post(wire.WhatIfResult, _audit(audit_id, "prompts", prompt_id, "what-if"), request)

    async def reveal(self, audit_id: str, prompt_id: str, request: wire.RevealRequest) -> wire.Revealed:
        return await self._post(wire.Revealed, _audit(audit_id, "prompts", prompt_id, "reveal"), request)

    async def reveals(self, audit_id: str, **filters: Any) -> wire.Page[wire.Reveal]:
        return await self._get(wire.Page[wire.Reveal], _audit(audit_id, "reveals"), filters)

    async def saved_sets(self, audit_id: str, prompt_id: str, **filters: Any) -> wire.Page[wire.SavedSet]:
        return await self._get(wire.Page[wire.SavedSet], _audit(audit_id, "prompts", prompt_id, "sets"), filters)

    async def save_set(self, audit_id: str, prompt_id: str, new: wire.NewSavedSet) -> wire.SavedSet:
        return await self._post(wire.SavedSet, _audit(audit_id, "prompts", prompt_id, "sets"), new)

    async def delete_saved_set(self, set_id: str) -> None:
        await self._delete(f"/saved-sets/{_part(set_id)}")

    # -- Judges and persons

    async def disagreements(self, audit_id: str, **filters: Any) -> wire.Page[wire.DisagreementRow]:
        return await self._get(wire.Page[wire.DisagreementRow], _audit(audit_id, "disagreements"), filters)

    async def corrected_counts(self, audit_id: str) -> list[wire.CorrectedCount]:
        return await self._get(list[wire.CorrectedCount], _audit(audit_id, "verdicts", "counts"))

    async def add_verdict(self, audit_id: str, new: wire.NewVerdict) -> wire.HumanVerdict:
        return await self._post(wire.HumanVerdict, _audit(audit_id, "verdicts"), new)

    # -- Features of an audit

    async def features(self, audit_id: str, **filters: Any) -> wire.Page[wire.FeatureLine]:
        return await self._get(wire.Page[wire.FeatureLine], _audit(audit_id, "features"), filters)

    async def feature(self, audit_id: str, feature: str) -> wire.FeatureDetail:
        return await self._get(wire.FeatureDetail, _audit(audit_id, "features", feature))

    async def feature_prompts(self, audit_id: str, feature: str, **filters: Any) -> wire.Page[wire.FeaturePrompt]:
        return await self._get(wire.Page[wire.FeaturePrompt], _audit(audit_id, "features", feature, "prompts"), filters)

    # -- Comparing audits

    async def comparison(self, **asked: Any) -> wire.Comparison:
        return await self._get(wire.Comparison, "/comparisons", asked)

    async def compared_prompts(self, **asked: Any) -> wire.Page[wire.ComparedPrompt]:
        return await self._get(wire.Page[wire.ComparedPrompt], "/comparisons/prompts", asked)

    # -- Sharing

    async def links(self, audit_id: str, **filters: Any) -> wire.Page[wire.Link]:
        return await self._get(wire.Page[wire.Link], _audit(audit_id, "links"), filters)

    async def create_link(self, audit_id: str, new: wire.NewLink) -> wire.CreatedLink:
        return await self._post(wire.CreatedLink, _audit(audit_id, "links"), new)

    async def revoke_link(self, link_id: str) -> None:
        await self._delete(f"/links/{_part(link_id)}")

    # -- Jobs

    async def job(self, job_id: str) -> wire.Job:
        return await self._get(wire.Job, f"/jobs/{_part(job_id)}")

    async def cancel_job(self, job_id: str) -> wire.Job:
        return await self._post(wire.Job, f"/jobs/{_part(job_id)}/cancel")

    # -- How

    async def _get(self, kind: type[T], path: str, filters: Filters | None = None) -> T:
        given = {name: value for name, value in (filters or {}).items() if value not in (None, "", [])}
        return _read(kind, await self._send("GET", path, params=given))

    async def _post(self, kind: type[T], path: str, body: wire.Wire | None = None, method: str = "POST") -> T:
        json = None if body is None else body.model_dump(mode="json")
        return _read(kind, await self._send(method, path, json=json))

    async def _delete(self, path: str) -> None:
        response = await self._send("DELETE", path)
        if not response.is_success:
            raise _problem(response)

    async def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return await self._http.request(method, f"/api{path}", **content)
        except httpx.TransportError as error:
            detail = f"The server did not answer ({type(error).__name__}): try again in a moment"
            raise ApiProblem(wire.Problem(title="No answer", status=503, detail=detail)) from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _read(kind: type[T], response: httpx.Response) -> T:
    if not response.is_success:
        raise _problem(response)
    return _adapter(kind).validate_json(response.content)


def _problem(response: httpx.Response) -> ApiProblem:
    try:
        return ApiProblem(_adapter(wire.Problem).validate_json(response.content))
    except ValidationError:
        detail = f"The server answered {response.status_code} {response.reason_phrase}"
        title = response.reason_phrase or "Error"
        return ApiProblem(wire.Problem(title=title, status=response.status_code, detail=detail))


def _part(name: str) -> str:
    """One path segment: a name with a slash or a question mark stays one."""
    return quote(name, safe=":")


def _audit(audit_id: str, *rest: str) -> str:
    return "/audits/" + "/".join(_part(name) for name in (audit_id, *rest))
