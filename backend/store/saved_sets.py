"""What-ifs kept by name, on the prompt they were tried on."""

from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.store.identifiers import new_id
from backend.store.paging import Order, RowPage, read_page
from backend.store.tables import SavedSetRow

ORDER = Order({"created": SavedSetRow.created, "name": SavedSetRow.name}, default="created", ties=(SavedSetRow.id,))


def add(
    session: Session, audit_id: str, prompt_id: str, *, name: str, intervention: dict[str, Any], created: float
) -> SavedSetRow:
    row = SavedSetRow(
        id=new_id("set"),
        audit_id=audit_id,
        prompt_id=prompt_id,
        name=name,
        intervention=intervention,
        created=created,
    )
    session.add(row)
    session.flush()
    return row


def list_sets(
    session: Session,
    audit_id: str,
    prompt_id: str,
    *,
    sort: str | None = None,
    descending: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> RowPage[SavedSetRow]:
    """Those of one prompt, oldest first."""
    rows = select(SavedSetRow).where(SavedSetRow.audit_id == audit_id, SavedSetRow.prompt_id == prompt_id)
    return read_page(session, rows, ORDER, sort=sort, descending=descending, cursor=cursor, limit=limit)


def delete(session: Session, set_id: str) -> bool:
    """False when there is none."""
    gone = delete_rows(SavedSetRow).where(SavedSetRow.id == set_id).returning(SavedSetRow.id)
    return session.scalar(gone) is not None
