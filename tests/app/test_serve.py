"""`refusalscope serve` as a process: where it says it is, what it refuses, how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.serve import address, worker_commands
from app.settings import read_settings

ROOT = Path(__file__).parents[2]
SAID = re.compile(r"Refusalscope is at (http://127\.0\.0\.1:\d+)\n")


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "app", "serve", *options]


def environment(data: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REFUSALSCOPE_")}
    return {**kept, "REFUSALSCOPE_DATA": str(data), **more}


@contextmanager
def serving(data: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address."""
    process = subprocess.Popen(
        command("--port", "0", "--device", "cpu", *options),
        cwd=ROOT, env=environment(data), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = SAID.fullmatch(process.stdout.readline())
        assert said is not None
        yield process, said[1]
    finally:
        process.kill()
        process.communicate()


def get(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url) as answer:
        content: dict[str, object] = json.loads(answer.read())
        return content


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_when_asked(tmp_path: Path, how: signal.Signals) -> None:
    with serving(tmp_path, "--no-worker") as (process, url):
        assert get(f"{url}/api/health")["status"] == "ok"
        stream = urllib.request.urlopen(f"{url}/")  # a connection that is kept open holds nothing up
        process.send_signal(how)
        assert process.wait(timeout=60) == 0
        stream.close()


def test_its_worker_comes_and_goes_with_it(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, url):
        workers: list[dict[str, object]] = []
        while not workers:
            time.sleep(0.2)
            try:
                workers = get(f"{url}/api/ready")["workers"]  # type: ignore[assignment]
            except urllib.error.HTTPError:
                assert process.poll() is None
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        started = [int(pid) for pid in children.read_text().split()] if children.exists() else []
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0
        assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        finished = subprocess.run(
            command("--port", port, "--no-worker"),
            cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert finished.returncode == 2
    assert finished.stderr.startswith(f"refusalscope: --host 127.0.0.1 --port {port}: ")
    assert finished.stderr.count("\n") == 1


def test_binding_elsewhere_without_a_token_is_one_line(tmp_path: Path) -> None:
    finished = subprocess.run(
        command("--host", "0.0.0.0"),
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 2
    assert "REFUSALSCOPE_TOKEN" in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_a_demo_without_its_subject_is_one_line(tmp_path: Path) -> None:
    finished = subprocess.run(
        command("--port", "0", "--no-worker", "--audit-demo"),
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 2
    assert finished.stderr.startswith("refusalscope: --audit-demo: ")
    assert finished.stderr.endswith("run: refusalscope models fetch\n")
    assert finished.stderr.count("\n") == 1


def test_a_password_is_on_no_command_line(tmp_path: Path) -> None:
    url = "postgresql://me:secret@db/x"
    settings = read_settings({}, data=tmp_path, database=url, device="cpu")
    [started] = worker_commands(settings)
    assert "secret" not in " ".join(started.arguments)
    assert started.environment["REFUSALSCOPE_DATABASE"] == url
    assert started.environment["REFUSALSCOPE_DATA"] == str(tmp_path)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("10.0.0.7", "10.0.0.7")],
)
def test_the_address_can_be_opened(host: str, shown: str) -> None:
    assert address(host, 81) == f"http://{shown}:81"
