"""Writing a file so that it is whole or not there, also when the disk is full or the process is killed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.errors import OutputError


def write_whole(place: Path, content: bytes, option: str = "--out") -> None:
    """Write beside `place` and move it in; `place` keeps what it held when that fails.

    option: by which the user chose the place. Raises OutputError, one line naming it.
    """
    with _told(place, option):
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".writing-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, place)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def make_folder(place: Path, option: str = "--out") -> None:
    """Make it and those above it, unless they are there; raises as above."""
    with _told(place, option):
        place.mkdir(parents=True, exist_ok=True)


@contextmanager
def _told(place: Path, option: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{option}: cannot write {place}: {reason}; free space or name another place") from error
