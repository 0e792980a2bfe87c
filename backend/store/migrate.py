"""Brings a database's tables up to date. Knows Alembic; the steps are in `migrations/versions`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from backend.errors import BadInput

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 0x52_53_43_50  # "RSCP": PostgreSQL's advisory lock while tables change


def migrate(engine: Engine) -> None:
    """Run the missing migrations in one transaction; of two processes that start together, one waits for the other.

    engine: takes SQLite's write lock when a transaction begins. Raises BadInput for tables of a newer version.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        try:
            command.upgrade(config(connection), "head")
        except CommandError as error:
            raise BadInput("--database: made by a newer refusalscope; upgrade this one, or name another") from error


def config(connection: Connection) -> Config:
    """Alembic's settings for a connection that is in a transaction."""
    settings = Config(attributes={"connection": connection})
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return settings
