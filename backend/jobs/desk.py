"""What a job is worked on with, and what it hands back. Knows the worker's parts; does nothing with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.engine.pauses import BetweenBatches
from backend.errors import BadInput
from backend.jobs.lease import Lease
from backend.jobs.resident import Residents, SubjectKey
from backend.store import subjects
from backend.store.database import Database, Session
from backend.subjects.subject import Device, Dtype


def _nothing(session: Session) -> None:
    """For jobs whose result is all there is."""


@dataclass(frozen=True, eq=False)
class Conclusion:
    """What a job came to."""

    result: dict[str, Any]  # of the job's row
    store: Callable[[Session], object] = _nothing  # what else to keep, in the transaction that ends the job


@dataclass(frozen=True, eq=False)
class Desk:
    database: Database
    residents: Residents
    device: Device  # the worker's
    lease: Lease
    between_batches: BetweenBatches  # for long work: raises when it must be left, answers interactive jobs


def device_for(asked: Device, own: Device) -> Device:
    """The worker's own, unless a device is asked for by name."""
    return own if asked == "auto" else asked


def subject_key(
    session: Session, subject_id: str, layers: list[int] | None, device: Device, dtype: Dtype
) -> SubjectKey:
    """Where a subject is loaded from; one that was added is loaded with the layers it was added with, unless some are
    named. Raises BadInput for one that neither comes with Refusalscope nor was added."""
    row = subjects.get(session, subject_id)
    if row is None:
        known = ", ".join(subjects.ids(session))
        raise BadInput(f"subject: there is no {subject_id}; known: {known}")
    if layers is None and row.kind == "added":
        layers = row.layers
    chosen = None if layers is None else tuple(sorted(set(layers)))
    return SubjectKey(row.id, row.source or row.id, row.saes, chosen, device, dtype)
