"""Who is asking, kept beside the request; and how the holder of a read-only link is kept to it. Knows no cookie."""

from collections.abc import Awaitable, Callable, Collection
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from backend.api.problem import Forbidden


@dataclass(frozen=True)
class Caller:
    """One who was let in."""

    address: str  # as far as the server knows
    link_id: str | None = None  # came by this read-only link
    audit_id: str | None = None  # which opens this audit and nothing else

    @property
    def by_link(self) -> bool:
        return self.link_id is not None


CALLER: ContextVar[Caller | None] = ContextVar("caller", default=None)
"""Set by the security middleware for as long as a request is answered. The dashboard's own requests to the API, made
while it answers a page, are its reader's: they find the reader here."""


def caller() -> Caller:
    """Whom the request at hand comes from."""
    found = CALLER.get()
    if found is None:
        raise Forbidden("This request did not come through the server's door")
    return found


def keep_to_the_link(readable: Collection[Callable[..., Any]]) -> Callable[[Request], Awaitable[None]]:
    """A dependency of every API route: whoever came by a link reads its one audit, by these routes and no other."""

    async def check(request: Request) -> None:
        who = caller()
        linked = request.path_params.get("audit_id") == who.audit_id
        if who.by_link and not (linked and request.scope.get("endpoint") in readable):
            raise Forbidden("This link opens one audit for reading and nothing else; leave it at /share/leave")

    return check
