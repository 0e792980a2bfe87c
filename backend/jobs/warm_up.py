"""Makes ready what the next question is likely to need, while nobody asks: the latest finished audit's subject.

Knows the store and what a what-if needs.
"""

from logging import getLogger

from backend.errors import BadInput
from backend.jobs.audit_context import read_audit
from backend.jobs.resident import Residents
from backend.jobs.what_if_job import values_of
from backend.store import audits
from backend.store.database import Database
from backend.subjects.subject import Device

log = getLogger(__name__)


class WarmUp:
    """One attempt per finished audit. Interruptible: jobs that ask for the same go on where it stands."""

    def __init__(self, database: Database, residents: Residents, device: Device) -> None:
        self._database, self._residents, self._device = database, residents, device
        self._done: str | None = None

    def run(self) -> bool:
        """False when there is nothing to make ready. Raises what the engine's callback raises."""
        with self._database.reading() as session:
            latest = audits.list_audits(session, state="done", sort="finished", descending=True, limit=1).items
        if not latest or latest[0].id == self._done:
            return False
        self._done = latest[0].id
        try:
            context = read_audit(self._database, self._done, self._device)
            values_of(self._database, self._residents.get(context.key), context)
        except BadInput as error:  # the first job that needs it says so to whoever asked
            log.info("not made ready: %s", error)
        return True
