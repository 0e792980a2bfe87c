"""An OpenAI-compatible chat endpoint: one question in, one answer out, with time-outs, retries and a budget of calls.

Knows HTTP; knows nothing of refusals. The key goes into one header of one address and nowhere else: redirects are not
followed, and no error, log line or name holds it.
"""

import ipaddress
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from backend.errors import AuditFailed, BadInput

PATH = "chat/completions"
TRY_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
MOST_BYTES = 1_000_000  # of one answer
MOST_TOKENS = 200  # of one answer; the form takes about 25


@dataclass(frozen=True)
class Patience:
    """How long one question may take, in seconds."""

    connect: float = 10.0
    answer: float = 90.0  # of one try, from its beginning to the last byte
    tries: int = 5
    first_wait: float = 1.0  # before the second try; doubled before each further one
    longest_wait: float = 30.0  # also of what the server asks for in Retry-After


@dataclass
class Endpoint:
    """Implements `backend.audit.refusal.judges.llm.ChatEndpoint`."""

    url: str  # of the API, up to and with /v1
    model: str
    calls_left: int  # tries that may still be made; each counts, failed ones too
    key: str | None = field(default=None, repr=False)
    patience: Patience = Patience()
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self.url = checked_url(self.url)
        self.name = f"{self.url}#{self.model}"
        self._lock = threading.Lock()
        own_machine = is_loopback(urlsplit(self.url).hostname or "")
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        self._client = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(self.patience.answer, connect=self.patience.connect),
            follow_redirects=False,
            trust_env=not own_machine,  # no proxy stands between this machine and itself
        )

    def reserve(self, calls: int) -> None:
        """Raises AuditFailed when the budget does not hold so many more calls."""
        with self._lock:
            if calls > self.calls_left:
                raise AuditFailed(
                    f"--judge llm:{self.name}: its budget holds {self.calls_left} more calls and {calls} are needed; "
                    "raise REFUSALSCOPE_JUDGE_CALLS and go on with --resume, what is judged is kept"
                )

    def ask(self, messages: list[dict[str, str]]) -> str:
        """The answer's text; raises AuditFailed, one line without any text of the question or answer."""
        question = {"model": self.model, "messages": messages, "temperature": 0, "max_tokens": MOST_TOKENS}
        problem, wait = "", self.patience.first_wait
        for attempt in range(self.patience.tries):
            if attempt:
                self.sleep(min(wait, self.patience.longest_wait))
                wait *= 2
            self._spend()
            try:
                status, headers, body = self._post(question)
            except httpx.TimeoutException:
                problem = "no answer in time"
                continue
            except httpx.HTTPError as error:
                problem = f"no connection ({type(error).__name__})"
                continue
            if status in TRY_AGAIN:
                problem = f"status {status}"
                wait = max(wait, _seconds(headers.get("retry-after")))
                continue
            return self._text(status, body)
        raise AuditFailed(f"--judge llm:{self.name}: {problem}, {self.patience.tries} times; go on with --resume later")

    def _spend(self) -> None:
        self.reserve(1)
        with self._lock:
            self.calls_left -= 1

    def _post(self, question: dict[str, Any]) -> tuple[int, httpx.Headers, bytes]:
        until, body = time.monotonic() + self.patience.answer, bytearray()
        with self._client.stream("POST", f"{self.url}/{PATH}", json=question) as response:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    raise AuditFailed(f"--judge llm:{self.name}: its answer is larger than {MOST_BYTES} bytes")
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("dripping")
            return response.status_code, response.headers, bytes(body)

    def _text(self, status: int, body: bytes) -> str:
        where = f"--judge llm:{self.name}"
        if 300 <= status < 400:
            raise AuditFailed(f"{where}: it answers with a redirect, which is not followed; give the final address")
        if status in (401, 403):
            raise AuditFailed(f"{where}: it wants a key that may use this model (status {status}); "
                              "set REFUSALSCOPE_JUDGE_KEY")  # fmt: skip
        if status != 200:
            raise AuditFailed(f"{where}: status {status}; check the address (up to /v1) and the model's name")
        try:
            text = json.loads(body)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError):
            text = None
        if not isinstance(text, str):
            raise AuditFailed(f"{where}: its answer is not one of an OpenAI-compatible chat endpoint") from None
        return text


def checked_url(url: str) -> str:
    """The address without a trailing slash; raises BadInput unless it is https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise BadInput("--judge llm: its address cannot be read; give https://HOST/v1#MODEL") from None
    if parts.username is not None or parts.password is not None or parts.query or not host:
        raise BadInput(
            "--judge llm: give https://HOST/v1#MODEL, with no name, password or query in it; "
            "the key comes from REFUSALSCOPE_JUDGE_KEY"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise BadInput(f"--judge llm:{parts.scheme}://{host}: completions and key travel there; use https")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0.0
