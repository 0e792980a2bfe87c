"""`refusalscope serve` as a process on loopback: started, timed, asked, killed. Knows HTTP and processes alone."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from backend.subjects.data_directory import data_directory

ADDRESS = "Refusalscope is at "
PATIENCE = 900.0  # seconds until a benchmark gives up


@dataclass(frozen=True, eq=False)
class Server:
    """A server that answers, and how long that took."""

    process: subprocess.Popen[str]
    client: httpx.Client
    start_seconds: float  # from starting the process to its first answer

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api{path}", params=query).raise_for_status().json()

    def post(self, path: str, body: Any = None) -> Any:
        return self.client.post(f"/api{path}", json=body).raise_for_status().json()

    def workers(self) -> list[dict[str, Any]]:
        return list(self.client.get("/api/ready").json()["workers"])

    def worker_processes(self) -> list[int]:
        """Ids of the processes it has started."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for file in children for pid in file.read_text().split()]

    def import_report(self, report: bytes) -> str:
        """The audit's id."""
        headers = {"Content-Type": "application/json"}
        answer = self.client.post("/api/audits/import", content=report, headers=headers)
        return str(answer.raise_for_status().json()["id"])

    def ended(self, audit_id: str) -> dict[str, Any]:
        """The audit once its job has ended."""
        wait_until(lambda: self.get(f"/audits/{audit_id}")["audit"]["state"] in ("done", "failed", "cancelled"))
        return dict(self.get(f"/audits/{audit_id}")["audit"])

    def end(self) -> None:
        """Politely, with its workers."""
        self.client.close()
        self.process.terminate()
        self.process.communicate()

    def kill(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.communicate()


def start(data: Path, *options: str, log: Path | None = None) -> Server:
    """Returns once it has answered. log: where its and its workers' lines go, appended; None: nowhere."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--data", str(data), *options]
    with open(log or os.devnull, "a") as lines:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=lines, text=True)
    assert process.stdout is not None
    said = process.stdout.readline()
    if not said.startswith(ADDRESS):
        raise RuntimeError(f"the server did not start: {said!r}")
    client = httpx.Client(base_url=said.removeprefix(ADDRESS).strip(), timeout=PATIENCE)
    client.get("/api/health").raise_for_status()
    return Server(process, client, time.perf_counter() - began)


@contextmanager
def serving(data: Path, *options: str) -> Iterator[Server]:
    """A server while inside, ended politely with its workers."""
    server = start(data, *options)
    try:
        yield server
    finally:
        server.end()


def with_subjects(data: Path) -> Path:
    """A data folder that has the subjects fetched on this machine, and nothing else."""
    data.mkdir(parents=True, exist_ok=True)
    fetched = data_directory() / "subjects"
    if fetched.is_dir():
        (data / "subjects").symlink_to(fetched.resolve(), target_is_directory=True)
    return data


def wait_until(true: Callable[[], bool], pause: float = 0.05) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError("waited too long")
        time.sleep(pause)
