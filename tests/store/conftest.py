"""Every test of the store runs on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from backend.audit.results import Report
from backend.store.artifacts import ArtifactStore
from backend.store.database import Database
from backend.store.tables import Table
from tests.planted_audits import planted_audit
from tests.postgres import postgresql_server

NUMBERS = count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    with postgresql_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where there is no table yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new.db"
    return new_database(request.getfixturevalue("postgresql"))


@pytest.fixture(scope="session")
def migrated(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database.open(new_database(postgresql), tmp_path_factory.mktemp("migrated"))
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Tables without a row. PostgreSQL's are made once and emptied, which is quicker."""
    if request.param == "sqlite":
        database = Database.open(None, tmp_path)
        yield database
        database.close()
        return
    migrated = request.getfixturevalue("migrated")
    with migrated.engine.begin() as connection:
        for table in reversed(Table.metadata.sorted_tables):
            connection.execute(table.delete())
    yield Database(migrated.engine, ArtifactStore(tmp_path / "artifacts"))


@pytest.fixture(scope="session")
def report() -> Report:
    """A real report: an audit of the planted subject on a few prompts."""
    return planted_audit().report


def new_database(server: str) -> str:
    """URL of a new, empty database of a PostgreSQL server."""
    place = make_url(server).set(drivername="postgresql+psycopg")
    name = f"store_{next(NUMBERS)}"
    engine = create_engine(place, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return place.set(database=name).render_as_string(hide_password=False)
