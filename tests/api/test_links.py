"""Read-only links: what one opens, and that nothing else opens by it, whatever it is tried on."""

import json
import re
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.server import api_document
from backend.api.tokens import Signer
from backend.store import links
from tests.api.conftest import Audited
from tests.api.site import problem

READ = {
    "/api/audits/{audit_id}",
    "/api/audits/{audit_id}/distributions",
    "/api/audits/{audit_id}/cascade",
    "/api/audits/{audit_id}/interactions",
    "/api/audits/{audit_id}/cascade-graph",
    "/api/audits/{audit_id}/perturbed",
    "/api/audits/{audit_id}/prompts",
    "/api/audits/{audit_id}/prompts/{prompt_id}",
    "/api/audits/{audit_id}/features",
    "/api/audits/{audit_id}/features/{feature}",
    "/api/audits/{audit_id}/features/{feature}/prompts",
}
OPERATIONS = sorted((path, method) for path, operations in api_document()["paths"].items() for method in operations)
OPEN = "/api/health"


def filled(path: str, audited: Audited, audit_id: str | None = None) -> str:
    """A path of the document with what there is."""
    given = {
        "audit_id": audit_id or audited.id,
        "prompt_id": audited.prompt,
        "feature": audited.feature,
        "subject_id": "planted",
        "set_id": "planted",
        "job_id": str(audited.site.get(f"/audits/{audited.id}")["audit"]["job_id"]),
        "link_id": "link_1",
    }
    return re.sub(r"{(\w+)}", lambda found: given[found[1]], path)


@pytest.fixture(scope="module")
def link(audited: Audited) -> dict[str, Any]:
    created: dict[str, Any] = audited.site.post(f"/audits/{audited.id}/links", {"label": "for a colleague", "days": 2})
    return created


@pytest.fixture
def reader(audited: Audited, link: dict[str, Any]) -> TestClient:
    """A browser that has opened the link."""
    browser = audited.site.visitor()
    answer = browser.get(link["url"])
    assert (answer.status_code, answer.headers["location"]) == (303, f"/audits/{audited.id}")
    assert "HttpOnly" in answer.headers["set-cookie"]
    return browser


@pytest.fixture(scope="module")
def other_audit(audited: Audited) -> str:
    """The same results under another id."""
    report = audited.site.client.get(f"{audited.path}/report.json").content
    answer = audited.site.client.post(
        "/api/audits/import", content=report, headers={"Content-Type": "application/json"}
    )
    return str(answer.json()["id"])


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_a_link_reads_its_audit_and_nothing_else(
    audited: Audited, other_audit: str, reader: TestClient, path: str, method: str
) -> None:
    mine = reader.request(method.upper(), filled(path, audited), json={} if method != "get" else None)
    if method == "get" and path in READ:
        assert mine.status_code == 200
        problem(reader.get(filled(path, audited, other_audit)), 403)
    elif path != OPEN:
        assert "This link opens one audit" in problem(mine, 403)["detail"]


@pytest.mark.parametrize(
    "path", ["/", "/audits", "/audits/new", "/audits/other", "/api/docs", "/api/openapi.json", "/x"]
)
def test_a_link_opens_no_other_page(audited: Audited, reader: TestClient, path: str) -> None:
    page = reader.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 403
    assert audited.id not in page.text


@pytest.mark.parametrize("page", ["", "/prompts", "/features", "/prompts/x", "/features/1-2"])
def test_a_link_opens_the_pages_of_its_audit(audited: Audited, reader: TestClient, page: str) -> None:
    assert reader.get(f"/audits/{audited.id}{page}").status_code == 200
    assert reader.get("/_dash-layout").status_code == 200


def test_what_is_read_by_a_link_says_so(audited: Audited, reader: TestClient) -> None:
    assert reader.get(audited.path).json()["read_only"] is True
    assert audited.site.get(f"/audits/{audited.id}")["read_only"] is False


