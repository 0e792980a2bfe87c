"""Keeps one worker process per device alive: starts it, starts it again when it dies, ends it at shutdown.

Knows processes alone: no torch, no database, no job.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path
from threading import Event, Thread
from time import monotonic

log = getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0  # seconds before a worker that died is started again; doubled each time
SETTLED = 60.0  # seconds after which a worker counts as healthy: the wait starts over
LOOK_EVERY = 0.1  # seconds
GRACE = 15.0  # seconds that a worker has to end by itself before it is killed


@dataclass(frozen=True)
class WorkerCommand:
    """How one worker is started."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)  # on top of this process's own


class Supervisor:
    """start() and stop() it once, or stop() it alone; a thread of its own does the rest."""

    def __init__(
        self, commands: Sequence[WorkerCommand], *, first_wait: float = FIRST_WAIT, longest_wait: float = LONGEST_WAIT
    ) -> None:
        self._kept = [_Kept(command, first_wait, longest_wait) for command in commands]
        self._stopping = Event()
        self._thread = Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask every worker to end (it gives its job back), wait GRACE for it, then kill. Returns when all are gone."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for kept in self._kept:
            kept.ask_to_end()
        deadline = monotonic() + GRACE
        for kept in self._kept:
            kept.end(max(0.0, deadline - monotonic()))

    @property
    def process_ids(self) -> list[int]:
        """Of the workers that are alive."""
        return [kept.process.pid for kept in self._kept if kept.process is not None and kept.process.poll() is None]

    def _watch(self) -> None:
        while not self._stopping.is_set():
            for kept in self._kept:
                kept.look()
            self._stopping.wait(LOOK_EVERY)


class _Kept:
    """One worker process and its successors."""

    def __init__(self, command: WorkerCommand, first_wait: float, longest_wait: float) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._command, self._first_wait, self._longest_wait = command, first_wait, longest_wait
        self._wait, self._started, self._next = first_wait, 0.0, 0.0

    def look(self) -> None:
        now = monotonic()
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return
            if now - self._started >= SETTLED:
                self._wait = self._first_wait
            log.warning("worker %d ended with %d; starting another in %.0f s", self.process.pid, code, self._wait)
            self.process, self._next = None, now + self._wait
            self._wait = min(2 * self._wait, self._longest_wait)
        if now >= self._next:
            self._started = now
            environment = {**os.environ, **self._command.environment}
            self.process = subprocess.Popen(self._command.arguments, env=environment, stdin=subprocess.DEVNULL)

    def ask_to_end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def end(self, seconds: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            log.warning("worker %d did not end in time and is killed", self.process.pid)
            self.process.kill()
            self.process.wait()


def visible_gpus(device: str, environment: Mapping[str, str], devices: Path = Path("/dev")) -> list[str]:
    """What CUDA_VISIBLE_DEVICES must say for one worker per GPU; empty where workers run on the CPU.

    Found without torch: what the environment allows, else the driver's device files.
    """
    if device == "cpu":
        return []
    allowed = environment.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return [one.strip() for one in allowed.split(",") if one.strip() not in ("", "-1")]
    numbers = (path.name.removeprefix("nvidia") for path in devices.glob("nvidia*"))
    return sorted((number for number in numbers if number.isdigit()), key=int)
