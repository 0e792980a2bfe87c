"""Subjects kept in memory between jobs, each with a warm engine for interactive work. Knows subjects and engines."""

import gc
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch

from backend.engine.engine import EngineSettings, ResidualEngine
from backend.engine.pauses import BetweenBatches
from backend.subjects.subject import Device, Dtype, Subject, load_subject

MOST_SUBJECTS = 2
MOST_KEPT = 4  # values of a kind per subject, unless said otherwise: audits of one prompt set share theirs
INTERACTIVE_CACHE_BYTES = 128 * 2**20  # an audit's own engine may be at work over the same model

T = TypeVar("T")


@dataclass(frozen=True)
class SubjectKey:
    """A subject by its id, and what `load_subject` is asked for."""

    id: str
    subject: str
    saes: str | None
    layers: tuple[int, ...] | None
    device: Device
    dtype: Dtype


@dataclass(eq=False)
class Resident:
    """A loaded subject; its engine keeps prefix and prompt states from one interactive job to the next."""

    subject: Subject
    engine: ResidualEngine
    _kept: "dict[type, OrderedDict[Hashable, object]]" = field(default_factory=dict)

    def once(self, key: Hashable, kind: type[T], work: Callable[[], T], most: int = MOST_KEPT) -> T:
        """What was worked out under this key before, or now; the last `most` of a kind are kept."""
        kept = self._kept.setdefault(kind, OrderedDict())
        found = kept.pop(key, None)
        value = found if isinstance(found, kind) else work()
        kept[key] = value
        while len(kept) > most:
            kept.popitem(last=False)
        return value


class Residents:
    """At most MOST_SUBJECTS at a time, the least recently used given up first."""

    def __init__(self, between_batches: BetweenBatches, most: int = MOST_SUBJECTS) -> None:
        self._between_batches, self._most = between_batches, most
        self._loaded: OrderedDict[SubjectKey, Resident] = OrderedDict()
        self._pinned: SubjectKey | None = None

    @property
    def names(self) -> list[str]:
        """Ids of the subjects in memory, the latest used last."""
        return [key.id for key in self._loaded]

    def get(self, key: SubjectKey) -> Resident:
        """Load it unless it is here. Raises SubjectError; when memory is short, others are given up first."""
        found = self._loaded.get(key)
        if found is not None:
            self._loaded.move_to_end(key)
            return found
        self._give_up(self._most - 1)
        try:
            resident = self._load(key)
        except torch.OutOfMemoryError:
            self._give_up(0)
            resident = self._load(key)
        self._loaded[key] = resident
        return resident

    @contextmanager
    def pinned(self, key: SubjectKey) -> Iterator[Resident]:
        """Not given up while inside: an audit is at work on it."""
        resident = self.get(key)
        before, self._pinned = self._pinned, key
        try:
            yield resident
        finally:
            self._pinned = before

    def _load(self, key: SubjectKey) -> Resident:
        loaded = load_subject(key.subject, key.saes, key.layers, key.device, key.dtype)
        subject = replace(loaded, id=key.id)  # one that was added is known by its id, not by its folder
        settings = replace(EngineSettings.for_device(subject.model.device), cache_bytes=INTERACTIVE_CACHE_BYTES)
        return Resident(subject, ResidualEngine(subject.model, dict(subject.saes), settings, self._between_batches))

    def _give_up(self, most: int) -> None:
        for key in [key for key in self._loaded if key != self._pinned]:
            if len(self._loaded) <= most:
                break
            del self._loaded[key]
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