def test_a_slash_in_a_prompt_id_leads_nowhere_else(audited: Audited, reader: TestClient) -> None:
    for more in ("/sets", "%2Fsets", "/../../links", "/what-if"):
        assert reader.get(f"{audited.prompt_path}{more}").status_code in (403, 404)


def test_its_use_is_noted(audited: Audited, reader: TestClient, link: dict[str, Any]) -> None:
    listed = audited.site.get(f"/audits/{audited.id}/links")["items"]
    mine = next(one for one in listed if one["id"] == link["link"]["id"])
    assert mine["last_used"] is not None
    assert mine["label"] == "for a colleague"
    assert link["url"].rpartition("/")[2] not in json.dumps(listed)


def test_a_reader_can_leave(audited: Audited, reader: TestClient) -> None:
    answer = reader.get("/share/leave")
    assert answer.headers["location"] == "/"
    assert reader.get("/api/audits").status_code == 200


def revoked(audited: Audited) -> str:
    created = audited.site.post(f"/audits/{audited.id}/links", {"days": 1})
    assert audited.site.client.delete(f"/api/links/{created['link']['id']}").status_code == 204
    return str(created["url"]).rpartition("/")[2]


def expired(audited: Audited) -> str:
    now = time.time()
    with audited.site.database.transaction() as session:
        row = links.create(session, audited.id, label="", created=now - 10, expires=now - 1)
    return Signer(audited.site.settings.secret, None).link(row.id, row.expires)


def prolonged(audited: Audited) -> str:
    """Signed by us with a later end than the table has: the earlier counts."""
    now = time.time()
    with audited.site.database.transaction() as session:
        row = links.create(session, audited.id, label="", created=now - 10, expires=now - 1)
    return Signer(audited.site.settings.secret, None).link(row.id, now + 1e6)


def forged(audited: Audited) -> str:
    created = audited.site.post(f"/audits/{audited.id}/links", {"days": 1})
    return Signer(b"another secret" * 3, None).link(created["link"]["id"], time.time() + 1000)


def tampered(audited: Audited) -> str:
    token = str(audited.site.post(f"/audits/{audited.id}/links", {"days": 1})["url"]).rpartition("/")[2]
    # Not the last character: its low bits are no part of the signature.
    return token[:-4] + ("A" if token[-4] != "A" else "B") + token[-3:]


def session_as_link(audited: Audited) -> str:
    return Signer(audited.site.settings.secret, None).session(time.time())


BAD = [(revoked, 403), (expired, 410), (prolonged, 410), (forged, 403), (tampered, 403), (session_as_link, 403)]


@pytest.mark.parametrize(("make", "status"), BAD)
def test_a_link_that_does_not_hold_opens_no_route(audited: Audited, make: Any, status: int) -> None:
    token = make(audited)
    visitor = audited.site.visitor()
    page = visitor.get(f"/share/{token}", headers={"Accept": "text/html"})
    assert page.status_code == status
    assert "This link does not open" in page.text
    assert "set-cookie" not in page.headers
    visitor.cookies.set("refusalscope_link", token)
    for path, method in OPERATIONS:
        if path != OPEN:
            problem(visitor.request(method.upper(), filled(path, audited)), status)
    for path in ("/", f"/audits/{audited.id}", "/_dash-layout", "/_dash-update-component", "/assets/theme.css"):
        assert visitor.get(path).status_code == status


def test_a_link_to_a_deleted_audit_is_gone_with_it(audited: Audited, other_audit: str) -> None:
    created = audited.site.post(f"/audits/{other_audit}/links", {"days": 1})
    visitor = audited.site.visitor()
    assert visitor.get(created["url"]).status_code == 303
    assert audited.site.client.delete(f"/api/audits/{other_audit}").status_code == 204
    assert visitor.get("/").status_code == 403
    assert visitor.get(created["url"]).status_code == 403
