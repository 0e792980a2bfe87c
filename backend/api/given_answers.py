"""Answers given before, by ETag: a finished audit's are made once for all its readers. Knows bytes, not data."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 64 * 2**20  # of all answers together; the longest unasked go first
MOST_BYTES_EACH = 2 * 2**20


@dataclass(frozen=True)
class GivenAnswer:
    """As it went out: compressed, if its reader takes that."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


class GivenAnswers:
    """Filled by `Noting`; asked by routes once they know that their reader may have the answer, and its ETag."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._answers: OrderedDict[tuple[str, bool], GivenAnswer] = OrderedDict()
        self._lock = Lock()  # routes run in threads

    def get(self, etag: str, asked: Headers) -> GivenAnswer | None:
        """asked: the request's headers."""
        with self._lock:
            found = self._answers.get(key := (etag, _takes_gzip(asked)))
            if found is not None:
                self._answers.move_to_end(key)
            return found

    def put(self, etag: str, asked: Headers, answer: GivenAnswer) -> None:
        with self._lock:
            key = (etag, _takes_gzip(asked))
            if key in self._answers:
                self._bytes -= len(self._answers.pop(key).body)
            self._answers[key] = answer
            self._bytes += len(answer.body)
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._answers.popitem(last=False)[1].body)


class Noting:
    """ASGI middleware around compression: notes every whole answer of the API that has an ETag."""

    def __init__(self, app: ASGIApp, answers: GivenAnswers) -> None:
        self._app, self._answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        headers: MutableHeaders | None = None
        body = bytearray()

        async def noting(message: Message) -> None:
            nonlocal headers
            await send(message)
            if message["type"] == "http.response.start":
                found = MutableHeaders(raw=list(message["headers"]))
                if "content-encoding" not in found:
                    del found["vary"]  # compression adds it to what it looks at
                headers = found if message["status"] == 200 and "etag" in found else None
            elif message["type"] == "http.response.body" and headers is not None:
                body.extend(message.get("body", b""))
                if len(body) > MOST_BYTES_EACH:
                    headers = None
                    body.clear()
                elif not message.get("more_body", False):
                    answer = GivenAnswer(headers.raw, bytes(body))
                    self._answers.put(headers["etag"], Headers(scope=scope), answer)

        await self._app(scope, receive, noting)


def _takes_gzip(asked: Headers) -> bool:
    return "gzip" in asked.get("accept-encoding", "")
