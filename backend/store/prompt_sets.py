"""Prompt sets: values to rows and back. Knows prompts; knows no file format."""

import time
from dataclasses import asdict

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.errors import InUse
from backend.prompts.prompt import Prompt, PromptSet
from backend.store.identifiers import new_id
from backend.store.insert import insert_many
from backend.store.paging import Order, RowPage, read_page
from backend.store.tables import AuditRow, PromptRow, PromptSetRow

FIELDS = ("id", "text", "label", "category", "family", "split", "matches", "borrowed")

SETS = Order(
    {"created": PromptSetRow.created, "name": PromptSetRow.name, "n": PromptSetRow.n},
    default="created",
    ties=(PromptSetRow.id,),
    default_descending=True,
)
PROMPTS = Order(
    {
        "position": PromptRow.position,
        "id": PromptRow.id,
        "label": PromptRow.label,
        "category": PromptRow.category,
        "split": PromptRow.split,
    },
    default="position",
    ties=(PromptRow.position,),
)


def add(session: Session, prompts: PromptSet, *, kind: str, set_id: str | None = None) -> PromptSetRow:
    """Keep a set. One of the same name, kind and content is found again instead of being kept twice.

    set_id: for sets that have a name of their own, `bundled:demo`; if its content has changed, it is replaced.
    """
    known = session.get(PromptSetRow, set_id) if set_id else _same(session, prompts, kind)
    if known is not None and known.sha256 == prompts.sha256:
        return known
    if known is not None:
        session.execute(delete_rows(PromptRow).where(PromptRow.set_id == known.id))
    row = known or PromptSetRow(id=set_id or new_id("ps"), created=time.time())
    row.name, row.kind, row.sha256 = prompts.name, kind, prompts.sha256
    row.n, row.n_own = len(prompts.prompts), len(prompts.own)
    row.counts, row.notes = _counts(prompts), list(prompts.notes)
    session.add(row)
    session.flush()
    lines = ({"set_id": row.id, "position": i, **asdict(prompt)} for i, prompt in enumerate(prompts.prompts))
    insert_many(session, PromptRow, lines)
    return row


def get(session: Session, set_id: str) -> PromptSetRow | None:
    return session.get(PromptSetRow, set_id)


def load(session: Session, set_id: str) -> PromptSet | None:
    """The set as the audit takes it: its sha256 is the row's."""
    row = session.get(PromptSetRow, set_id)
    if row is None:
        return None
    columns = [getattr(PromptRow, name) for name in FIELDS]
    lines = session.execute(select(*columns).where(PromptRow.set_id == set_id).order_by(PromptRow.position))
    return PromptSet(row.name, tuple(Prompt(*line) for line in lines), tuple(row.notes))


def list_sets(
    session: Session,
    *,
    kind: str | None = None,
    text: str | None = None,
    sort: str | None = None,
    descending: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> RowPage[PromptSetRow]:
    """Sets, newest first; text: part of the name."""
    rows = select(PromptSetRow)
    if kind is not None:
        rows = rows.where(PromptSetRow.kind == kind)
    if text:
        rows = rows.where(PromptSetRow.name.icontains(text, autoescape=True))
    return read_page(session, rows, SETS, sort=sort, descending=descending, cursor=cursor, limit=limit)


def list_prompts(
    session: Session,
    set_id: str,
    *,
    label: str | None = None,
    split: str | None = None,
    category: str | None = None,
    text: str | None = None,
    sort: str | None = None,
    descending: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> RowPage[PromptRow]:
    """Prompts of a set in its order, borrowed ones last; category "": those without one; text: part of the prompt."""
    rows = select(PromptRow).where(PromptRow.set_id == set_id)
    if label is not None:
        rows = rows.where(PromptRow.label == label)
    if split is not None:
        rows = rows.where(PromptRow.split == split)
    if category is not None:
        rows = rows.where(func.coalesce(PromptRow.category, "") == category)
    if text:
        rows = rows.where(PromptRow.text.icontains(text, autoescape=True))
    return read_page(session, rows, PROMPTS, sort=sort, descending=descending, cursor=cursor, limit=limit)


def delete(session: Session, set_id: str) -> bool:
    """Delete a set. False when there is none; raises InUse while an audit of it is kept, which needs it to run."""
    users = session.scalars(select(AuditRow.name).where(AuditRow.prompt_set_id == set_id).limit(3)).all()
    if users:
        named = ", ".join(f"'{name[:40]}'" for name in users)
        raise InUse(f"prompt set {set_id}: audits need it ({named}); delete them first")
    gone = delete_rows(PromptSetRow).where(PromptSetRow.id == set_id).returning(PromptSetRow.id)
    return session.scalar(gone) is not None


def _same(session: Session, prompts: PromptSet, kind: str) -> PromptSetRow | None:
    same = select(PromptSetRow).where(
        PromptSetRow.sha256 == prompts.sha256, PromptSetRow.name == prompts.name, PromptSetRow.kind == kind
    )
    return session.scalars(same.limit(1)).first()


def _counts(prompts: PromptSet) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for prompt in prompts.own:
        splits = counts.setdefault(prompt.label, {})
        splits[prompt.split] = splits.get(prompt.split, 0) + 1
    return counts
