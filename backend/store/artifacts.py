"""Bytes on disk by their SHA-256, with a row for each that counts. A file is whole or not there.

A row is the truth: a file without one is left over from a transaction that did not happen, and is swept. Writing and
removing are serialised by the database (SQLite's write lock, an advisory lock on PostgreSQL), so that no file is
removed while another transaction begins to refer to it.
"""

import os
import tempfile
import time
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from backend.errors import OutputError
from backend.store.insert import insert_or_keep
from backend.store.tables import ArtifactRow

LOCK = 0x52_53_41_46  # "RSAF"
PARTIAL = ".writing-"
LEFTOVER_SECONDS = 3600.0  # a file without a row is swept once it is this old: its transaction is long over
UNREFERENCED = "unreferenced_artifacts"


class ArtifactStore:
    """Files of one folder, `ab/abcdef...`, and their rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, session: Session, content: bytes, media_type: str) -> str:
        """Keep the bytes; returns their SHA-256. They count once the session's transaction commits."""
        digest = sha256(content).hexdigest()
        _lock(session)
        values = {"sha256": digest, "n_bytes": len(content), "media_type": media_type, "created": time.time()}
        insert_or_keep(session, ArtifactRow, values)
        if not self.exists(digest):
            self._write(digest, content)
        return digest

    def open(self, digest: str) -> BinaryIO:
        """The bytes as a file; raises FileNotFoundError when they are not there."""
        return self._place(digest).open("rb")

    def exists(self, digest: str) -> bool:
        return self._place(digest).exists()

    def remove_files(self, session: Session, digests: Iterable[str]) -> None:
        """Remove files that have no row. For the transaction after the one that deleted the rows."""
        _lock(session)
        digests = list(digests)
        kept = set(session.scalars(select(ArtifactRow.sha256).where(ArtifactRow.sha256.in_(digests))))
        for digest in set(digests) - kept:
            self._place(digest).unlink(missing_ok=True)

    def sweep(self, session: Session) -> None:
        """Remove what interrupted writers left behind."""
        now = time.time()
        old = [file for file in self.folder.glob("*/*") if now - file.stat().st_mtime > LEFTOVER_SECONDS]
        for file in old:
            if file.name.startswith(PARTIAL):
                file.unlink(missing_ok=True)
        self.remove_files(session, [file.name for file in old if not file.name.startswith(PARTIAL)])

    def _place(self, digest: str) -> Path:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise ValueError("artifact: not a SHA-256 in hex")
        return self.folder / digest[:2] / digest

    def _write(self, digest: str, content: bytes) -> None:
        place = self._place(digest)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=place.parent, prefix=PARTIAL)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())  # the row must not outlive a power cut that the bytes did not
                os.replace(partial, place)
            except BaseException:
                Path(partial).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise OutputError(f"data directory {self.folder}: {error.strerror}; free space there") from error


def forget(session: Session, digest: str) -> None:
    """Delete an artifact: its row now, its file once the session's transaction has committed."""
    _lock(session)
    session.execute(delete(ArtifactRow).where(ArtifactRow.sha256 == digest))
    session.info.setdefault(UNREFERENCED, set()).add(digest)


def take_unreferenced(session: Session) -> set[str]:
    """Digests whose rows a finished transaction deleted."""
    unreferenced: set[str] = session.info.pop(UNREFERENCED, set())
    return unreferenced


def _lock(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
