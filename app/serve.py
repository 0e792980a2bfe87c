"""`refusalscope serve`: the web process and, beside it, the workers that it supervises. Imports no torch."""

import gc
import os
import signal
import socket
import sys
import time
from types import FrameType

import uvicorn

from app.first_start import first_start, submit_demo
from app.logs import configure_logs
from app.server import create_app
from app.settings import Settings
from backend.errors import BadInput
from backend.jobs.supervisor import Supervisor, WorkerCommand, visible_gpus
from backend.store.database import Database

WORKER_SECONDS = 60  # until a worker that was started should have been seen
SHUTDOWN_SECONDS = 3  # for answers under way; a stream of events would hold the server up for good


def run(settings: Settings, *, audit_demo: bool = False) -> None:
    """Serve until SIGTERM or Ctrl-C; then end the workers, which give their jobs back.

    audit_demo: also queue the demo audit, unless its answer is known.
    """
    configure_logs()
    listening = _listen(settings.host, settings.port)
    database = Database.open(settings.database, settings.data)
    supervisor = Supervisor(worker_commands(settings) if settings.worker else [])
    signal.signal(signal.SIGTERM, _interrupt)  # uvicorn takes it while it runs, and hands it on at its end
    try:
        first_start(database)
        if audit_demo:
            submit_demo(database)
        config = uvicorn.Config(
            create_app(settings, database, worker_due=time.time() + WORKER_SECONDS if settings.worker else 0.0),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        supervisor.start()
        _Announcing(config).run([listening])
    except KeyboardInterrupt:
        pass
    finally:
        supervisor.stop()
        database.close()


class _Announcing(uvicorn.Server):
    """Says where it is once it answers. What the start has made is for good: the collector need not look at it."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.freeze()
        gc.enable()
        for one in sockets or ():
            print(f"Refusalscope is at {address(*one.getsockname()[:2])}", flush=True)


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds what listens there."""
    name = "127.0.0.1" if host in ("0.0.0.0", "::", "localhost") else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def worker_commands(settings: Settings) -> list[WorkerCommand]:
    """One worker a GPU, or one on the CPU. A database's URL may hold a password: it goes by the environment."""
    arguments = (sys.executable, "-m", "app", "worker", "--device", settings.device, "--with-parent")
    environment = {"REFUSALSCOPE_DATA": str(settings.data)}
    if settings.database is not None:
        environment["REFUSALSCOPE_DATABASE"] = settings.database
    gpus = visible_gpus(settings.device, os.environ)
    if not gpus:
        return [WorkerCommand(arguments, environment)]
    return [WorkerCommand(arguments, {**environment, "CUDA_VISIBLE_DEVICES": gpu}) for gpu in gpus]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        known = error.errno is not None and error.errno > 0  # not a name that leads nowhere
        reason = os.strerror(error.errno) if known else error.strerror
        raise BadInput(f"--host {host} --port {port}: {reason}; name another port or address") from error


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
