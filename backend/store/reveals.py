"""Reveals on record: who chose to read which masked completion. Rows are only ever added."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.store.identifiers import new_id
from backend.store.paging import Order, RowPage, read_page
from backend.store.tables import RevealRow

ORDER = Order(
    {"created": RevealRow.created, "prompt_id": RevealRow.prompt_id, "reader": RevealRow.reader},
    default="created",
    ties=(RevealRow.id,),
    default_descending=True,
)


def add(session: Session, audit_id: str, prompt_id: str, *, completion: str, reader: str, created: float) -> RevealRow:
    row = RevealRow(
        id=new_id("reveal"),
        audit_id=audit_id,
        prompt_id=prompt_id,
        completion=completion,
        reader=reader,
        created=created,
    )
    session.add(row)
    session.flush()
    return row


def list_reveals(
    session: Session,
    audit_id: str,
    *,
    prompt_id: str | None = None,
    sort: str | None = None,
    descending: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> RowPage[RevealRow]:
    """Reveals of an audit, latest first."""
    rows = select(RevealRow).where(RevealRow.audit_id == audit_id)
    if prompt_id is not None:
        rows = rows.where(RevealRow.prompt_id == prompt_id)
    return read_page(session, rows, ORDER, sort=sort, descending=descending, cursor=cursor, limit=limit)
