"""The one door: an ASGI middleware around everything, the dashboard's routes and websockets included.

Checks Host, Origin, size and who is asking; adds the headers that browsers act on. Knows no route's meaning but the
few that are open to everyone, and the pages that a read-only link opens.
"""

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.access import Access
from backend.api.body_limits import body_limit, limited
from backend.api.callers import CALLER, Caller
from backend.api.notice import notice_page
from backend.api.problem import ApiError, Forbidden, Unauthorized, problem_response

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
OPEN = re.compile(r"/(api/health|login|share/[^/]+)")  # to everyone: what signs in, and whether the server is up
PAGE_PARTS = re.compile(r"/(_dash-|assets/|_favicon\.ico)")  # what every page is made of; it holds no audit
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"


def page_policy(script_hashes: Sequence[str]) -> str:
    """The content-security policy of the dashboard's pages: own files and the inline scripts of these hashes.

    Styles may be inline: Mantine, AG Grid and Plotly write style elements at run time.
    """
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *script_hashes)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class Security:
    """hosts: names that a Host header may carry. policy: of pages, see `page_policy`."""

    def __init__(self, app: ASGIApp, access: Access, hosts: frozenset[str], policy: str) -> None:
        self._app, self._access, self._hosts, self._policy = app, access, hosts, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, headers = scope["path"], Headers(scope=scope)
        answer = self._secured(path, send)
        try:
            host = self._host(headers)
            if scope["method"] not in SAFE_METHODS:
                _same_origin(headers, host)
            receive = limited(receive, headers, body_limit(path))
            who = await self._who(scope)
            if who is not None and who.by_link:
                _keep_to_linked_pages(path, who)
        except ApiError as error:
            await self._refuse(scope, error)(scope, receive, answer)
            return
        token = CALLER.set(who)
        try:
            await self._app(scope, receive, answer)
        finally:
            CALLER.reset(token)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            host = self._host(headers)
            if headers.get("origin") is None:
                raise Forbidden("Origin: missing")
            _same_origin(headers, host)
            who = await self._who(scope)
        except ApiError:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        token = CALLER.set(who)
        try:
            await self._app(scope, receive, send)
        finally:
            CALLER.reset(token)

    def _host(self, headers: Headers) -> str:
        """The Host header, if it names this server: otherwise a page elsewhere may have had its name point here."""
        given = headers.getlist("host")
        name = urlsplit(f"//{given[0]}").hostname if len(given) == 1 and _HOST.fullmatch(given[0]) else None
        if name not in self._hosts:
            raise BadHost("Host: not a name of this server; start it with --hosts NAME to be called by another")
        return given[0].lower()

    async def _who(self, scope: Scope) -> Caller | None:
        """The caller; None for one who need not say. A request of the dashboard's own is its reader's."""
        inside = CALLER.get()
        if inside is not None:
            return inside
        if scope["type"] == "http" and OPEN.fullmatch(scope["path"]):
            return None
        connection = HTTPConnection(scope)
        if not self._access.reads_database(connection):
            return self._access.identify(connection)
        return await anyio.to_thread.run_sync(self._access.identify, connection)

    def _refuse(self, scope: Scope, error: ApiError) -> Response:
        """As a page for a browser that asked for one, else as a problem."""
        wants_page = scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", "")
        if wants_page and not scope["path"].startswith("/api/"):
            if isinstance(error, Unauthorized):
                return RedirectResponse(f"/login?next={quote(scope['path'], safe='/')}", 303)
            leave = ("/share/leave", "Leave this link") if error.status in (403, 410) else None
            return notice_page(error.status, error.title, error.detail, leave)
        return problem_response(error.status, error.title, error.detail, error.errors, error.headers)

    def _secured(self, path: str, send: Send) -> Send:
        data = path.startswith("/api/")

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", DATA_POLICY if data else self._policy)
                if data:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return answer


class BadHost(ApiError):
    status, title = 400, "Unknown host"


_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")


def _same_origin(headers: Headers, host: str) -> None:
    """A browser says where a request that changes something comes from. No browser: there is nothing to check."""
    origin = headers.get("origin")
    if origin is None:
        if headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none"):
            return
    elif urlsplit(origin).netloc.lower() == host and len(headers.getlist("origin")) == 1:
        return
    raise Forbidden("Origin: requests that change something must come from this server's own pages")


def _keep_to_linked_pages(path: str, who: Caller) -> None:
    """The API's routes are held to the link one by one (callers.py); here the rest is."""
    linked = f"/audits/{who.audit_id}"
    inside = path == linked or path.startswith((f"{linked}/", f"/api{linked}/")) or path == f"/api{linked}"
    if not (inside or PAGE_PARTS.match(path) or OPEN.fullmatch(path)):
        raise Forbidden("This link opens one audit for reading and nothing else")
