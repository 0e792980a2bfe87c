"""The door: host, origin, token, size, headers; on the API, on the dashboard's routes and on its websocket."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.api.access import Access
from backend.api.body_limits import ANY_BYTES
from backend.api.callers import caller
from backend.api.security import Security
from backend.api.tokens import Signer
from tests.api.site import NAME, TOKEN, Site, problem

EVERYWHERE = ["/", "/audits", "/audits/x/prompts", "/_dash-layout", "/assets/theme.css", "/api/health", "/api/audits"]


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1@evil.example", "", "a b"])
def test_a_host_that_is_not_ours_is_refused(site: Site, path: str, host: str) -> None:
    assert "Host" in problem(site.client.get(path, headers={"Host": host}), 400)["detail"]


@pytest.mark.parametrize("host", ["localhost", "localhost:8050", "127.0.0.1:1", "[::1]:8050", "LOCALHOST"])
def test_names_of_this_machine_are_ours(site: Site, host: str) -> None:
    assert site.client.get("/api/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/api/audits", "/_dash-update-component", "/login"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_origin_changes_nothing(site: Site, path: str, headers: dict[str, str]) -> None:
    assert "Origin" in problem(site.client.post(path, json={}, headers=headers), 403)["detail"]


@pytest.mark.parametrize("headers", [{}, {"Origin": NAME}, {"Sec-Fetch-Site": "same-origin"}])
def test_our_own_pages_and_programs_may(site: Site, headers: dict[str, str]) -> None:
    assert site.client.post("/api/audits", json={}, headers=headers).status_code == 422


def behind_the_door(site: Site) -> TestClient:
    """A websocket that says who came, behind the same door as the server's."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        await websocket.send_text(caller().audit_id or "owner")
        await websocket.close()

    access = Access(site.database, Signer(site.settings.secret, site.settings.token), site.settings.token)
    return TestClient(Security(app, access, site.settings.hosts, ""), base_url=NAME)


def hears(client: TestClient, headers: dict[str, str]) -> str:
    with client.websocket_connect("ws://localhost/", headers=headers) as websocket:
        return websocket.receive_text()


def test_a_websocket_of_our_own_pages_is_accepted(site: Site) -> None:
    assert hears(behind_the_door(site), {"Origin": NAME}) == "owner"


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://evil.example"}, {"Origin": NAME, "Host": "evil.example"}])
def test_a_websocket_from_elsewhere_is_refused(site: Site, headers: dict[str, str]) -> None:
    with pytest.raises(WebSocketDisconnect):
        hears(behind_the_door(site), headers)


def test_a_websocket_needs_the_token_too(guarded: Site) -> None:
    with pytest.raises(WebSocketDisconnect):
        hears(behind_the_door(guarded), {"Origin": NAME})
    bearer = {"Origin": NAME, "Authorization": f"Bearer {TOKEN}"}
    assert hears(behind_the_door(guarded), bearer) == "owner"


@pytest.mark.parametrize("path", ["/", "/audits/x", "/api/health", "/api/none", "/api/docs", "/login", "/share/x"])
def test_every_answer_carries_the_headers_that_browsers_act_on(site: Site, path: str) -> None:
    headers = site.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == ("same-origin" if path == "/share/x" else "no-referrer")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    scripts = next((part for part in policy.split("; ") if part.startswith("script-src")), "")
    assert "unsafe-inline" not in scripts
    assert "http" not in policy


def test_api_answers_are_data_and_not_kept(site: Site) -> None:
    answer = site.client.get("/api/audits")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; frame")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/api/audits", "/api/audits/estimate", "/login"])
def test_a_body_that_is_too_large_is_refused(site: Site, path: str) -> None:
    whole = site.client.post(path, content=b"x" * (ANY_BYTES + 1))
    assert "larger than 1 MB" in problem(whole, 413)["detail"]


def test_a_body_of_unknown_length_is_counted(site: Site) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    answer = site.client.post("/api/audits", content=pieces(), headers={"Content-Type": "application/json"})
    assert "larger" in problem(answer, 413)["detail"]


# -- with an access token ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [path for path in EVERYWHERE if path != "/api/health"])
def test_without_the_token_nothing_opens(guarded: Site, path: str) -> None:
    answer = guarded.visitor().get(path)
    assert problem(answer, 401)["detail"].startswith("This server asks for its access token")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_whether_the_server_is_up_is_no_secret(guarded: Site) -> None:
    assert guarded.visitor().get("/api/health").json()["status"] == "ok"


def test_a_browser_is_sent_to_sign_in(guarded: Site) -> None:
    answer = guarded.visitor().get("/audits/x", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/audits/x")


@pytest.mark.parametrize(
    ("authorization", "status"),
    [(f"Bearer {TOKEN}", 200), (f"bearer {TOKEN}", 200), (f"Bearer {TOKEN}x", 401), ("Bearer", 401), (TOKEN, 401)],
)
def test_the_bearer_of_the_token_is_let_in(guarded: Site, authorization: str, status: int) -> None:
    assert guarded.visitor().get("/api/audits", headers={"Authorization": authorization}).status_code == status


def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_cannot_use(guarded: Site) -> None:
    browser = guarded.visitor()
    answer = browser.post("/login", data={"token": TOKEN, "next": "/audits/x"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/audits/x")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert TOKEN not in cookie
    assert browser.get("/api/audits").status_code == 200
    assert browser.get("/").status_code == 200


def test_a_wrong_token_is_told_and_sets_no_cookie(guarded: Site) -> None:
    browser = guarded.visitor()
    answer = browser.post("/login", data={"token": "wrong"})
    assert answer.status_code == 401
    assert "not the access token" in answer.text
    assert "set-cookie" not in answer.headers
    assert browser.get("/api/audits").status_code == 401


def test_a_session_ends_when_the_token_is_changed(guarded: Site) -> None:
    signer, other = Signer(guarded.settings.secret, TOKEN), Signer(guarded.settings.secret, "another-token-0123456789")
    session = signer.session(now=1000.0)
    assert signer.session_holds(session, now=1001.0)
    assert not signer.session_holds(session, now=1000.0 + 13 * 3600)
    assert not other.session_holds(session, now=1001.0)
    assert not signer.session_holds(signer.link("link_1", 1e12), now=1001.0)


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "/\tx", ""])
def test_signing_in_leads_to_our_own_pages_alone(guarded: Site, elsewhere: str) -> None:
    answer = guarded.visitor().post("/login", data={"token": TOKEN, "next": elsewhere})
    assert answer.headers["location"] == "/"


def test_the_form_can_be_sent(guarded: Site) -> None:
    """From a page without referrer a browser sends it with the origin "null"; no other origin is as good."""
    browser = guarded.visitor()
    assert browser.get("/login").headers["referrer-policy"] == "same-origin"
    sent = {"token": TOKEN}
    assert browser.post("/login", data=sent, headers={"Origin": NAME}).status_code == 303
    assert browser.post("/login", data=sent, headers={"Origin": "null"}).status_code == 403


def test_what_a_form_repeats_is_text(guarded: Site) -> None:
    page = guarded.visitor().get("/login", params={"next": '/"><script>alert(1)</script>'})
    assert "<script>" not in page.text
