"""Inserts that meet a row of the same key: kept or replaced, never doubled, in one statement on both databases."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from sqlalchemy import insert, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backend.store.tables import Table

Row = TypeVar("Row", bound=Table)
CHUNK = 500  # rows sent at once: enough to be fast, few enough that their JSON fits in memory


def insert_or_keep(session: Session, row: type[Row], values: Mapping[str, Any]) -> bool:
    """Insert, or leave the row of that key as it is. True when it was inserted."""
    statement = _insert(session, row).values(**values).on_conflict_do_nothing(index_elements=_key(row))
    return session.execute(statement.returning(*_key(row))).first() is not None


def insert_or_replace(session: Session, row: type[Row], values: Mapping[str, Any]) -> None:
    """Insert, or give the row of that key these values."""
    key = {column.name for column in _key(row)}
    changed = {name: value for name, value in values.items() if name not in key}
    statement = _insert(session, row).values(**values)
    session.execute(statement.on_conflict_do_update(index_elements=_key(row), set_=changed))


def insert_many(session: Session, row: type[Row], values: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows that are known to be new, in chunks."""
    chunk: list[Mapping[str, Any]] = []
    for one in values:
        chunk.append(one)
        if len(chunk) == CHUNK:
            session.execute(insert(row), chunk)
            chunk = []
    if chunk:
        session.execute(insert(row), chunk)


def _insert(session: Session, row: type[Row]) -> Any:
    module = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return module.insert(row)


def _key(row: type[Row]) -> Any:
    return inspect(row).primary_key
