"""A PostgreSQL of the tests' own: made in a temporary folder, reached by a socket there, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOTICE = "PostgreSQL's server is not installed; run: apt-get install postgresql"
OPTIONS = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off"


@contextmanager
def postgresql_server() -> Iterator[str]:
    """URL of a running server whose superuser is `postgres`; skips the test when PostgreSQL is not installed.

    The server refuses to run as root: there it runs as another user.
    """
    programs = _programs()
    if programs is None:
        pytest.skip(NOTICE)
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a short name: a socket's path has at most 107 bytes
    run_as: list[str] = []
    if os.geteuid() == 0:
        user = _unprivileged()
        os.chown(folder, user.pw_uid, user.pw_gid)
        run_as = ["runuser", "-u", user.pw_name, "--"]
    data, log = folder / "data", folder / "log"

    def run(program: str, *arguments: str) -> None:
        command = [*run_as, str(programs / program), "-D", str(data), *arguments]
        finished = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = log.read_text("utf-8") if log.exists() else ""
        assert finished.returncode == 0, f"{program}: {finished.stderr}{said}"

    try:
        run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        run("pg_ctl", "start", "--wait", "--log", str(log), "-o", f"-k {folder} {OPTIONS}")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "stop", "--mode=immediate")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path | None:
    """Where Debian keeps the newest version's, or wherever PATH has them."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda file: int(file.parts[-3]))
    on_path = shutil.which("pg_ctl")
    found = debian[-1] if debian else Path(on_path) if on_path else None
    return found.parent if found else None


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
