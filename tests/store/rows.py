"""Rows that several tests of the store begin with."""

from typing import Any

from sqlalchemy.orm import Session

from backend.store import audits
from backend.store.tables import AuditRow

SHA = "0" * 64


def new_audit(session: Session, **changed: Any) -> AuditRow:
    values: dict[str, Any] = {
        "name": "first",
        "origin": "run",
        "subject_id": "planted",
        "prompt_set": "planted",
        "prompt_set_id": None,
        "n_prompts": 3,
        "spec": {"subject": "planted"},
        "spec_sha256": SHA,
        "created": 1.0,
    }
    return audits.create(session, **{**values, **changed})
