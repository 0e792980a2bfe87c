"""`refusalscope worker`: one worker process. Wires the store to the worker; `refusalscope serve` starts and ends it."""

import os
import signal
from pathlib import Path
from types import FrameType

from app.logs import configure_logs
from backend.jobs.lease import LEASE_SECONDS
from backend.jobs.worker import Worker
from backend.store.database import Database
from backend.subjects.data_directory import data_directory
from backend.subjects.quiet import quiet_libraries
from backend.subjects.subject import Device


def run(
    *,
    data: Path | None,
    database: str | None,
    device: Device,
    with_parent: bool,
    lease_seconds: float = LEASE_SECONDS,
) -> None:
    """Work until SIGTERM or Ctrl-C; the job at hand is given back for another worker to go on with."""
    configure_logs()
    if data is not None:
        os.environ["REFUSALSCOPE_DATA"] = str(data)  # subjects lie there as well
    parent = os.getppid() if with_parent else None
    opened = Database.open(database, data_directory())
    worker = Worker(opened, device, parent=parent, lease_seconds=lease_seconds)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        worker.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        with quiet_libraries():
            worker.run()
    finally:
        opened.close()
