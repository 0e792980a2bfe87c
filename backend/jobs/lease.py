"""A worker's hold on its jobs: a thread tells the store that it is alive and where it is, and hears what it should do.

The thread goes on while a forward pass outlasts the lease. Knows the store; knows no job's content.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging import getLogger
from threading import Event, Lock, Thread
from time import monotonic, time
from typing import Any, Literal

from backend.errors import Interrupted
from backend.store import jobs, workers
from backend.store.database import Database, DatabaseFailure
from backend.store.jobs import Tick

log = getLogger(__name__)

LEASE_SECONDS = 10.0  # after which a silent worker's job is another's
BEAT = 0.5  # seconds between two beats while a job is held
SEEN_EVERY = 5.0  # seconds between two signs of life while idle


class JobStopped(Interrupted):
    """The job must be left: cancelled by its owner, lost to another worker, or the worker itself has to end."""

    def __init__(self, why: Literal["cancel", "lost", "stop"]) -> None:
        super().__init__(f"job stopped: {why}")
        self.why = why


@dataclass(frozen=True)
class WorkerIdentity:
    id: str
    device: str
    pid: int
    started: float


class Lease:
    """One job held. `progress` goes with the next beat; `check` is cheap and may be called often."""

    def __init__(self, job_id: str, worker: str) -> None:
        self.job_id, self.worker = job_id, worker
        self.progress: dict[str, Any] | None = None
        self.verdict: Tick = "go_on"  # the store's, at the last beat

    def check(self) -> None:
        """Raises JobStopped when the store said so."""
        if self.verdict != "go_on":
            raise JobStopped(self.verdict)


class Heartbeat:
    """Beats for one worker process until stopped."""

    def __init__(self, database: Database, me: WorkerIdentity, lease_seconds: float = LEASE_SECONDS) -> None:
        self.subject: str | None = None  # resident, for whoever asks
        self._database, self._me, self._lease_seconds = database, me, lease_seconds
        self._held: list[Lease] = []  # outermost first: an audit, and what is answered inside it
        self._lock = Lock()
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._beat([])
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and signs off."""
        self._stopped.set()
        self._thread.join()
        with self._database.transaction() as session:
            workers.gone(session, self._me.id)

    @contextmanager
    def hold(self, job_id: str) -> Iterator[Lease]:
        """Keep a job that has just been claimed, while inside."""
        lease = Lease(job_id, self._me.id)
        with self._lock:
            self._held.append(lease)
        try:
            yield lease
        finally:
            with self._lock:
                self._held.remove(lease)

    def _run(self) -> None:
        last = monotonic()
        while not self._stopped.wait(BEAT):
            with self._lock:
                held = list(self._held)
            if held or monotonic() - last >= SEEN_EVERY:
                last = monotonic()
                try:
                    self._beat(held)
                except DatabaseFailure as error:  # leases last several beats: the next may get through
                    log.warning("heartbeat: %s", " ".join(str(error).split()))

    def _beat(self, held: list[Lease]) -> None:
        now, me = time(), self._me
        answers: list[tuple[Lease, Tick]] = []
        with self._database.transaction() as session:
            for lease in held:
                seconds, progress = self._lease_seconds, lease.progress
                answers.append((lease, jobs.tick(session, lease.job_id, me.id, seconds, now=now, progress=progress)))
            job_id = held[0].job_id if held else None
            workers.seen(
                session, me.id, device=me.device, pid=me.pid, subject=self.subject, job_id=job_id, started=me.started,
                now=now,
            )  # fmt: skip
        for lease, verdict in answers:
            lease.verdict = verdict
