"""Read-only links to one audit: made, listed, revoked. Knows no token: that is signed and never stored."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.store.identifiers import new_id
from backend.store.paging import Order, RowPage, read_page
from backend.store.tables import LinkRow

ORDER = Order(
    {"created": LinkRow.created, "expires": LinkRow.expires, "label": LinkRow.label},
    default="created",
    ties=(LinkRow.id,),
    default_descending=True,
)


def create(session: Session, audit_id: str, *, label: str, created: float, expires: float) -> LinkRow:
    row = LinkRow(id=new_id("link"), audit_id=audit_id, label=label, created=created, expires=expires)
    session.add(row)
    session.flush()
    return row


def get(session: Session, link_id: str) -> LinkRow | None:
    """A link, whether or not it has expired or been revoked."""
    return session.get(LinkRow, link_id)


def list_links(
    session: Session,
    audit_id: str,
    *,
    sort: str | None = None,
    descending: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> RowPage[LinkRow]:
    """Every link to an audit, newest first, expired and revoked ones too."""
    rows = select(LinkRow).where(LinkRow.audit_id == audit_id)
    return read_page(session, rows, ORDER, sort=sort, descending=descending, cursor=cursor, limit=limit)


def revoke(session: Session, link_id: str, *, now: float) -> bool:
    """Close a link for good. False when there is none."""
    row = session.get(LinkRow, link_id)
    if row is None:
        return False
    row.revoked = row.revoked or now
    return True


def used(session: Session, link_id: str, *, now: float) -> None:
    """Note that somebody opened it."""
    session.execute(update(LinkRow).where(LinkRow.id == link_id).values(last_used=now))
