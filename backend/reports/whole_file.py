"""Writing a file so that it is whole or not there, also when the disk is full or the process is killed."""

import os
import tempfile
from pathlib import Path


def write_whole(place: Path, content: bytes) -> None:
    """Write beside `place` and move it in; `place` keeps what it held when that fails. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
