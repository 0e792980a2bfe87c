"""A real `refusalscope serve` with its real worker and SQLite file, as a user starts it, and its API for looking up."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.jobs.service import wait_until

ROOT = Path(__file__).parents[2]
SAID = re.compile(r"Refusalscope is at (http://127\.0\.0\.1:\d+)\n")


@dataclass(frozen=True)
class Service:
    url: str
    api: httpx.Client
    errors: Path  # what the processes wrote to their logs

    def get(self, path: str, **query: Any) -> Any:
        return self.api.get(f"/api{path}", params=query).raise_for_status().json()

    def example(self) -> dict[str, Any]:
        """The audit that ships with the product."""
        return dict(self.get("/audits", origin="example")["items"][0])

    def bring_in(self, report: str) -> str:
        """Id of the audit of a report made elsewhere."""
        answer = self.api.post("/api/audits/import", content=report, headers={"Content-Type": "application/json"})
        return str(answer.raise_for_status().json()["id"])

    def audited(self, prompt_set: str) -> str:
        """Id of a finished quick audit of the planted subject, once there is one."""
        spec = {"subject": "planted", "prompt_set": prompt_set, "effort": "quick"}
        audit = self.api.post("/api/audits", json={"spec": spec}).raise_for_status().json()["audit"]["id"]
        wait_until(lambda: self.get(f"/audits/{audit}")["audit"]["state"] == "done")
        return str(audit)

    def upload(self, name: str, content: str) -> str:
        """Id of the prompt set of a file."""
        files = {"file": (name, content.encode())}
        return str(self.api.post("/api/prompt-sets", files=files).raise_for_status().json()["id"])


@contextmanager
def serving(data: Path) -> Iterator[Service]:
    """The service on a data directory, its worker alive."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REFUSALSCOPE_")}
    errors = data / "log"
    with errors.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--port", "0", "--device", "cpu", "--data", str(data)],
            cwd=ROOT, env={**kept, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        said = SAID.fullmatch(process.stdout.readline())
        assert said is not None, errors.read_text()
        with httpx.Client(base_url=said[1], timeout=60) as api:
            wait_until(lambda: api.get("/api/ready").status_code == 200)
            yield Service(said[1], api, errors)
    finally:
        process.send_signal(signal.SIGTERM)  # it ends its worker
        try:
            process.wait(timeout=30)
        finally:
            process.kill()
            process.communicate()
