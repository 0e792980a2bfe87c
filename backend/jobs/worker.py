"""A worker process: claims jobs, works on them one at a time, answers interactive ones between an audit's batches.

Knows the store's jobs and which function does which kind; knows nothing of what they compute.
"""

import os
from collections.abc import Callable
from logging import getLogger
from threading import Event
from time import monotonic, time
from uuid import uuid4

import torch

from backend.errors import RefusalscopeError
from backend.jobs.audit_job import audit_job
from backend.jobs.check_job import check_job
from backend.jobs.desk import Conclusion, Desk
from backend.jobs.lease import LEASE_SECONDS, Heartbeat, JobStopped, Lease, WorkerIdentity
from backend.jobs.requests import INTERACTIVE
from backend.jobs.resident import Residents
from backend.jobs.reveal import reveal_job
from backend.jobs.warm_up import WarmUp
from backend.jobs.what_if_job import what_if_job
from backend.store import jobs
from backend.store.database import Database, DatabaseFailure
from backend.store.tables import JobRow
from backend.subjects.subject import Device

log = getLogger(__name__)

LOOK_EVERY = 0.05  # seconds between two looks for a job
CHORES_EVERY = 5.0  # seconds
KINDS: dict[str, Callable[[Desk, JobRow], Conclusion]] = {
    "audit": audit_job,
    "check": check_job,
    "what_if": what_if_job,
    "reveal": reveal_job,
}


class Worker:
    """run() until told to stop; `stop` may be called from a signal handler."""

    def __init__(
        self, database: Database, device: Device, *, parent: int | None = None, lease_seconds: float = LEASE_SECONDS
    ) -> None:
        """parent: the process id whose end is this worker's end; None to go on without it."""
        self._database, self._device, self._parent, self._lease_seconds = database, device, parent, lease_seconds
        self._me = WorkerIdentity(f"worker_{uuid4().hex[:12]}", device, os.getpid(), time())
        self._heartbeat = Heartbeat(database, self._me, lease_seconds)
        self._residents = Residents(self._inside)
        self._warm_up = WarmUp(database, self._residents, device)
        self._stopping = Event()
        self._held: list[Lease] = []  # outermost first
        self._looked, self._tidied, self._warmed = 0.0, 0.0, 0.0

    def run(self) -> None:
        """Work until stopped; the job at hand is then given back."""
        self._heartbeat.start()
        log.info("worker %s is ready on %s", self._me.id, self._device)
        try:
            while not self._must_end():
                try:
                    self._chores()
                    worked = self._work_on_next()
                except DatabaseFailure as error:
                    log.warning("database: %s", _one_line(error))
                    worked = False
                if not worked and not self._made_ready():
                    self._stopping.wait(LOOK_EVERY)
        finally:
            self._heartbeat.stop()

    def stop(self) -> None:
        self._stopping.set()

    # -- inside ------------------------------------------------------------------------------------------------

    def _work_on_next(self, least_priority: int | None = None) -> bool:
        with self._database.reading() as session:
            if not jobs.any_free(session, now=time(), least_priority=least_priority):
                return False
        with self._database.transaction() as session:
            job = jobs.claim(session, self._me.id, self._lease_seconds, now=time(), least_priority=least_priority)
        if job is None:
            return False
        self._work_on(job)
        return True

    def _work_on(self, job: JobRow) -> None:
        """Do it and store what it came to; nothing that goes wrong with it leaves here."""
        with self._heartbeat.hold(job.id) as lease:
            self._held.append(lease)
            desk = Desk(self._database, self._residents, self._device, lease, self._between_batches)
            try:
                self._finish(job, KINDS[job.kind](desk, job))
            except JobStopped as stopped:
                self._leave(job, stopped)
            except RefusalscopeError as error:
                self._fail(job, _one_line(error))
            except DatabaseFailure as error:  # the lease runs out, and the job is taken up again
                log.warning("job %s: database: %s", job.id, _one_line(error))
            except torch.OutOfMemoryError:
                log.exception("job %s", job.id)
                self._fail(job, "out of memory: audit fewer layers, use dtype bfloat16, or a larger device")
            except Exception as error:
                log.exception("job %s", job.id)
                self._fail(job, f"internal error ({type(error).__name__}): the worker's log says more")
            finally:
                self._held.remove(lease)
                self._show_resident()

    def _finish(self, job: JobRow, conclusion: Conclusion) -> None:
        """The job's end and what it came to are one transaction, undone when the job is another's by now."""
        with self._database.transaction() as session:
            if not jobs.finish(session, job.id, self._me.id, conclusion.result, now=time()):
                raise JobStopped("lost")
            conclusion.store(session)

    def _leave(self, job: JobRow, stopped: JobStopped) -> None:
        log.info("job %s: %s", job.id, stopped)
        with self._database.transaction() as session:
            if stopped.why == "cancel":
                jobs.mark_cancelled(session, job.id, self._me.id, now=time())
            elif stopped.why == "stop":
                jobs.release(session, job.id, self._me.id)

    def _fail(self, job: JobRow, error: str) -> None:
        with self._database.transaction() as session:
            jobs.fail(session, job.id, self._me.id, error, now=time())

    def _check(self) -> None:
        """Raises JobStopped when the innermost job must be left."""
        if self._must_end():
            raise JobStopped("stop")
        if self._held:
            self._held[-1].check()

    def _inside(self) -> None:
        """Between the batches of interactive work, and of making ready."""
        if self._held:
            self._check()
        else:
            self._between_batches()

    def _made_ready(self) -> bool:
        """Idle for a while: make ready what the next question needs. Looked at with the chores, not more often."""
        if monotonic() - self._warmed < CHORES_EVERY:
            return False
        self._warmed = monotonic()
        try:
            return self._warm_up.run()
        except JobStopped:
            return False
        except Exception:  # nobody asked for it; whoever does will be told
            log.exception("making ready")
            return False
        finally:
            self._show_resident()

    def _show_resident(self) -> None:
        self._heartbeat.subject = next(reversed(self._residents.names), None)

    def _between_batches(self) -> None:
        """While a long job runs: leave it when told, answer who waits."""
        self._check()
        if monotonic() - self._looked < LOOK_EVERY:
            return
        self._looked = monotonic()
        try:
            self._chores()
            # What is made ready while nobody asks waits for every job, a job only for interactive ones.
            while self._work_on_next(INTERACTIVE if self._held else None):
                self._check()
        except DatabaseFailure as error:
            log.warning("database: %s", _one_line(error))

    def _chores(self) -> None:
        if monotonic() - self._tidied >= CHORES_EVERY:
            self._tidied = monotonic()
            with self._database.transaction() as session:
                jobs.sweep(session, now=time())

    def _must_end(self) -> bool:
        if self._parent is not None and os.getppid() != self._parent:
            self._stopping.set()
        return self._stopping.is_set()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
