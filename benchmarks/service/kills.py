"""kill -9 of worker, web process and both at random points of audits: their reports are those of undisturbed ones."""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from backend.store.jobs import DIED
from benchmarks.service.server import Server, serving, start, wait_until

SPEC = {"subject": "planted", "prompt_set": "planted", "effort": "quick"}
VICTIMS = ("worker", "web", "both")
OPTIONS = ("--device", "cpu")
GIVEN_UP = DIED.partition(" {")[0]


def measure_kills(folder: Path, kills: int, seed: int = 0) -> dict[str, float]:
    """Audits one after another, each killed now and then, until there were that many kills; all are compared."""
    with serving(folder / "undisturbed", *OPTIONS) as server:
        began = time.perf_counter()
        undisturbed = _submit(server)
        if _resumed_until_done(server, undisturbed):
            raise RuntimeError("a worker died and nobody had killed it; see its log")
        expected = _report(server, undisturbed)
        undisturbed_seconds = time.perf_counter() - began
    choose, done, audits, resumed, differing, doubled = random.Random(seed), 0, 0, 0, 0, 0
    data, log = folder / "disturbed", folder / "disturbed.log"
    server = start(data, *OPTIONS, log=log)
    try:
        while done < kills:
            audits += 1
            audit_id = _submit(server)
            pieces = choose.randint(0, 4)
            while done < kills and _reached(server, audit_id, pieces):
                time.sleep(choose.uniform(0.0, 1.0))
                victim = VICTIMS[done % len(VICTIMS)]
                server = _kill(server, victim, data, log)
                done, pieces = done + 1, choose.randint(1, 4)
            resumed += _resumed_until_done(server, audit_id)
            differing += _report(server, audit_id) != expected
            doubled += _doubled(server, audit_id, expected)
    finally:
        server.end()
    return {
        "kills": done,
        "killed_audits": audits,
        "killed_audits_resumed_by_hand": resumed,
        "killed_audits_that_differ": differing,
        "doubled_rows": doubled,
        "undisturbed_audit_seconds": undisturbed_seconds,
    }


def _submit(server: Server) -> str:
    return str(server.post("/audits", {"spec": SPEC, "rerun": True})["audit"]["id"])


def _resumed_until_done(server: Server, audit_id: str) -> int:
    """How often it had to be resumed: kills too close together for one piece of work between them end an audit."""
    resumed = 0
    while (audit := server.ended(audit_id))["state"] != "done":
        if GIVEN_UP not in str(audit["error"]):
            raise RuntimeError(f"the audit is {audit['state']}: {audit['error']}")
        server.post(f"/audits/{audit_id}/resume")
        resumed += 1
    return resumed


def _reached(server: Server, audit_id: str, changes: int) -> bool:
    """Wait until the audit runs and its progress has changed so often; False when it has ended before."""
    seen: set[str] = set()
    ended = False

    def look() -> bool:
        nonlocal ended
        audit = server.get(f"/audits/{audit_id}")["audit"]
        ended = audit["state"] not in ("queued", "running")
        if audit["state"] == "running":
            seen.add(str(audit["progress"]))
        return ended or len(seen) > changes

    wait_until(look, pause=0.02)
    return not ended


def _kill(server: Server, victim: str, data: Path, log: Path) -> Server:
    """The server that goes on: a new one when the web process was killed."""
    if victim in ("worker", "both"):
        for pid in server.worker_processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    if victim == "worker":
        return server
    server.kill()
    return start(data, *OPTIONS, log=log)


def _report(server: Server, audit_id: str) -> dict[str, Any]:
    """report.json, timings aside."""
    report: dict[str, Any] = server.get(f"/audits/{audit_id}/report.json")
    del report["manifest"]["timings"], report["manifest"]["command"]
    return report


def _doubled(server: Server, audit_id: str, expected: dict[str, Any]) -> int:
    """Rows of prompts and features beyond those of the report."""
    return sum(
        server.get(f"/audits/{audit_id}/{name}", limit=1)["total"] - len(expected[name])
        for name in ("prompts", "features")
    )
