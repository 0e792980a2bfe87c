"""Brings a database's tables up to date. Knows Alembic; the steps are in `migrations/versions`."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from backend.errors import BadInput
from backend.store.tables import Table

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 0x52_53_43_50  # "RSCP": PostgreSQL's advisory lock while tables change


def migrate(engine: Engine) -> None:
    """Run the missing migrations in one transaction; of two processes that start together, one waits for the other.

    engine: takes SQLite's write lock when a transaction begins. Raises BadInput for tables of a newer version, and for
    tables that are not what their version says.
    """
    with engine.begin() as connection:
        if _version(connection) != newest():
            _upgrade(connection)
        _check_columns(connection)


def newest() -> str:
    """The version that migrations lead to; their files are vNNNN_what.py."""
    return max(file.stem[1:5] for file in MIGRATIONS.glob("versions/v*.py"))


def _version(connection: Connection) -> str | None:
    """Of the tables; None where there are none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalars().first()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # a tenth of the web process's start, and seldom needed
    from alembic.util import CommandError

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    try:
        command.upgrade(config(connection), "head")
    except CommandError as error:
        raise BadInput("--database: made by a newer refusalscope; upgrade this one, or name another") from error


def _check_columns(connection: Connection) -> None:
    """Otherwise the first query that needs what is missing would fail, and whoever asked would be told of a fault."""
    found = inspect(connection).get_multi_columns()
    there = {name: {column["name"] for column in columns} for (_, name), columns in found.items()}
    for table in Table.metadata.sorted_tables:
        for column in table.columns:
            if column.name not in there.get(table.name, ()):
                raise BadInput(
                    f"--database: its tables are not those of this refusalscope ({table.name}.{column.name} is "
                    "missing); name another, or move this one away"
                )


def config(connection: Connection) -> "Config":
    """Alembic's settings for a connection that is in a transaction."""
    from alembic.config import Config

    settings = Config(attributes={"connection": connection})
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return settings
