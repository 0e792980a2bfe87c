"""A real `refusalscope serve` with its real worker and SQLite file, as a user starts it, and its API for looking up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.service.server import Server, start, wait_until


@dataclass(frozen=True)
class Service:
    server: Server
    log: Path  # what the processes wrote to their logs

    @property
    def api(self) -> httpx.Client:
        return self.server.client

    @property
    def url(self) -> str:
        return str(self.api.base_url).rstrip("/")

    def get(self, path: str, **query: Any) -> Any:
        return self.server.get(path, **query)

    def example(self) -> dict[str, Any]:
        """The audit that ships with the product."""
        return dict(self.get("/audits", origin="example")["items"][0])

    def audited(self, prompt_set: str) -> str:
        """Id of a finished quick audit of the planted subject."""
        spec = {"subject": "planted", "prompt_set": prompt_set, "effort": "quick"}
        audit = self.server.post("/audits", {"spec": spec})["audit"]["id"]
        assert self.server.ended(audit)["state"] == "done"
        return str(audit)

    def upload(self, name: str, content: str) -> str:
        """Id of the prompt set of a file."""
        files = {"file": (name, content.encode())}
        return str(self.api.post("/api/prompt-sets", files=files).raise_for_status().json()["id"])


@contextmanager
def serving(data: Path) -> Iterator[Service]:
    """The service on a data directory, its worker alive."""
    log = data / "log"
    server = start(data, "--device", "cpu", log=log)
    try:
        wait_until(lambda: server.workers() != [])
        yield Service(server, log)
    finally:
        server.end()
