"""Worker processes started, started again and ended, with real processes."""

import os
import signal
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from backend.jobs.supervisor import Supervisor, WorkerCommand, visible_gpus

PATIENT = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(60)"


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def command(program: str, **environment: str) -> WorkerCommand:
    return WorkerCommand((sys.executable, "-c", program), environment)


def gone(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_killed_worker_is_started_again() -> None:
    supervisor = Supervisor([command(PATIENT), command(PATIENT)], first_wait=0.05)
    supervisor.start()
    wait_until(lambda: len(supervisor.process_ids) == 2)
    first, second = supervisor.process_ids
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(supervisor.process_ids) == 2 and first not in supervisor.process_ids)
    assert second in supervisor.process_ids
    supervisor.stop()


def test_one_that_was_never_started_is_stopped() -> None:
    supervisor = Supervisor([command(PATIENT)])
    supervisor.stop()
    assert supervisor.process_ids == []


def test_stopping_ends_every_worker() -> None:
    supervisor = Supervisor([command(PATIENT), command(PATIENT)])
    supervisor.start()
    wait_until(lambda: len(supervisor.process_ids) == 2)
    workers = supervisor.process_ids
    supervisor.stop()
    assert supervisor.process_ids == []
    assert all(gone(worker) for worker in workers)


def test_a_worker_that_keeps_dying_is_waited_for_longer_and_longer(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    program = f"import time; open({str(starts)!r}, 'a').write(f'{{time.time()}}\\n'); raise SystemExit(3)"
    supervisor = Supervisor([command(program)], first_wait=0.2, longest_wait=60.0)
    supervisor.start()
    wait_until(lambda: starts.exists() and len(starts.read_text().splitlines()) >= 4)
    supervisor.stop()
    times = [float(line) for line in starts.read_text().splitlines()]
    waits = [after - before for before, after in pairwise(times)]
    assert waits[2] > waits[0]
    assert all(wait >= 0.2 for wait in waits)


def test_its_environment_is_the_workers(tmp_path: Path) -> None:
    said = tmp_path / "said"
    program = f"import os, time; open({str(said)!r}, 'w').write(os.environ['DEVICE_OF_IT']); time.sleep(60)"
    supervisor = Supervisor([command(program, DEVICE_OF_IT="1")])
    supervisor.start()
    wait_until(lambda: said.exists() and said.read_text() == "1")
    supervisor.stop()


@pytest.mark.parametrize(
    ("device", "allowed", "expected"),
    [
        ("cpu", None, []),
        ("auto", None, ["0", "1", "10"]),
        ("cuda", "2,3", ["2", "3"]),
        ("auto", "", []),
        ("auto", "-1", []),
    ],
)
def test_one_worker_per_gpu(device: str, allowed: str | None, expected: list[str], tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    environment = {} if allowed is None else {"CUDA_VISIBLE_DEVICES": allowed}
    assert visible_gpus(device, environment, tmp_path) == expected
