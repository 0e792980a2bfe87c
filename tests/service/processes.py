"""The web process, really listening and really killed; forked like the workers of tests/jobs, so it starts at once."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

from tests.forking import started
from tests.jobs.service import wait_until, work


class Web:
    """One web process on a data folder, its workers started by whoever tests. log: where its lines go."""

    def __init__(self, data: Path, log: Path | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.process: BaseProcess = started(_serve, data, port, log=log)
        wait_until(self.answers)

    def answers(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.address}/api/health").is_success
        return False

    def page(self, path: str) -> str:
        """What the browser that has come to this address gets to draw."""
        request = {
            "output": "..page.children...page-title.data..",
            "outputs": [{"id": "page", "property": "children"}, {"id": "page-title", "property": "data"}],
            "inputs": [{"id": "page-address", "property": "data", "value": {"pathname": path, "search": ""}}],
            "changedPropIds": ["page-address.data"],
            "state": [],
        }
        answer = httpx.post(f"{self.address}/_dash-update-component", json=request, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.text

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    @contextmanager
    def kept_busy(self, audit_id: str) -> Iterator[None]:
        """While inside, somebody who has renamed the audit does it over and over: a kill finds a write under way."""
        stop, audit = threading.Event(), f"{self.address}/api/audits/{audit_id}"
        httpx.patch(audit, json={"name": "renamed"}).raise_for_status()

        def rename_again() -> None:
            with httpx.Client() as client, suppress(httpx.TransportError):
                while not stop.is_set():
                    client.patch(audit, json={"name": "renamed"})

        thread = threading.Thread(target=rename_again)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def start_logged_worker(data: Path, log: Path) -> BaseProcess:
    return started(work, data, log=log)


def _serve(data: Path, port: int) -> None:
    from app.serve import run
    from app.settings import read_settings

    run(read_settings({}, data=data, port=port, worker=False))
