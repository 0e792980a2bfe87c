"""A store with the planted subject and a few prompts, and real worker processes on it."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from backend.api.schemas import AuditSpec
from backend.jobs.audit_run import AuditRun
from backend.reports.audit_folder import AuditFolder
from backend.store import audits, jobs, prompt_sets, subjects
from backend.store.database import Database
from backend.store.tables import AuditRow, JobRow
from backend.subjects.subject import load_subject
from tests.forking import started
from tests.planted_audits import FEW, QUICK, some_prompts

PROMPTS = "few"  # id of the prompt set
LEASE = 1.5  # seconds: a killed worker's job is free again soon
PATIENCE = 120.0  # seconds until a test gives up


class Service:
    """One data directory, as the web process would use it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.database = Database.open(None, data)
        with self.database.transaction() as session:
            subjects.add(session, "planted", kind="planted")
            prompt_sets.add(session, some_prompts(FEW), kind="planted", set_id=PROMPTS)

    def submit_audit(self, *, fresh: bool = False, **options: Any) -> tuple[str, str]:
        """Ids of a new audit and its job; fresh: it takes no pieces of others."""
        spec = AuditSpec(subject="planted", prompt_set=PROMPTS, effort="quick", **options)
        with self.database.transaction() as session:
            audit = audits.create(
                session,
                name="test",
                origin="run",
                subject_id=spec.subject,
                prompt_set="planted",
                prompt_set_id=PROMPTS,
                n_prompts=len(some_prompts(FEW).own),
                spec=spec.model_dump(),
                spec_sha256="0" * 64,
                created=time.time(),
            )
            return audit.id, audits.enqueue(session, audit.id, {"fresh": fresh}).id

    def submit(self, kind: str, args: dict[str, Any], priority: int = 10) -> str:
        with self.database.transaction() as session:
            return jobs.submit(session, kind, args, priority=priority).id

    def job(self, job_id: str) -> JobRow:
        with self.database.reading() as session:
            found = jobs.read(session, job_id)
        assert found is not None
        return found

    def audit(self, audit_id: str) -> AuditRow:
        with self.database.reading() as session:
            found = audits.get(session, audit_id)
            assert found is not None
            _ = found.summary  # read only when asked for, and only here
        return found

    def ended(self, job_id: str) -> JobRow:
        """The job once it has ended."""
        wait_until(lambda: self.job(job_id).state in ("done", "failed", "cancelled"))
        return self.job(job_id)

    def ask(self, kind: str, args: dict[str, Any]) -> JobRow:
        """Submit an interactive job and wait for its end."""
        return self.ended(self.submit(kind, args))

    def report(self, audit_id: str) -> dict[str, Any]:
        """The stored report.json, timings aside."""
        digest = self.audit(audit_id).report_sha256
        assert digest is not None
        with self.database.artifacts.open(digest) as file:
            return without_timings(file.read())

    @contextmanager
    def worker(self) -> Iterator[BaseProcess]:
        """A worker process while inside; ended politely afterwards if it still is there."""
        process = start_worker(self.data)
        try:
            yield process
        finally:
            process.terminate()
            process.join()


def start_worker(data: Path) -> BaseProcess:
    return started(work, data)


def work(data: Path) -> None:
    """What a worker process does, until it is told to stop."""
    from app.worker import run

    run(data=data, database=None, device="cpu", with_parent=False, lease_seconds=LEASE)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def without_timings(report: bytes | str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(report)
    del content["manifest"]["timings"], content["manifest"]["command"]
    return content


def command_line_audit(out: Path) -> AuditFolder:
    """The same audit as the command makes it, folder and all."""
    folder = AuditFolder(out)
    folder.prepare(resume=False)
    audit = AuditRun.prepare(load_subject("planted", device="cpu"), some_prompts(FEW), QUICK, "", "")
    folder.finish(audit.go(folder, lambda step: None))
    return folder
