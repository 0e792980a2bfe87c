"""A whole server without its sockets: application, database, and a real worker process beside it on request."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.first_start import first_start
from app.server import create_app
from app.settings import Settings, read_settings
from backend.store import prompt_sets
from backend.store.database import Database
from tests.jobs.service import PROMPTS, start_worker, wait_until
from tests.planted_audits import FEW, some_prompts

TOKEN = "a-token-for-the-tests-0123456789"
SPEC = {"subject": "planted", "prompt_set": PROMPTS, "effort": "quick"}
NAME = "http://localhost"


@dataclass(frozen=True)
class Site:
    settings: Settings
    database: Database
    server: FastAPI
    client: TestClient  # the owner, when no token is asked for

    def visitor(self) -> TestClient:
        """A browser of its own that shows where it is sent instead of going there."""
        return TestClient(self.server, base_url=NAME, follow_redirects=False)

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a GET that must succeed."""
        return good(self.client.get(f"/api{path}", params=query))

    def post(self, path: str, body: Any = None) -> Any:
        return good(self.client.post(f"/api{path}", json=body))

    def ended(self, audit_id: str) -> dict[str, Any]:
        """The audit once its job has ended."""
        wait_until(lambda: self.get(f"/audits/{audit_id}")["audit"]["state"] in ("done", "failed", "cancelled"))
        return dict(self.get(f"/audits/{audit_id}")["audit"])

    @contextmanager
    def worker(self) -> Iterator[None]:
        process = start_worker(self.settings.data)
        try:
            wait_until(lambda: self.client.get("/api/ready").status_code == 200)
            yield
        finally:
            process.terminate()
            process.join()


@contextmanager
def open_site(data: Path, token: str | None = None) -> Iterator[Site]:
    """A started server with what every first start has, and a few planted prompts."""
    settings = read_settings({} if token is None else {"REFUSALSCOPE_TOKEN": token}, data=data)
    database = Database.open(settings.database, settings.data)
    first_start(database)
    with database.transaction() as session:
        prompt_sets.add(session, some_prompts(FEW), kind="planted", set_id=PROMPTS)
    server = create_app(settings, database)
    with TestClient(server, base_url=NAME) as client:
        yield Site(settings, database, server, client)
    database.close()


def good(response: httpx.Response) -> Any:
    assert response.is_success, f"{response.status_code} {response.text[:500]}"
    return response.json() if response.content else None


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """The problem that a refused request was answered with."""
    assert response.status_code == status, f"{response.status_code} {response.text[:500]}"
    assert response.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = response.json()
    assert content["status"] == status
    assert "\n" not in content["detail"]
    return content
