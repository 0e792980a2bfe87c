"""An audit's finished pieces, kept in the store by content. Knows shards; knows nothing of what is in them."""

from logging import getLogger
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from backend.jobs.lease import Lease
from backend.store import jobs, shards
from backend.store.database import Database

T = TypeVar("T")
log = getLogger(__name__)


class StoreCheckpoint:
    """Implements `backend.audit.progress.Checkpoint`. Pieces are shared by every audit whose keys agree.

    Each piece kept is credited to the job: attempts are limited for a job that gets no further, not for a long one
    whose workers are stopped now and then.
    fresh: keep and take the audit's own pieces alone, so that everything is worked out anew and can yet be resumed.
    """

    def __init__(self, database: Database, audit_id: str, lease: Lease, *, fresh: bool = False) -> None:
        self._database, self._audit_id, self._lease = database, audit_id, lease
        self._mark = f"@{audit_id}" if fresh else ""

    def load(self, key: str, kind: type[T]) -> T | None:
        with self._database.reading() as session:
            payload = shards.load(session, key + self._mark)
        if payload is None:
            return None
        try:
            return TypeAdapter(kind).validate_json(payload)
        except ValidationError:
            log.warning("shard %s does not fit and is worked out again", key)
            return None

    def save(self, key: str, value: Any) -> None:
        payload = TypeAdapter(type(value)).dump_json(value)
        with self._database.transaction() as session:
            shards.save(session, key + self._mark, payload, audit_id=self._audit_id)
            jobs.credit(session, self._lease.job_id, self._lease.worker)
