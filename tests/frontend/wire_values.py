"""Wire values as the API gives them, and a server that answers with them: for pages without a backend."""

from collections.abc import Mapping
from typing import Any

import httpx
from dash import Dash
from fastapi import FastAPI
from pydantic import BaseModel

from backend.api import schemas as wire
from frontend.api_client import ApiClient
from frontend.page import Ui


def audit(state: str = "done", **values: Any) -> wire.AuditSummary:
    plain = {
        "id": "a1", "name": "mine", "origin": "run", "subject": "planted", "prompt_set": "planted",
        "prompt_set_id": "planted", "n_prompts": 24, "effort": "quick", "state": state, "progress": None,
        "job_id": "j1", "error": None, "created": 1000.0, "started": None, "finished": None, "refusal_rate": None,
        "over_refusal_rate": None, "flipped_minimal": None, "flipped_random": None, "flipped_direction": None,
        "minimal_set_size": None,
    }  # fmt: skip
    return wire.AuditSummary.model_validate({**plain, **values})


def subject(name: str, **values: Any) -> wire.Subject:
    plain = {
        "id": name, "kind": "bundled", "description": f"about {name}", "ready": True, "problem": None,
        "layers": [3, 9], "check": None, "n_audits": 0,
    }  # fmt: skip
    return wire.Subject.model_validate({**plain, **values})


def prompt_set(name: str, **values: Any) -> wire.PromptSet:
    plain = {
        "id": name, "name": name, "kind": "bundled", "sha256": "0", "n": 5, "n_own": 3,
        "counts": {"harmful": {"discovery": 1, "test": 1}, "benign": {"discovery": 1}}, "notes": [], "created": 0.0,
    }  # fmt: skip
    return wire.PromptSet.model_validate({**plain, **values})


def page(*items: BaseModel) -> dict[str, Any]:
    """The only page of a list, as JSON."""
    return {"items": [item.model_dump(mode="json") for item in items], "total": len(items), "next_cursor": None}


def ui_over(answers: Mapping[str, Any]) -> Ui:
    """A dashboard whose API answers GET requests of these paths (without /api), and 404 to everything else."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api")
        if path in answers:
            return httpx.Response(200, json=answers[path])
        problem = wire.Problem(title="Not found", status=404, detail=f"{path}: there is none")
        return httpx.Response(404, json=problem.model_dump())

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://server")
    return Ui(Dash("test", server=FastAPI()), ApiClient(http))
