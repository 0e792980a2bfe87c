"""Finished pieces of audit work, by the content of everything they depend on. Knows bytes, not what they mean."""

import time

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.store.insert import insert_or_keep
from backend.store.tables import ShardRow


def load(session: Session, key: str) -> bytes | None:
    """The piece kept under STAGE-SHA256, or None."""
    return session.scalar(select(ShardRow.payload).where(ShardRow.key == key))


def save(session: Session, key: str, payload: bytes, *, audit_id: str | None = None) -> None:
    """Keep a piece. One that is there already stays: the same key is the same work.

    audit_id: whose work it was; the piece goes when that audit is deleted.
    """
    stage = key.rpartition("-")[0]
    values = {"key": key, "stage": stage[:32], "audit_id": audit_id, "payload": payload, "n_bytes": len(payload)}
    insert_or_keep(session, ShardRow, {**values, "created": time.time()})
