"""One database and the folder of its artifacts: opened, migrated, and handed out as sessions.

SQLite in WAL mode, or PostgreSQL. Knows connections and transactions; knows no query of its own.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from backend.errors import BadInput, OutputError
from backend.store.artifacts import ArtifactStore, take_unreferenced
from backend.store.migrate import migrate

DATABASE_FILE = "refusalscope.db"
ARTIFACTS_FOLDER = "artifacts"
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "busy_timeout=30000",
    "foreign_keys=ON",
    "cache_size=-65536",  # 64 MiB a connection
    "temp_store=MEMORY",
)
DatabaseFailure = SQLAlchemyError
"""What any session raises when the database fails: for those who try again, and know no SQL."""

DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


class Database:
    """Sessions over one engine. Rows stay readable after their session has ended."""

    def __init__(self, engine: Engine, artifacts: ArtifactStore) -> None:
        self.engine, self.artifacts = engine, artifacts
        self._reading = sessionmaker(engine, expire_on_commit=False)
        self._writing = sessionmaker(engine.execution_options(writes=True), expire_on_commit=False)

    @classmethod
    def open(cls, url: str | None, data_dir: Path) -> Self:
        """Open the database, bringing its tables up to date; without a URL, SQLite in the data directory.

        Raises BadInput, one line, for a URL that cannot be used and OutputError for a folder that cannot be written.
        """
        try:
            (data_dir / ARTIFACTS_FOLDER).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"--data: cannot write {data_dir}: {error.strerror}; name another folder") from error
        place = _place(url, data_dir)
        engine = _engine(place)
        try:
            migrate(engine.execution_options(writes=True))
        except DBAPIError as error:
            engine.dispose()
            reason = " ".join(str(error.orig).split())
            raise BadInput(f"--database: cannot open {place.render_as_string()}: {reason}") from error
        except BaseException:
            engine.dispose()
            raise
        artifacts = ArtifactStore(data_dir / ARTIFACTS_FOLDER)
        database = cls(engine, artifacts)
        with database.transaction() as session:
            artifacts.sweep(session)
        return database

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Reads and writes that all happen or none does. On SQLite it holds the write lock from its first query."""
        with self._writing() as session, _unfit_values_explained():
            with session.begin():
                yield session
            unreferenced = take_unreferenced(session)
        if unreferenced:
            with self._writing.begin() as session:
                self.artifacts.remove_files(session, unreferenced)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Reads of one moment; what is written in it is thrown away."""
        with self._reading() as session, _unfit_values_explained():
            yield session

    def close(self) -> None:
        self.engine.dispose()


def _place(url: str | None, data_dir: Path) -> URL:
    if url is None:
        return URL.create("sqlite", database=str(data_dir / DATABASE_FILE))
    try:
        place = make_url(url)
    except ArgumentError as error:
        raise BadInput("--database: not a URL; give sqlite:///FILE or postgresql://USER@HOST/NAME") from error
    place = place.set(drivername=DRIVERS.get(place.drivername, place.drivername))
    if place.get_backend_name() not in ("sqlite", "postgresql"):
        raise BadInput(f"--database: {place.get_backend_name()} is not supported; give a sqlite or postgresql URL")
    if place.get_backend_name() == "sqlite" and place.database in (None, "", ":memory:"):
        raise BadInput("--database: a database in memory cannot be shared with the worker; name a file: sqlite:///FILE")
    return place


def _engine(place: URL) -> Engine:
    options: dict[str, Any] = {
        "json_serializer": partial(json.dumps, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
        "pool_size": 8,
        "max_overflow": 40,  # as many as the web process has threads; idle ones beyond pool_size are closed
    }
    try:
        if place.get_backend_name() == "postgresql":
            return create_engine(place, pool_pre_ping=True, **options)
        engine = create_engine(place, **options)
    except (NoSuchModuleError, ImportError) as error:
        raise BadInput(f"--database: no driver for {place.drivername}; give a sqlite or postgresql URL") from error
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: see _begin_sqlite
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """A transaction that reads and then writes takes the write lock at once, or it may be refused halfway."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _unfit_values_explained() -> Iterator[None]:
    """A text or number that the database cannot hold came from outside: bad input, not a fault."""
    try:
        yield
    except (DataError, UnicodeEncodeError, OverflowError) as error:
        raise BadInput(
            "a text holds a character that cannot be stored (NUL or half a surrogate pair), or a number is too large; "
            "remove it"
        ) from error
