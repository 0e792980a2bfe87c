"""Artifacts: whole or not there, and kept as long as a row says so."""

import os
import time
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.errors import OutputError
from backend.store import artifacts
from backend.store.database import Database
from backend.store.tables import ArtifactRow

CONTENT = b"token ids"
DIGEST = sha256(CONTENT).hexdigest()


def files(database: Database) -> list[Path]:
    return sorted(file for file in database.artifacts.folder.rglob("*") if file.is_file())


def put(database: Database, content: bytes = CONTENT) -> str:
    with database.transaction() as session:
        return database.artifacts.put(session, content, "application/octet-stream")


def test_bytes_come_back_by_their_hash(database: Database) -> None:
    assert not database.artifacts.exists(DIGEST)
    assert put(database) == DIGEST
    assert put(database) == DIGEST

    assert database.artifacts.exists(DIGEST)
    with database.artifacts.open(DIGEST) as file:
        assert file.read() == CONTENT
    assert files(database) == [database.artifacts.folder / DIGEST[:2] / DIGEST]
    with database.reading() as session:
        rows = session.scalars(select(ArtifactRow)).all()
    assert [(row.sha256, row.n_bytes, row.media_type) for row in rows] == [
        (DIGEST, len(CONTENT), "application/octet-stream")
    ]


def test_what_is_not_there_is_not_opened(database: Database) -> None:
    with pytest.raises(FileNotFoundError):
        database.artifacts.open(DIGEST)


@pytest.mark.parametrize("digest", ["", "../../secret", DIGEST.upper(), DIGEST + "0"])
def test_only_hashes_name_files(database: Database, digest: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        database.artifacts.open(digest)


def test_a_file_whose_transaction_failed_is_swept_once_it_is_old(database: Database, tmp_path: Path) -> None:
    def put_and_fail() -> None:
        with database.transaction() as session:
            database.artifacts.put(session, CONTENT, "application/octet-stream")
            raise KeyError

    with pytest.raises(KeyError):
        put_and_fail()
    kept = put(database, b"kept")
    (left,) = [file for file in files(database) if file.name == DIGEST]
    half = left.with_name(f"{artifacts.PARTIAL}x")
    half.write_bytes(b"tok")

    def sweep() -> list[str]:
        with database.transaction() as session:
            database.artifacts.sweep(session)
        return sorted(file.name for file in files(database))

    assert sweep() == sorted([DIGEST, kept, half.name])  # young: somebody may be about to commit
    for file in files(database):
        long_ago = time.time() - artifacts.LEFTOVER_SECONDS - 1
        os.utime(file, (long_ago, long_ago))
    assert sweep() == [kept]


def test_a_disk_that_refuses_leaves_neither_file_nor_row(database: Database) -> None:
    database.artifacts.folder.mkdir(exist_ok=True)
    (database.artifacts.folder / DIGEST[:2]).write_text("in the way")
    with pytest.raises(OutputError, match="free space there"):
        put(database)
    with database.reading() as session:
        assert session.scalars(select(ArtifactRow)).all() == []


def test_forgetting_takes_the_file_after_the_row(database: Database) -> None:
    put(database)
    with database.transaction() as session:
        artifacts.forget(session, DIGEST)
        assert database.artifacts.exists(DIGEST)

    assert files(database) == []


def test_an_artifact_put_again_while_it_is_forgotten_stays(database: Database) -> None:
    put(database)
    with database.transaction() as session:
        artifacts.forget(session, DIGEST)
        database.artifacts.put(session, CONTENT, "application/octet-stream")

    assert database.artifacts.exists(DIGEST)
