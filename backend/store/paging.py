"""Pages of a list by keyset cursor: every row once whatever is inserted meanwhile, the last as fast as the first.

Nulls come last in either direction. Rows are read in two runs, those with a value in the sort column and then those
without, so that each run follows an index. Knows SQL and cursors; knows no table.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from backend.errors import BadInput

T = TypeVar("T")
Column = InstrumentedAttribute[Any]
LARGEST_INTEGER = 2**31 - 1


@dataclass(frozen=True)
class RowPage(Generic[T]):
    """One page of a list."""

    items: list[T]
    total: int  # rows that match the filters
    next_cursor: str | None  # for the page after this; None at the end


@dataclass(frozen=True)
class Order:
    """How a list may be sorted.

    ties: columns that together tell any two rows of the list apart, compared in the direction of the sort.
    """

    columns: Mapping[str, Column]
    default: str
    ties: tuple[Column, ...]
    default_descending: bool = False


@dataclass(frozen=True)
class Position:
    """Where a page ended: the last row's sort value and ties."""

    sort: str
    descending: bool
    value: Any
    ties: tuple[Any, ...]


def read_page(
    session: Session,
    rows: Select[*tuple[Any, ...]],
    order: Order,
    *,
    sort: str | None = None,
    descending: bool = False,
    cursor: str | None = None,
    limit: int = 50,
    item: Callable[..., T] = lambda row: row,
) -> RowPage[T]:
    """The rows after the cursor.

    rows: a select with its filters and no order; each row's values are given to `item`. sort: a name of the order's
    columns; None takes the cursor's, or the default with its direction. Raises BadInput for an unknown sort, a cursor
    that is damaged or was made for another order, or a limit below 1.
    """
    if limit < 1:
        raise BadInput(f"limit: {limit}; give a whole number from 1")
    after = _read_cursor(cursor, order) if cursor is not None else None
    sort, descending = _settle(order, sort, descending, after)
    column = order.columns[sort]
    found = _rows_after(session, rows, order, column, descending, after, limit + 1)
    width = 1 + len(order.ties)
    next_cursor = None
    if len(found) > limit:
        value, *ties = found[limit - 1][-width:]
        next_cursor = _write_cursor(Position(sort, descending, value, tuple(ties)))
    total = session.scalar(rows.with_only_columns(func.count(), maintain_column_froms=True)) or 0
    return RowPage([item(*row[:-width]) for row in found[:limit]], total, next_cursor)


def _settle(order: Order, sort: str | None, descending: bool, after: Position | None) -> tuple[str, bool]:
    if sort is None:
        return (after.sort, after.descending) if after else (order.default, order.default_descending)
    if sort not in order.columns:
        raise BadInput(f"sort: {sort[:60]!r} is not a column; choose one of {', '.join(sorted(order.columns))}")
    if after is not None and (after.sort, after.descending) != (sort, descending):
        raise BadInput(
            f"cursor: it belongs to a list sorted by {_signed(after)}; sort by that, or leave the cursor out"
        )
    return sort, descending


def _signed(position: Position) -> str:
    return f"{'-' if position.descending else ''}{position.sort}"


def _rows_after(
    session: Session,
    rows: Select[*tuple[Any, ...]],
    order: Order,
    column: Column,
    descending: bool,
    after: Position | None,
    wanted: int,
) -> list[Any]:
    rows = rows.add_columns(column, *order.ties)
    others = tuple(tie for tie in order.ties if tie is not column)
    found: list[Any] = []
    if after is None or after.value is not None:
        keys = (column, *others)
        run = rows.where(column.is_not(None)) if column.nullable else rows
        if after is not None:
            run = run.where(_beyond(keys, (after.value, *_those(order, others, after)), descending))
        found = _run(session, run, keys, descending, wanted)
        after = None
    if column.nullable and len(found) < wanted:
        run = rows.where(column.is_(None))
        if after is not None:
            run = run.where(_beyond(others, _those(order, others, after), descending))
        found += _run(session, run, others, descending, wanted - len(found))
    return found


def _those(order: Order, ties: Sequence[Column], after: Position) -> list[Any]:
    """The position's values of some of the order's ties."""
    return [value for tie, value in zip(order.ties, after.ties, strict=True) if any(tie is one for one in ties)]


def _beyond(columns: Sequence[Column], values: Sequence[Any], descending: bool) -> ColumnElement[bool]:
    here, there = tuple_(*columns), tuple_(*values, types=[column.type for column in columns])
    return here < there if descending else here > there


def _run(
    session: Session, rows: Select[*tuple[Any, ...]], keys: Sequence[Column], descending: bool, wanted: int
) -> list[Any]:
    ordered = rows.order_by(*(key.desc() if descending else key.asc() for key in keys)).limit(wanted)
    return list(session.execute(ordered).all())


def _write_cursor(position: Position) -> str:
    content = json.dumps([_signed(position), position.value, *position.ties], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, order: Order) -> Position:
    problem = BadInput("cursor: not one that this list gave out; leave it out to start from the first page")
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        signed, value, *ties = content
        sort = signed.removeprefix("-")
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise problem from error
    if not isinstance(content, list) or sort not in order.columns or len(ties) != len(order.ties):
        raise problem
    column = order.columns[sort]
    fits = (value is None and column.nullable) or _fits(value, column)
    if not fits or not all(map(_fits, ties, order.ties)):
        raise problem
    return Position(sort, signed.startswith("-"), value, tuple(ties))


def _fits(value: Any, column: Column) -> bool:
    """True for a value that the column could hold: anything else would be an error of the database."""
    kind = column.type.python_type
    if type(value) is int and kind in (int, float):
        return -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER
    return type(value) is kind and (kind is not float or isfinite(value))
