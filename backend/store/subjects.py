"""Subjects that audits may name. Knows rows; knows no model."""

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.errors import InUse
from backend.store.insert import insert_or_keep
from backend.store.paging import Order, RowPage, read_page
from backend.store.tables import AuditRow, SubjectRow

ORDER = Order(
    {"id": SubjectRow.id, "kind": SubjectRow.kind, "created": SubjectRow.created},
    default="created",  # those that come with Refusalscope were there first
    ties=(SubjectRow.id,),
)


def add(
    session: Session,
    subject_id: str,
    *,
    kind: str,
    description: str = "",
    source: str | None = None,
    saes: str | None = None,
    layers: Sequence[int] | None = None,
) -> SubjectRow:
    """A subject; one of that id keeps its check figures and gets the rest anew."""
    new = {"id": subject_id, "kind": kind, "created": time.time(), "description": description}
    insert_or_keep(session, SubjectRow, new)
    row = session.get_one(SubjectRow, subject_id)
    row.kind, row.description, row.source, row.saes = kind, description, source, saes
    if layers is not None:
        row.layers = list(layers)
    return row


def list_subjects(
    session: Session,
    *,
    kind: str | None = None,
    text: str | None = None,
    sort: str | None = None,
    descending: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> RowPage[SubjectRow]:
    """Subjects in the order they came; text: part of the id."""
    rows = select(SubjectRow)
    if kind is not None:
        rows = rows.where(SubjectRow.kind == kind)
    if text:
        rows = rows.where(SubjectRow.id.icontains(text, autoescape=True))
    return read_page(session, rows, ORDER, sort=sort, descending=descending, cursor=cursor, limit=limit)


def ids(session: Session) -> list[str]:
    """Of every subject, in the order they came."""
    return list(session.scalars(select(SubjectRow.id).order_by(SubjectRow.created, SubjectRow.id)))


def get(session: Session, subject_id: str) -> SubjectRow | None:
    return session.get(SubjectRow, subject_id)


def delete(session: Session, subject_id: str) -> bool:
    """Delete an added subject. False when none was added under that id; raises InUse while an audit names it."""
    row = session.get(SubjectRow, subject_id)
    if row is None or row.kind != "added":
        return False
    users = session.scalars(select(AuditRow.name).where(AuditRow.subject_id == subject_id).limit(3)).all()
    if users:
        named = ", ".join(f"'{name[:40]}'" for name in users)
        raise InUse(f"subject {subject_id}: audits name it ({named}); delete them first")
    session.delete(row)
    session.flush()
    return True


def set_check(
    session: Session, subject_id: str, figures: dict[str, Any], *, now: float, layers: Sequence[int] | None = None
) -> None:
    """Keep what `models check` measured; layers: the audited ones, which it knows for certain."""
    row = session.get_one(SubjectRow, subject_id)
    row.check, row.checked = figures, now
    if layers is not None:
        row.layers = list(layers)


def count_audits(session: Session) -> dict[str, int]:
    """Audits by the subject they name."""
    counts = session.execute(select(AuditRow.subject_id, func.count()).group_by(AuditRow.subject_id))
    return dict(counts.tuples().all())
