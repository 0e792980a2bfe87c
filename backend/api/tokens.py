"""Signed tokens: read-only links and sessions. Knows signatures and times; knows no database and no request."""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from itsdangerous import BadSignature, URLSafeSerializer

LINK, SESSION = "read-only link", "session"
SESSION_SECONDS = 12 * 3600


class BadToken(Exception):
    """Not a token that this server signed."""


@dataclass(frozen=True)
class LinkToken:
    """What a link's token says; whether the link still holds is in the links table."""

    link_id: str
    expires: float  # UTC seconds since 1970


class Signer:
    """Makes and reads tokens.

    secret: of this data folder. access_token: sessions end when it is changed.
    """

    def __init__(self, secret: bytes, access_token: str | None) -> None:
        self._links = URLSafeSerializer(secret, salt=LINK, signer_kwargs=_SHA256)
        owner = sha256((access_token or "").encode()).hexdigest()
        self._sessions = URLSafeSerializer(secret, salt=f"{SESSION} {owner}", signer_kwargs=_SHA256)

    def link(self, link_id: str, expires: float) -> str:
        return str(self._links.dumps([link_id, expires]))

    def read_link(self, token: str) -> LinkToken:
        """Raises BadToken; an expired token is read like any other."""
        link_id, expires = _load(self._links, token)
        return LinkToken(str(link_id), float(expires))

    def session(self, now: float) -> str:
        """For whoever has shown the access token."""
        return str(self._sessions.dumps([now + SESSION_SECONDS, 0]))

    def session_holds(self, token: str, now: float) -> bool:
        try:
            expires, _ = _load(self._sessions, token)
        except BadToken:
            return False
        return now < float(expires)


def same_token(given: str, wanted: str) -> bool:
    """Compares in a time that tells nothing of where they differ."""
    return hmac.compare_digest(sha256(given.encode("utf-8", "replace")).digest(), sha256(wanted.encode()).digest())


_SHA256 = {"digest_method": sha256}


def _load(serializer: URLSafeSerializer, token: str) -> tuple[object, object]:
    try:
        first, second = serializer.loads(token)
    except (BadSignature, ValueError, TypeError) as error:
        raise BadToken from error
    return first, second
