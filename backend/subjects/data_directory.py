"""Folders of the user's data directory: each appears whole or not at all, with a record of what it must hold.

Knows files and locks; knows nothing of models.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout
from safetensors import SafetensorError

from backend.errors import OutputError, RefusalscopeError, SubjectError

RECORD = "record.json"
PARTIAL = ".partial-"
Progress = Callable[[str], None]
"""Gets one line about what begins now."""


def data_directory() -> Path:
    """Where fetched subjects live: REFUSALSCOPE_DATA, else the platform's place for a user's data."""
    override = os.environ.get("REFUSALSCOPE_DATA")
    return Path(override) if override else Path(platformdirs.user_data_dir("refusalscope"))


IN_DATA = "data:"  # begins the name of what lies in the data directory, wherever that is


def portable(source: str) -> str:
    """A source as a report names it: what lies in the data directory is named from there, so that equal audits on two
    machines agree and no report tells where somebody keeps files."""
    place = Path(source)
    root = data_directory()
    return IN_DATA + place.relative_to(root).as_posix() if place.is_relative_to(root) else source


def found_here(source: str) -> str:
    """The source that `portable` named, on this machine."""
    return str(data_directory() / source.removeprefix(IN_DATA)) if source.startswith(IN_DATA) else source


def install_folder(
    destination: Path, build: Callable[[Path], None], *, bytes_needed: int, replace: bool, progress: Progress
) -> None:
    """Make `destination` by running `build` on an empty folder beside it and renaming that when it is complete.

    Killed at any moment it leaves either no destination or a whole one (while replacing, for an instant none); what a
    killed run left behind is swept by the next. Two processes wait for each other. Does nothing when the destination
    is there, unless `replace`. Raises OutputError when the disk refuses.
    """
    with _refusals_explained(destination, bytes_needed):
        destination.parent.mkdir(parents=True, exist_ok=True)
        with _locked(destination.parent, progress):
            for leftover in destination.parent.glob(f"{PARTIAL}*"):
                shutil.rmtree(leftover)
            if destination.exists() and not replace:
                return
            if shutil.disk_usage(destination.parent).free < bytes_needed:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            partial = destination.parent / f"{PARTIAL}{destination.name}"
            partial.mkdir()
            try:
                build(partial)
                _write_record(partial)
                if destination.exists():
                    os.replace(destination, destination.parent / f"{PARTIAL}old-{destination.name}")
                os.replace(partial, destination)
                shutil.rmtree(destination.parent / f"{PARTIAL}old-{destination.name}", ignore_errors=True)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise


def verified_hashes(folder: Path, what_to_run: str) -> dict[str, str]:
    """SHA-256 of every file of an installed folder, by name relative to it, after checking them against its record.

    Raises SubjectError naming the file that is missing, cut short or changed, and what to run.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        for name, expected in record.items():
            path = folder / name
            if not path.is_file():
                raise SubjectError(f"{path}: missing; run: {what_to_run}")
            size = path.stat().st_size
            if size != expected["size"]:
                raise SubjectError(f"{path}: {size} bytes, expected {expected['size']}; run: {what_to_run}")
            if sha256_of(path) != expected["sha256"]:
                raise SubjectError(f"{path}: its content has changed since it was fetched; run: {what_to_run}")
        return {name: str(expected["sha256"]) for name, expected in record.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SubjectError(f"{folder / RECORD}: cannot read ({error}); run: {what_to_run}") from error


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_record(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    record = {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": sha256_of(path)} for path in files
    }
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


@contextmanager
def _locked(directory: Path, progress: Progress) -> Iterator[None]:
    lock = FileLock(directory / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress("another process is fetching; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _refusals_explained(destination: Path, bytes_needed: int) -> Iterator[None]:
    """What the disk refuses becomes one line; safetensors and tokenizers report it in types of their own."""
    try:
        yield
    except Exception as error:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)
        if isinstance(error, RefusalscopeError) or not (full or isinstance(error, OSError | SafetensorError)):
            raise
        reason = getattr(error, "strerror", None) or str(error).strip().splitlines()[0]
        fix = f"free {bytes_needed / 1e6:.0f} MB or set" if full else "set"
        raise OutputError(
            f"data directory {destination.parent}: {reason}; {fix} REFUSALSCOPE_DATA to a writable directory"
        ) from error
