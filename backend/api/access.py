"""From what a request carries to who is asking: bearer token, link cookie, session cookie. Knows the links table."""

import time

from starlette.requests import HTTPConnection

from backend.api.callers import Caller
from backend.api.problem import Forbidden, Gone, Unauthorized
from backend.api.tokens import BadToken, Signer, same_token
from backend.store import links
from backend.store.database import Database
from backend.store.tables import LinkRow

LINK_COOKIE, SESSION_COOKIE = "refusalscope_link", "refusalscope_session"
SEEN_EVERY = 60.0  # seconds between notes of a link's use


class Access:
    """Who may come in.

    token: the access token; None lets in everyone who reaches the server, for it is bound to this machine alone.
    """

    def __init__(self, database: Database, signer: Signer, token: str | None) -> None:
        self.signer = signer
        self._database, self._token = database, token

    def reads_database(self, connection: HTTPConnection) -> bool:
        """Whether `identify` would: it may then have to wait."""
        return LINK_COOKIE in connection.cookies

    def identify(self, connection: HTTPConnection) -> Caller:
        """Whom a request comes from.

        A link counts before a session: what its holder sees is what was shared. Raises Unauthorized, Forbidden for a
        link that is forged or revoked, Gone for one that has expired.
        """
        address = connection.client.host if connection.client is not None else "unknown"
        bearer = self._bearer(connection)
        if self._token is not None and bearer is not None:
            if not same_token(bearer, self._token):
                raise Unauthorized("Authorization: not this server's access token")
            return Caller(address)
        link = connection.cookies.get(LINK_COOKIE)
        if link is not None:
            opened = self.open_link(link)
            return Caller(address, opened.id, opened.audit_id)
        if self._token is None:
            return Caller(address)
        session = connection.cookies.get(SESSION_COOKIE)
        if session is not None and self.signer.session_holds(session, time.time()):
            return Caller(address)
        raise Unauthorized(
            "This server asks for its access token: sign in at /login, or send it as Authorization: Bearer TOKEN",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def open_link(self, token: str) -> LinkRow:
        """The link of a token that holds, now. Raises Forbidden or Gone."""
        now = time.time()
        try:
            said = self.signer.read_link(token)
        except BadToken:
            raise Forbidden("This link is not one that this server gave out; ask its owner for another") from None
        with self._database.reading() as session:
            link = links.get(session, said.link_id)
        if link is None or link.revoked is not None:
            raise Forbidden("This link has been withdrawn; ask its owner for another")
        if now >= min(said.expires, link.expires):
            raise Gone("This link has expired; ask its owner for another")
        if link.last_used is None or now - link.last_used >= SEEN_EVERY:
            with self._database.transaction() as session:
                links.used(session, link.id, now=now)
        return link

    def opens(self, token: str) -> bool:
        """True for the access token."""
        return self._token is not None and same_token(token, self._token)

    @property
    def asks(self) -> bool:
        """True when an access token is demanded."""
        return self._token is not None

    def _bearer(self, connection: HTTPConnection) -> str | None:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None
