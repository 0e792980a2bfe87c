"""The migrations make the tables of `tables.py`, on both databases, whoever runs them and how often."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, inspect, select, text

from backend.errors import BadInput
from backend.store import jobs
from backend.store.database import Database
from backend.store.migrate import MIGRATIONS, newest
from backend.store.tables import JobRow, Table


def test_migrations_make_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Table.metadata) == []


def test_foreign_keys_cascade_in_the_migrations_too(database: Database) -> None:
    inspector = inspect(database.engine)
    found = {
        (table, key["constrained_columns"][0], key["options"].get("ondelete"))
        for table in inspector.get_table_names()
        for key in inspector.get_foreign_keys(table)
    }
    asked = {
        (table.name, key.parent.name, key.ondelete)
        for table in Table.metadata.tables.values()
        for key in table.foreign_keys
    }
    assert found == asked != set()


def test_opening_again_keeps_what_is_there(database_url: str, tmp_path: Path) -> None:
    for n_there in range(2):
        database = Database.open(database_url, tmp_path)
        with database.transaction() as session:
            assert session.scalar(select(func.count()).select_from(JobRow)) == n_there
            jobs.submit(session, "audit", {}, priority=0)
        database.close()


def test_tables_that_are_up_to_date_ask_for_no_migration(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == newest()
    Database.open(database_url, tmp_path).close()
    monkeypatch.delattr(command, "upgrade")
    Database.open(database_url, tmp_path).close()


def test_processes_that_start_together_wait_for_each_other(database_url: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: Database.open(database_url, tmp_path), range(4)))
    for database in opened:
        database.close()


def test_tables_of_a_newer_version_are_left_alone(database_url: str, tmp_path: Path) -> None:
    database = Database.open(database_url, tmp_path)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(BadInput, match="--database: made by a newer refusalscope"):
        Database.open(database_url, tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE jobs DROP COLUMN error", r"not those of this refusalscope \(jobs.error is missing\)"),
        ("DROP TABLE saved_sets", r"\(saved_sets.id is missing\)"),
        ("DROP TABLE alembic_version", "cannot open .* already exists"),
    ],
)
def test_tables_that_are_not_of_their_version_are_one_line(
    change: str, said: str, database_url: str, tmp_path: Path
) -> None:
    database = Database.open(database_url, tmp_path)
    with database.engine.begin() as connection:
        connection.execute(text(change))
    database.close()
    with pytest.raises(BadInput, match=f"--database: .*{said}") as raised:
        Database.open(database_url, tmp_path)
    assert "\n" not in str(raised.value)
